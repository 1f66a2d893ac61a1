"""The search for the nearest title gives the same as comparing all pairs."""

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.bounds.slices import run_all
from newsintel.domain.search import nearest_title as nearest
from newsintel.domain.search.nearest_title import Titles, compare_similarity
from tests.shared import SHARED, needs_shared
from tests.values import titles, unhurried

_lists = st.lists(titles.filter(bool), unique=True, max_size=25)


def nearest_of_all(kept: list[str], title: str) -> tuple[int, float] | None:
    """The definition: compare with each title."""
    alike = [compare_similarity(title, other) for other in kept]
    best = max(alike, default=0.0)
    return (alike.index(best), best) if best > 0.8 else None


def same_as_all_pairs(incoming: list[str]) -> None:
    """Add titles as grouping does, and compare the answer for each with the definition."""
    kept: list[str] = []
    index = Titles()
    for title in incoming:
        expected = nearest_of_all(kept, title)
        assert run_all(index.find_nearest(title)) == expected, title
        if expected is None:
            index.add(title)
            kept.append(title)


@pytest.mark.parametrize("many", [0, 5, 400])
@pytest.mark.parametrize("bitmaps", [1, 1024])
def test_the_nearest_title_is_that_of_all_pairs(many, bitmaps, monkeypatch):
    """Counting letter pairs and comparing with each title give the same.

    This holds however many titles share a bitmap.
    """
    monkeypatch.setattr(nearest, "_MIN_INDEXED_TITLES", many)
    monkeypatch.setattr(nearest, "_BITMAPS", bitmaps)
    unhurried(given(_lists)(same_as_all_pairs))()


_ALPHABETS = (
    *("abcdefgh ", "ab", "äöüßéè ", "абвгде ", "αβγδ ", "ابتثج ", "अआइई् "),
    *("東京大学ニュース", "한국어뉴스 ", "🙂🎉a ", "0123 -."),
)


@pytest.mark.parametrize("many", [0, 400])
@unhurried
@given(data=st.data())
def test_titles_a_few_edits_away_are_found(many, data):
    """In any script, whatever letters are changed, inserted and removed."""
    letters = data.draw(st.sampled_from(_ALPHABETS))
    title = data.draw(st.text(letters, min_size=1, max_size=90))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nearest, "_MIN_INDEXED_TITLES", many)
        index, kept = Titles(), list[str]()
        for _ in range(data.draw(st.integers(1, 4))):
            near = edit(data, title, letters)
            if near and near not in kept:
                index.add(near)
                kept.append(near)
        changed = edit(data, title, letters)
        assert run_all(index.find_nearest(changed)) == nearest_of_all(kept, changed)


def edit(data, title, letters):
    """The title with up to a quarter of its letters changed, inserted or removed."""
    changed = list(title)
    for _ in range(data.draw(st.integers(0, len(title) // 4))):
        at = data.draw(st.integers(0, len(changed)))
        changed[at : at + data.draw(st.integers(0, 1))] = data.draw(
            st.sampled_from(["", "x", "y", *letters])
        )
    return "".join(changed)


def test_the_earliest_of_equally_similar_titles_wins():
    """The founder that came first wins, as the contract says."""
    index = Titles()
    for title in ("aaaaaaaaab", "aaaaaaaaac"):
        index.add(title)
    assert run_all(index.find_nearest("aaaaaaaaad")) == (0, 0.9)


def test_a_similarity_of_exactly_four_fifths_is_not_enough():
    """It must be above 0.8: two edits in ten are too many, one in six is not."""
    index = Titles()
    index.add("abcdefghij")
    assert compare_similarity("abcdefghij", "abcdefghxy") == 0.8
    assert run_all(index.find_nearest("abcdefghxy")) is None
    index.add("uvwxyz")
    assert run_all(index.find_nearest("uvwxyq")) == (1, pytest.approx(5 / 6))


def test_empty_titles_are_similar_to_no_title():
    """Not even to each other."""
    assert compare_similarity("", "") == 0.0
    assert compare_similarity("", "a") == 0.0
    assert run_all(Titles().find_nearest("")) is None


@needs_shared
def test_the_nearest_title_is_that_of_all_pairs_on_headlines():
    """Real headlines in a number at which the search counts letter pairs."""
    with (SHARED / "headlines/uci_news_aggregator_first3000.csv").open(
        encoding="utf-8", newline=""
    ) as rows:
        headlines = [row["TITLE"].casefold() for row in csv.DictReader(rows)]
    same_as_all_pairs(headlines[:1200])

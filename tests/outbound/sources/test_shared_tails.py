"""Outlets' names that only the other rows of a payload show."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.bounds.slices import run_all
from newsintel.domain.search.article import MAX_NAME
from newsintel.outbound.sources.newsapi import SOURCE
from newsintel.outbound.sources.outlet_words import split_name
from newsintel.outbound.sources.shared_tails import strip_shared_tails
from tests.make import article
from tests.outbound.sources.replies import NOW, QUERY, recorded_bodies, reply
from tests.shared import needs_shared


def read_titles(
    titles: Sequence[str],
    *,
    hosts: Sequence[str] = ("x.example",),
    author: str | None = None,
    publisher: str = "X.example",
) -> list[str]:
    """The titles of a payload's rows after it was read."""
    rows = [
        {
            "title": title,
            "url": f"https://{hosts[place % len(hosts)]}/{place}",
            "source": {"name": publisher},
            "author": author,
            "publishedAt": "2026-11-22T10:00:00Z",
        }
        for place, title in enumerate(titles)
    ]
    page = SOURCE.read(reply({"status": "ok", "articles": rows}), QUERY, NOW)
    return [article.title for article in page.articles]


@pytest.mark.parametrize(
    "tail",
    [
        " - Der Bote", " | Der Bote", " : WXYZ", " • Le Petit Journal", "｜河北新報", "_澎湃新闻",
        " – Agência Nova", " — Дождь", " - Das Blatt am Sonntag", " - WXYZ 7", " | الشروق",
        " - ვესტნიკი", " - आवाज़",
    ],
)  # fmt: skip
def test_a_tail_that_two_rows_of_one_host_share_is_the_outlet(tail: str) -> None:
    """A third row with another tail keeps it."""
    titles = [f"Rain ahead{tail}", f"Snow ahead{tail}", "Storms - The Return"]
    assert read_titles(titles) == ["Rain ahead", "Snow ahead", "Storms - The Return"]


@pytest.mark.parametrize(
    "tail",
    [
        " - live", " - Live", " | Opinion", " - Reuters poll", " - Exclusive", " - sources",
        " - star", " – as it happened", " - Video", " - Forecast to 2030", " - World Cup 2026",
        " - Part Two", " | Jane Doe", " - Trump says", ": Macron", " - ब्रेकिंग वीडियो रिपोर्ट",
        " | 社説", " - Live updates", " - in pictures", " - What we know so far about it",
    ],
)  # fmt: skip
def test_a_shared_rubric_stays(tail: str) -> None:
    """Kinds of articles, columnists, series and words without capitals are no outlets."""
    titles = [f"Rain ahead{tail}", f"Snow ahead{tail}"]
    assert read_titles(titles, author="Jane Doe and John Roe") == titles


def test_one_story_twice_is_no_evidence() -> None:
    """Nor are two hosts, and nor is a second tail where the outlet is known."""
    titles = ["Spider-Man - The Return", "spider-man - The Return"]
    assert read_titles(titles) == titles
    titles = ["Rain - The Return", "Snow - The Return"]
    assert read_titles(titles, hosts=("x.example", "y.example")) == titles
    titles = ["Rain - Sudan - Bugle", "Snow - Sudan - Bugle"]
    assert read_titles(titles, publisher="Bugle") == ["Rain - Sudan", "Snow - Sudan"]
    titles = ["A Song - The Singers", "Other Song - The Singers"]
    assert read_titles(titles, publisher="YouTube", hosts=["www.youtube.com"]) == titles


PIECES = st.sampled_from(
    ["A", "é", "東", "!", " - ", " | ", " : ", "｜", "_", " ", "Der Bote", "Bote", "x", "-", "|"]
)


@given(st.lists(st.lists(PIECES, min_size=1, max_size=8).map("".join), max_size=6))
def test_no_title_is_emptied(raw: list[str]) -> None:
    """Each title keeps its beginning."""
    before = [" ".join(title.split()) for title in raw if title.strip()]
    after = read_titles([f"A {title}" for title in before], publisher="Q", hosts=("q.example",))
    assert all(f"A {b}".startswith(a) and a for b, a in zip(before, after, strict=True))


def test_reading_pauses_after_each_row() -> None:
    """A payload has a hundred rows, and its sender chooses how long one takes."""
    articles = [article(title=f"Rain {number} - Bugle") for number in range(100)]
    assert len(list(strip_shared_tails(articles, ()))) == len(articles)


def test_a_name_of_ligatures_is_read_in_part() -> None:
    """One letter of the input may become eighteen."""
    assert len("".join(split_name("\ufdfa" * MAX_NAME))) <= 400
    assert split_name("The Daily Bote " * 10) == ("the", "daily", "bote") * 10


@needs_shared
def test_recorded_payloads_share_no_other_tails() -> None:
    """In the recorded payloads the outlets are known without this evidence."""
    for _, body in recorded_bodies("newsapi"):
        page = SOURCE.read(reply(body), QUERY, NOW)
        assert run_all(strip_shared_tails(page.articles, ())) == page.articles

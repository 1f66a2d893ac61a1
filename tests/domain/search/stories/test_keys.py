"""The keys lead to every founder that the full comparison would choose."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.search.stories.judging import WINDOW, Told, are_one_article, judge_titles
from newsintel.domain.search.stories.keys import list_own_keys, list_wanted_keys
from newsintel.domain.search.stories.parsed_title import parse_title
from newsintel.domain.search.stories.similarity import MIN_COMMON

HEADLINES = Path(__file__).resolve().parents[3] / "data" / "headlines.tsv"
NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


def read_titles():
    """Return the titles of the labelled headlines."""
    with HEADLINES.open(newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]
    return [title for _, *titles in rows for title in titles]


TITLES = read_titles()
WORDS = sorted({word for title in TITLES for word in title.split()})


def reach(title, at, founder, founder_at):
    """Whether the keys of a title lead to a founder."""
    own = set(list_own_keys(founder, founder_at))
    return sum(weight for key, weight in list_wanted_keys(title, at) if key in own) >= MIN_COMMON


def is_story(one, at, other, other_at):
    """Whether two articles of different outlets tell one story, by the rules of a search."""
    told, founder = Told(one, "one", at), Told(other, "other", other_at)
    if one.folded and one.folded == other.folded and abs(at - other_at) <= WINDOW:
        return are_one_article(told, founder)
    return judge_titles(told, founder).same


def test_labelled_headlines_are_reached():
    """All pairs of titles that are one story; most other pairs are not reached."""
    parsed = [parse_title(title) for title in TITLES]
    same = reached = others = 0
    for place, one in enumerate(parsed):
        for other in parsed[:place]:
            found = reach(one, NOON, other, NOON)
            if is_story(one, NOON, other, NOON):
                assert found, (one.folded, other.folded)
                same += 1
            else:
                others += 1
                reached += found
    assert same > 30
    assert reached < others / 50


TITLE = st.one_of(
    st.sampled_from(TITLES),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join),
    st.text(max_size=60),
)
EDIT = st.sampled_from((str, str.upper, str.lower, lambda title: f"{title} - BBC News"))


@given(TITLE, TITLE, EDIT, st.integers(-80, 80), st.booleans())
def test_any_titles_are_reached(one, other, edit, hours, near):
    """In any script, at any time: also a title that differs from the founder's in a word."""
    other = edit(one if near else other)
    at = NOON + timedelta(hours=hours)
    title, founder = parse_title(one), parse_title(other)
    if is_story(title, at, founder, NOON):
        assert reach(title, at, founder, NOON)


def test_other_days_are_not_reached():
    """Keys belong to a time; beyond two buckets nothing is found."""
    title = parse_title(TITLES[0])
    assert reach(title, NOON, title, NOON)
    assert not reach(title, NOON + 2 * WINDOW, title, NOON)


def test_keys_are_the_same_in_every_process():
    """Python's own hash differs between processes; PostgreSQL's bigint is signed."""
    keys = list_own_keys(parse_title("Whale stranded in Seine"), NOON)
    assert keys == list_own_keys(parse_title("Whale stranded in Seine"), NOON)
    assert all(-(2**63) <= key < 2**63 for key in keys)
    assert len(set(keys)) == len(keys) >= 4

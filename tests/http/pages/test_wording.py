"""The words of the pages cover every value of the API."""

import pytest

from newsintel.domain.search.article import Rule
from newsintel.domain.search.outcome import Status
from newsintel.http.pages.wording import (
    RULES,
    STATUSES,
    WAITING,
    describe_rule,
    describe_status,
    format_day,
    format_moment,
    mark_passages,
    mark_title,
    name_source,
)


def test_every_status_and_rule_has_words():
    """A status of a later version is shown as it is."""
    assert set(STATUSES) == {*Status, WAITING}
    assert set(RULES) == set(Rule)
    assert describe_status("resting") == "resting"


@pytest.mark.parametrize(
    ("rule", "similarity", "words"),
    [
        (None, None, "the first we found"),
        ("url", 1.0, "same address, 100 %"),
        ("near_title", 0.999, "similar headline, 99 %"),
        ("title", None, "same headline"),
    ],
)
def test_a_merge_is_explained(rule, similarity, words):
    """The similarity is rounded down, so that 100 % means equal."""
    assert describe_rule(rule, similarity) == words


def test_sources_have_names():
    """An imported source has its own name."""
    assert [name_source(one) for one in ("guardian", "my_paper")] == ["The Guardian", "My paper"]


def test_times_are_written_as_people_write_them():
    """In UTC, without leading zeros of the day."""
    assert format_moment("2026-01-03T04:05:06Z") == "3 Jan 2026, 04:05"
    assert format_day("2026-01-03T04:05:06.123Z") == "3 Jan 2026"


@pytest.mark.parametrize(
    ("text", "spans", "pieces"),
    [
        ("", [], []),
        ("no match", [], [("no match", False)]),
        ("a b", [[0, 1]], [("a", True), (" b", False)]),
        (
            "🙂 naïve 日本",
            [[2, 7], [8, 10]],
            [("🙂 ", False), ("naïve", True), (" ", False), ("日本", True)],
        ),
    ],
)
def test_passages_are_cut_at_their_highlights(text, spans, pieces):
    """Offsets count code points."""
    assert mark_passages(text, spans) == pieces


def test_a_passage_of_the_title_is_marked_there():
    """The words around it stay."""
    snippet = {"text": "climate 🙂 talks", "highlights": [[0, 7]]}
    assert mark_title("New climate 🙂 talks open", snippet) == [
        ("New ", False),
        ("climate", True),
        (" 🙂 talks", False),
        (" open", False),
    ]

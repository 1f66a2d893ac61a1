"""The archive's grammar: what it accepts, what it refuses, and which searches are equal."""

import contextlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.archive.model import ArchiveQuery, ArchiveSort, Condition, Field
from newsintel.domain.archive.query import build_archive_query, build_fallback_query, hash_query
from newsintel.domain.search.query import build_query
from newsintel.domain.text.grammar import fold_case
from newsintel.errors import InvalidParameterError

TITLE, AUTHOR, PUBLISHER, SOURCE = Field.TITLE, Field.AUTHOR, Field.PUBLISHER, Field.SOURCE


def word(text, field=Field.ANY, *, no=False):
    """A condition. Several words are a phrase."""
    return Condition(field, text, " " in text, no)


@pytest.mark.parametrize(
    ("q", "alternatives"),
    [
        ("climate", [[word("climate")]]),
        (
            '"machine learning" OR "neural networks"',
            [[word("machine learning")], [word("neural networks")]],
        ),
        ("a b -c AND d OR e", [[word("a"), word("b"), word("c", no=True), word("d")], [word("e")]]),
        ("title:Flood", [[word("Flood", TITLE)]]),
        ('-title:"Flash Flood" x', [[word("Flash Flood", TITLE, no=True), word("x")]]),
        ("source:Guardian", [[word("guardian", SOURCE)]]),
        (
            'publisher:"BBC News" AUTHOR:Smith',
            [[word("BBC News", PUBLISHER), word("Smith", AUTHOR)]],
        ),
        ("title:a OR -source:reddit", [[word("a", TITLE)], [word("reddit", SOURCE, no=True)]]),
        ("-a", [[word("a", no=True)]]),
        ('title:"open ended', [[word("open ended", TITLE)]]),
        ('"x"title:y', [[word("x"), word("y", TITLE)]]),
        (
            "title:OR -OR source:AND",
            [[word("OR", TITLE), word("OR", no=True), word("and", SOURCE)]],
        ),
        (
            "http://example.org covid: any:x",
            [[word("http://example.org"), word("covid:"), word("any:x")]],
        ),
        ("title: x subtitle:y", [[word("title:"), word("x"), word("subtitle:y")]]),
        ('"title:x"', [[word("title:x")]]),
        ('a a OR a OR title:"" ?! OR', [[word("a")]]),
        ("title:(a OR b) c", [[word("a", TITLE), word("c")], [word("b", TITLE), word("c")]]),
        ("-title:(a author:b)", [[word("a", TITLE, no=True)], [word("b", AUTHOR, no=True)]]),
        (
            "title：“Flash Flood” –author:„Kim Weiß“",
            [[word("Flash Flood", TITLE), word("Kim Weiß", AUTHOR, no=True)]],
        ),
        (
            "ｔｉｔｌｅ:Straße publisher:「朝日 新聞」",
            [[word("Straße", TITLE), word("朝日 新聞", PUBLISHER)]],
        ),
        ("title:-a title:−“b c”", [[word("a", TITLE, no=True), word("b c", TITLE, no=True)]]),
        ("a (after:2026-03-01 OR b)", [[word("a"), word("b")]]),
        (
            "NOT (source:reddit OR title:a)",
            [[word("reddit", SOURCE, no=True), word("a", TITLE, no=True)]],
        ),
    ],
)
def test_grammar_of_fields_words_and_phrases(q, alternatives):
    """Fields stand before words and phrases. Any other colon is part of its word.

    Mistakes are accepted as in live searches.
    """
    assert [list(conditions) for conditions in build_archive_query(q).alternatives] == alternatives


def test_without_q_all_articles_match():
    """Newest first, of all sources and times."""
    assert build_archive_query(None) == ArchiveQuery()


MARCH = datetime(2026, 3, 1, tzinfo=UTC)
APRIL = datetime(2026, 4, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("q", "start", "end"),
    [
        ("after:2026-03-01", MARCH, None),
        ("before:2026-04-01", None, APRIL - TICK),
        ("x after:2026-03-01 before:2026-04-01", MARCH, APRIL - TICK),
        ("after:2026-01-01 OR x After:2026-03-01", MARCH, None),
        ('before:2026-05-01 before:"2026-04-01"', None, APRIL - TICK),
        ("after:2026-03-01T01:00:00+01:00", MARCH, None),
        ("after:2026–03–01 before：“２０２６－０４－０１”", MARCH, APRIL - TICK),
        ("(after:2026-03-01 x)", MARCH, None),
        ("after:2026-03-01 before:2026-03-01T00:00:00.000001Z", MARCH, MARCH),
    ],
)
def test_bounds_in_q_set_start_and_end(q, start, end):
    """after: includes its moment, and before: excludes it.

    The narrowest bounds count, wherever they stand. Bounds alone are a query.
    """
    query = build_archive_query(q)
    assert (query.start, query.end) == (start, end)
    assert build_archive_query(q).alternatives in ((), ((word("x"),),))


def test_bounds_in_q_narrow_the_parameters():
    """They never widen them. Parameters are converted to UTC."""
    wide = build_archive_query(
        "after:2026-01-01 before:2026-12-31",
        start=MARCH.astimezone(timezone(timedelta(hours=2))),
        end=APRIL,
    )
    narrow = build_archive_query(
        "after:2026-03-01 before:2026-04-01",
        start=datetime(2026, 1, 1, tzinfo=UTC),
        end=datetime(2026, 12, 31, tzinfo=UTC),
    )
    assert (wide.start, wide.end) == (MARCH, APRIL)
    assert wide.start.tzinfo is UTC
    assert (narrow.start, narrow.end) == (MARCH, APRIL - TICK)


@pytest.mark.parametrize(
    ("q", "code"),
    [
        ("", "blank"),
        (" \u200b", "blank"),
        ('"" - title:?', "no_words"),
        ("OR", "no_words"),
        ("a\x00", "control_character"),
        ("a" * 257, "too_long"),
        (" " * 5000 + "a", "too_long"),
        ("before:yesterday", "date"),
        ("after:2026-02-30", "date"),
        ("before:0001-01-01", "date"),
        ("before:2026-1-1 x", "date"),
        ("-before:2026-01-01", "not_excludable"),
        ("before:-2026-01-01", "not_excludable"),
        ("NOT before:2026-01-01", "not_excludable"),
        ("x -(y after:2026-01-01)", "not_excludable"),
        ("after:2026-02-01 before:2026-01-01", "empty_span"),
        ("after:2026-02-01 before:2026-02-01", "empty_span"),
    ],
)
def test_invalid_queries_are_refused(q, code):
    """The refusal names q, with a code for each reason."""
    with pytest.raises(InvalidParameterError) as caught:
        build_archive_query(q)
    assert (caught.value.field, caught.value.code) == ("q", code)


def test_bounds_in_q_outside_the_parameters_are_refused():
    """The refusal names q, because the parameters alone are a valid span."""
    with pytest.raises(InvalidParameterError) as caught:
        build_archive_query("before:2026-03-01", start=MARCH)
    assert (caught.value.field, caught.value.code) == ("q", "empty_span")


def test_publisher_is_a_whole_name():
    """It is tidied and keeps its spelling. A refusal names the parameter."""
    assert build_archive_query(None, publisher=" Le  Cafe\u0301™ ").publisher == "Le Café™"
    for bad, code in (("", "blank"), ("a\x07", "control_character"), ("a" * 257, "too_long")):
        with pytest.raises(InvalidParameterError) as caught:
            build_archive_query(None, publisher=bad)
        assert (caught.value.field, caught.value.code) == ("publisher", code)
        assert caught.value.message.startswith("publisher must")


@pytest.mark.parametrize(
    ("q", "sort", "used"),
    [
        ("x", None, ArchiveSort.RELEVANCE),
        ("title:x", None, ArchiveSort.RELEVANCE),
        ("-y OR x", None, ArchiveSort.RELEVANCE),
        (None, None, ArchiveSort.NEWEST),
        ("-x", None, ArchiveSort.NEWEST),
        ("source:x publisher:y author:z", None, ArchiveSort.NEWEST),
        ("before:2026-01-01", ArchiveSort.RELEVANCE, ArchiveSort.NEWEST),
        ("x", ArchiveSort.NEWEST, ArchiveSort.NEWEST),
        (None, ArchiveSort.OLDEST, ArchiveSort.OLDEST),
    ],
)
def test_sort_by_relevance_needs_a_wanted_term(q, sort, used):
    """Without one, the order is by date."""
    assert build_archive_query(q, sort=sort).sort is used


def test_fingerprint_is_equal_for_the_same_meaning_only():
    """Every part that changes the answer changes it. `IT` and `it` differ."""
    assert hash_query(build_archive_query(" flood\u00a0")) == hash_query(
        build_archive_query("“flood” AND FLOOD")
    )
    queries = [
        build_archive_query("x"),
        build_archive_query("title:x"),
        build_archive_query("-x"),
        build_archive_query('"x y"'),
        build_archive_query("x y"),
        build_archive_query("X"),
        build_archive_query("x OR y"),
        build_archive_query("x", sort=ArchiveSort.NEWEST),
        build_archive_query("x", sources=("guardian",)),
        build_archive_query("x", publisher="BBC"),
        build_archive_query("x", start=MARCH),
        build_archive_query("x", end=MARCH),
        build_archive_query("x", language="en"),
    ]
    assert len({hash_query(query) for query in queries}) == len(queries)


parts = st.sampled_from(
    [
        "OR",
        "AND",
        "-",
        '"',
        "title:",
        "before:",
        "-after:",
        "2026-01-31",
        "9999-12-31",
        "source:x",
        " ",
        ":",
        "é",
        "(",
        ")",
        "NOT",
        "title:(",
    ]
)


@given(
    st.one_of(
        st.text(max_size=300),
        st.lists(st.one_of(parts, st.text(max_size=5)), max_size=30).map("".join),
    )
)
def test_build_gives_a_query_or_a_refusal(q):
    """A refusal names q."""
    with contextlib.suppress(InvalidParameterError):
        query = build_archive_query(q)
        assert query.alternatives or query.start or query.end
        assert all(query.alternatives)
        assert all(
            any(map(str.isalnum, fold_case(one.text)))
            for conditions in query.alternatives
            for one in conditions
        )


def test_a_live_search_becomes_one_of_the_archive():
    """It has the same words; all sources include what was imported from others."""
    live = build_query("flood -dam", sources=("guardian", "reddit"))
    found = build_fallback_query(live, ("guardian", "newsapi", "reddit"))
    assert found.alternatives == ((word("flood"), word("dam", no=True)),)
    assert (found.sort, set(found.sources)) == (ArchiveSort.NEWEST, {"guardian", "reddit"})
    assert not build_fallback_query(live, ("guardian", "reddit")).sources

"""Entries of the spool come back as they went in, and foreign bytes are refused."""

from datetime import UTC, datetime, timedelta, timezone

import orjson
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.archive.batch import BATCH_BYTES, BATCH_ROWS, ArchiveBatch
from newsintel.domain.archive.spooled import MAX_BYTES, Spooled, dump_spooled, load_spooled
from newsintel.domain.bounds.slices import run_all
from newsintel.domain.search.article import Article, Engagement, Pair, Rule
from newsintel.domain.search.sizes import articles_bytes
from newsintel.errors import PoisonedBatchError
from tests.make import NOON, article, search_record

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
TIMES = st.datetimes(
    datetime(1800, 1, 1),  # noqa: DTZ001 - Hypothesis adds the zone
    datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
ARTICLES = st.builds(
    Article,
    **dict.fromkeys(
        ("id", "source", "external_id", "url", "canonical_url", "title", "publisher"), TEXTS
    ),
    published_at=TIMES,
    published_at_estimated=st.booleans(),
    **dict.fromkeys(
        ("description", "content", "author", "section", "image_url", "language"),
        st.none() | TEXTS,
    ),
    engagement=st.none()
    | st.builds(Engagement, st.integers(-9, 9), st.integers(-9, 9), st.none() | TEXTS),
)
PAIRS = st.builds(Pair, TEXTS, TEXTS, st.sampled_from(Rule), st.floats(0, 1))
SEARCHES = st.builds(
    search_record,
    query=TEXTS,
    key=TEXTS,
    results_count=st.integers(0, 300),
    searched_at=TIMES,
    user_id=st.none() | st.integers(1, 2**62),
    person=st.just(""),
    repeat_key=st.just(""),
    form=st.none(),
)


def test_an_entry_that_is_too_large_is_refused_before_it_is_parsed(monkeypatch):
    """Parsed, it could take thirty times its size. What we would not read we do not write."""
    large = Spooled([(article("a", description="x" * MAX_BYTES), NOON)])
    with pytest.raises(PoisonedBatchError, match=r"more than 2,097,152 bytes"):
        run_all(dump_spooled(large))
    monkeypatch.setattr("newsintel.domain.search.codec.orjson.loads", None)
    with pytest.raises(ValueError, match=r"^more than 2,097,152 bytes$"):
        run_all(load_spooled(b"[" * (MAX_BYTES + 1)))


@given(st.lists(st.tuples(ARTICLES, TIMES)), st.lists(PAIRS), st.lists(SEARCHES))
def test_an_entry_comes_back_unchanged(rows, pairs, searches):
    """Every field of every kind, and the number of rows."""
    entry = Spooled(rows, pairs, searches)
    assert run_all(load_spooled(run_all(dump_spooled(entry)))) == entry
    assert len(entry) == len(rows) + len(pairs) + len(searches)


def test_times_come_back_in_utc():
    """The same moment, whatever its offset was."""
    there = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))
    entry = Spooled([(article(), there)])
    ((_, fetched_at),) = run_all(load_spooled(run_all(dump_spooled(entry)))).rows
    assert (fetched_at, fetched_at.tzinfo) == (NOON, UTC)


KEPT = (
    b'{"format":1,"rows":[[{"id":"a_a","source":"guardian","external_id":"a",'
    b'"url":"https://news.example/a","canonical_url":"https://news.example/a",'
    b'"title":"Title of a","publisher":"The Example",'
    b'"published_at":"2026-03-14T12:00:00+00:00","published_at_estimated":false,'
    b'"description":null,"content":null,"author":null,"section":null,"image_url":null,'
    b'"language":null,"engagement":{"points":3,"comments":4}},"2026-03-14T12:00:00+00:00"]],'
    b'"pairs":[["a_b","a_a","title",1.0]],'
    b'"searches":[["q","k",1,"2026-03-14T12:00:00+00:00",7]]}'
)


def test_what_the_first_version_wrote_is_still_read():
    """These bytes never change: an operator's spool may hold such entries."""
    bare = {"person": "", "repeat_key": "", "form": None}
    assert run_all(load_spooled(KEPT)) == Spooled(
        [(article(engagement=Engagement(3, 4)), NOON)],
        [Pair("a_b", "a_a", Rule.TITLE, 1.0)],
        [search_record(user_id=7, **bare)],
    )


def test_a_pair_without_a_finite_similarity_is_left_out():
    """PostgreSQL would refuse it, and JSON cannot say it."""
    pairs = [Pair("a", "b", Rule.URL, float("nan")), Pair("a", "b", Rule.URL, 1.0)]
    assert run_all(load_spooled(run_all(dump_spooled(Spooled(pairs=pairs))))).pairs == pairs[1:]


@pytest.mark.parametrize(
    "row",
    [
        (article(title="lone \ud800"), NOON),
        (article(), NOON.replace(tzinfo=None)),
    ],
)
def test_a_row_that_cannot_be_kept_is_refused(row):
    """The caller finds it by halving."""
    with pytest.raises(PoisonedBatchError):
        run_all(dump_spooled(Spooled([row])))


WHOLE = orjson.loads(run_all(dump_spooled(Spooled([(article(), NOON)], (), [search_record()]))))
FOREIGN = {
    "nothing": b"",
    "no object": b"[]",
    "cut": orjson.dumps(WHOLE)[:-1],
    "another format": orjson.dumps(WHOLE | {"format": 2}),
    "a member is missing": orjson.dumps({"format": 1}),
    "no time": orjson.dumps(WHOLE | {"rows": [[WHOLE["rows"][0][0], "noon"]]}),
    "a time without offset": orjson.dumps(
        WHOLE | {"rows": [[WHOLE["rows"][0][0], "2026-03-14T12:00:00"]]}
    ),
    "another type": orjson.dumps(
        WHOLE | {"rows": [[WHOLE["rows"][0][0] | {"title": 7}, WHOLE["rows"][0][1]]]}
    ),
    "an unknown rule": orjson.dumps(WHOLE | {"pairs": [["a", "b", "guess", 1.0]]}),
    "a short search": orjson.dumps(WHOLE | {"searches": [["q"]]}),
}


@pytest.mark.parametrize("data", FOREIGN.values(), ids=FOREIGN.keys())
def test_foreign_bytes_are_refused(data):
    """The message quotes nothing of them."""
    with pytest.raises(ValueError, match=r"^(not JSON|not format 1|not an entry of the spool)"):
        run_all(load_spooled(data))


@given(st.lists(st.integers(0, 200_000), max_size=30), st.integers(0, 300))
def test_a_piece_is_bounded_by_rows_and_bytes(sizes, small):
    """Pieces take all rows in their order; a piece above the bound is one article."""
    rows = [(article(str(number), content="x" * size), NOON) for number, size in enumerate(sizes)]
    rows += [(article(f"small {number}"), NOON) for number in range(small)]
    batch, pieces = ArchiveBatch(list(rows)), []
    while batch.rows:
        number = batch.count_piece()
        pieces.append(batch.rows[:number])
        del batch.rows[:number]
    assert [row for piece in pieces for row in piece] == rows
    for piece in pieces:
        assert 1 <= len(piece) <= BATCH_ROWS
        assert len(piece) == 1 or articles_bytes([each for each, _ in piece]) <= BATCH_BYTES
    assert evolve(batch).count_piece() == 0

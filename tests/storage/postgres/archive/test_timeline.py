"""Timelines: bars without gaps, on a real PostgreSQL and from the pure function that makes them."""

from datetime import UTC, datetime, timedelta

import pytest

from newsintel.domain.archive.model import ArchiveQuery, Bar, Bucket, Condition, Field
from newsintel.errors import InvalidParameterError
from newsintel.storage.postgres.archive import timeline_counts
from newsintel.storage.postgres.archive.search import PostgresSearch
from newsintel.storage.postgres.archive.tags import compute_slot, cover_slots
from newsintel.storage.postgres.archive.timeline import MOST_BARS, build_bars
from tests.storage.support import NOON, article

CAT = ((Condition(Field.ANY, "cat"),),)
MIDNIGHT = NOON.replace(hour=0)
SUNDAY = datetime(2026, 11, 22, 23, 59, tzinfo=UTC)


@pytest.fixture
async def search(postgres, archive):
    """Search over a few articles with different dates; three are about cats."""
    times = {
        "a": NOON,
        "b": NOON + timedelta(minutes=59),
        "c": SUNDAY,
        "dog": NOON - timedelta(days=30),
    }
    articles = [
        article(name, title="Dog" if name == "dog" else "Cat", published_at=when)
        for name, when in times.items()
    ]
    await archive.save_articles([(one, NOON + timedelta(days=1)) for one in articles], [])
    return PostgresSearch(postgres)


@pytest.mark.parametrize(
    ("bucket", "expected"),
    [
        (
            Bucket.WEEK,
            [(datetime(2026, 11, 16, tzinfo=UTC), 1), (datetime(2026, 11, 23, tzinfo=UTC), 2)],
        ),
        (Bucket.DAY, [(MIDNIGHT - timedelta(days=1), 1), (MIDNIGHT, 2)]),
        (
            Bucket.HOUR,
            [
                (MIDNIGHT + timedelta(hours=hour), {-1: 1, 12: 2}.get(hour, 0))
                for hour in range(-1, 13)
            ],
        ),
    ],
)
async def test_bars_cover_first_to_last_match_without_gaps(search, bucket, expected):
    """Hours, days and weeks are in UTC; a week starts on Monday."""
    assert await search.count_timeline(ArchiveQuery(CAT), bucket) == tuple(
        Bar(start, count) for start, count in expected
    )


async def test_bounds_of_the_query_set_the_ends(search):
    """The bars cover the bounds even without a match there, with words and without."""
    dates = {"start": NOON - timedelta(days=31), "end": NOON + timedelta(days=2)}
    counts = {
        one.start: one.count
        for one in await search.count_timeline(ArchiveQuery(CAT, **dates), Bucket.DAY)
    }
    assert (len(counts), min(counts), max(counts)) == (
        34,
        MIDNIGHT - timedelta(days=31),
        MIDNIGHT + timedelta(days=2),
    )
    assert {start: count for start, count in counts.items() if count} == {
        MIDNIGHT: 2,
        MIDNIGHT - timedelta(days=1): 1,
    }
    everything = await search.count_timeline(ArchiveQuery(**dates), Bucket.DAY)
    assert sum(one.count for one in everything) == 4


@pytest.mark.parametrize(
    "start",
    [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(1970, 1, 1, tzinfo=UTC),
        NOON,
        NOON + timedelta(days=9_000),
    ],
)
@pytest.mark.parametrize(
    "end", [None, datetime(9999, 12, 31, tzinfo=UTC), NOON, datetime(1, 1, 2, tzinfo=UTC)]
)
async def test_requested_slices_stay_within_the_archive(search, monkeypatch, start, end):
    """The years 1 to 9999 would need 57,000 tags of slices, each a lookup in the index."""
    asked = []
    monkeypatch.setattr(
        timeline_counts,
        "cover_slots",
        lambda low, high: asked.extend(found := [*cover_slots(low, high)]) or found,
    )
    try:
        await search.count_timeline(ArchiveQuery(CAT, start=start, end=end), Bucket.WEEK)
    except InvalidParameterError as refusal:
        assert refusal.code == "too_many_buckets"
    assert len(asked) <= len(
        [
            *cover_slots(
                compute_slot(NOON - timedelta(days=30)), compute_slot(NOON + timedelta(hours=1)) + 1
            )
        ]
    )


async def test_without_a_match_bars_need_both_bounds(search):
    """With both bounds all bars are empty; otherwise there is no bar."""
    nothing = ((Condition(Field.ANY, "nothing"),),)
    assert await search.count_timeline(ArchiveQuery(nothing), Bucket.DAY) == ()
    assert await search.count_timeline(ArchiveQuery(nothing, start=NOON), Bucket.DAY) == ()
    assert await search.count_timeline(ArchiveQuery(nothing, start=NOON, end=NOON), Bucket.DAY) == (
        Bar(MIDNIGHT, 0),
    )


async def test_too_many_bars_of_dates_or_matches_are_refused(search, archive):
    """If the dates alone make too many, the archive is not queried."""
    far = article("far", title="Cat", published_at=NOON - timedelta(days=1_000))
    await archive.save_articles([(far, NOON)], [])
    for query in (ArchiveQuery(CAT), ArchiveQuery(start=NOON - timedelta(days=1_000), end=NOON)):
        with pytest.raises(InvalidParameterError) as refusal:
            await search.count_timeline(query, Bucket.DAY)
        assert refusal.value.field == "bucket"
    assert len(await search.count_timeline(ArchiveQuery(CAT), Bucket.WEEK)) == 144


async def test_too_many_bars_with_a_match_are_refused(search, archive):
    """The query fails as soon as the bars are counted."""
    many = [
        article(f"m{number}", title="Cat", published_at=NOON - timedelta(hours=number))
        for number in range(MOST_BARS + 5)
    ]
    await archive.save_articles([(one, NOON) for one in many], [])
    with pytest.raises(InvalidParameterError, match="1,000"):
        await search.count_timeline(ArchiveQuery(CAT), Bucket.HOUR)


def test_limit_is_a_thousand_bars():
    """The limit itself is allowed."""
    assert (
        len(build_bars({}, NOON, NOON + timedelta(hours=MOST_BARS - 1), Bucket.HOUR)) == MOST_BARS
    )
    with pytest.raises(InvalidParameterError):
        build_bars({}, NOON, NOON + timedelta(hours=MOST_BARS), Bucket.HOUR)


def test_end_before_start_has_no_bars():
    """The number of bars never becomes negative."""
    assert build_bars({}, NOON, NOON - timedelta(days=1), Bucket.DAY) == ()

"""Slices of time: Python and PostgreSQL number them the same way, and a cover is exact."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from newsintel.storage.postgres.archive.tags import LEVELS, SLOT_S, TAGS, compute_slot, cover_slots
from tests.storage.support import NOON, article

SLOTS = st.integers(-1_400_000, 680_000)  # 1500 to 2200


@given(SLOTS, st.integers(0, 20_000))
def test_cover_names_each_slot_once_with_few_tags(low, length):
    """Holds for any ends, also before 1970."""
    covered = []
    names = list(cover_slots(low, low + length))
    for name in names:
        level, _, number = name.partition("t")
        covered += range(int(number) << int(level), (int(number) + 1) << int(level))
    assert covered == list(range(low, low + length))
    assert len(names) <= 14 * len(LEVELS) + length // (1 << LEVELS[-1])


async def test_postgresql_and_python_number_slices_the_same_way(archive, postgres):
    """The times are at the edges of a slot, before and after 1970."""
    edges = [
        datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=SLOT_S * number)
        for number in (-400_000, -513, -1, 0, 1, 512, 160_000)
    ]
    times = [edge + timedelta(microseconds=shift) for edge in edges for shift in (-1, 0, 1)]
    await archive.save_articles(
        [(article(str(number), published_at=when), NOON) for number, when in enumerate(times)], []
    )

    async def tagged(connection):
        return await connection.fetch(f"SELECT published_at, {TAGS} FROM articles")  # noqa: S608

    for when, tags in await postgres.run(tagged):
        assert tags == [
            "sguardian",
            "pthe guardian",
            *(f"{level}t{compute_slot(when) >> level}" for level in LEVELS),
        ]

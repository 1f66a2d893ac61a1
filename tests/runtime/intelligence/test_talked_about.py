"""What many people talk about: cached for a minute, but only for seconds while it is empty."""

import pytest
import trio

from newsintel.domain.archive.model import Hit
from newsintel.domain.intelligence.search_counts import Trend, TrendWindow
from newsintel.errors import UnavailableError
from newsintel.runtime.intelligence.talked_about import EMPTY_S, LIST_KEEP_S, TalkedAbout
from tests.fakes.basics import MemorySearch
from tests.fakes.likeness import MemoryLikeness
from tests.fakes.searches import MemoryTrending
from tests.make import NOON, article

STORY = article("flood", title="Flood in the valley")


class Covered:
    """The part of `Reading` that is asked here."""

    def __init__(self):
        self.found = []

    async def list_most_covered(self, limit):
        await trio.lowlevel.checkpoint()
        return self.found[:limit]


@pytest.fixture
def parts():
    """A service that has just started, with nothing archived, counted or searched for."""
    return {
        "trending": MemoryTrending(),
        "archive": MemorySearch(),
        "reading": Covered(),
        "likeness": MemoryLikeness(),
        "floor": 3,
    }


async def test_an_empty_list_is_kept_for_seconds(parts, autojump_clock):
    """A list with an entry is then kept for a minute, even if the trends change."""
    talked = TalkedAbout(**parts)
    assert await talked.get_list() == []
    parts["trending"].lists[TrendWindow.DAY] = [Trend("flood", 5, 0.0, 5.0)]
    parts["archive"].hits = (Hit(STORY, NOON, NOON),)
    await trio.sleep(EMPTY_S - 0.1)
    assert await talked.get_list() == []
    await trio.sleep(0.1)
    found = await talked.get_list()
    assert [one.article_id for one in found] == [STORY.id]
    parts["trending"].lists.clear()
    await trio.sleep(LIST_KEEP_S - 0.1)
    assert await talked.get_list() == found
    await trio.sleep(0.1)
    assert await talked.get_list() == []


async def test_a_list_without_known_terms_is_kept_for_seconds(parts, autojump_clock):
    """This happens while the words of the first articles are being counted.

    An article without terms matches no interest.
    """
    parts["reading"].found = [(STORY.id, STORY.title, 2)]
    uncounted = parts["likeness"].find_key_terms

    async def none(texts, each):
        await trio.lowlevel.checkpoint()
        return [{} for _ in texts]

    parts["likeness"].find_key_terms = none
    talked = TalkedAbout(**parts)
    assert [one.terms for one in await talked.get_list()] == [frozenset()]
    parts["likeness"].find_key_terms = uncounted
    await trio.sleep(EMPTY_S)
    assert [one.terms for one in await talked.get_list()] == [frozenset({"flood", "valley"})]


async def test_a_failure_is_not_kept(parts, autojump_clock):
    """The next call asks the stores again at once."""
    parts["trending"].away = True
    talked = TalkedAbout(**parts)
    with pytest.raises(UnavailableError):
        await talked.get_list()
    parts["trending"].away = False
    assert await talked.get_list() == []


@pytest.mark.parametrize("error", [None, UnavailableError("away")], ids=["made", "away"])
async def test_concurrent_callers_share_one_computation(parts, autojump_clock, error):
    """They also learn of an outage at the same moment, not one after the other."""
    asked, found, top = [], [], parts["trending"].list_top

    async def slow(*args):
        asked.append(trio.current_time())
        await trio.sleep(1)
        if error is not None:
            raise error
        return await top(*args)

    parts["trending"].list_top = slow
    talked = TalkedAbout(**parts)

    async def ask():
        try:
            found.append(await talked.get_list())
        except UnavailableError as failure:
            found.append(str(failure))

    async with trio.open_nursery() as nursery:
        for _ in range(50):
            nursery.start_soon(ask)
    assert found == [[] if error is None else "away"] * 50
    assert (asked, trio.current_time()) == ([0], 1)

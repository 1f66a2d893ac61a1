"""What goes to the search history: one record per person, query and minute, without waiting."""

from datetime import timedelta

import pytest
import trio

from newsintel.config.values import Secret
from newsintel.domain.accounts.model import Access, Account, Caller
from newsintel.domain.search.history import SearchSummary
from newsintel.runtime.personal import recording as module
from newsintel.runtime.personal.recording import Recording
from tests.fakes.basics import Counts
from tests.make import NOON

SECOND = timedelta(seconds=1)
ANYBODY = Caller("ab" * 16)
ALICE = Caller("u_alice", Account(7, "u_alice", "alice", "dev", NOON, NOON), Access.SESSION)


class Offers:
    """A recording and the inbox that it fills."""

    def __init__(self, room=100, key="A" * 43):
        self.counts = Counts()
        self.send, self.inbox = trio.open_memory_channel(room)
        self.recording = Recording(self.send, [Secret(key)], self.counts)

    def offer(self, caller=ANYBODY, key="k", now=NOON):
        """Offer a search; return whether it reached the inbox."""
        before = self.send.statistics().current_buffer_used
        self.recording.offer(caller, SearchSummary("Flood", key, 3, "flood", ("a_1",)), now)
        return self.send.statistics().current_buffer_used > before


async def test_a_record_has_every_field_of_the_search():
    """It has the account's internal id, or None for an anonymous caller."""
    offers = Offers()
    offers.offer()
    offers.offer(ALICE)
    nobody, hers = offers.inbox.receive_nowait(), offers.inbox.receive_nowait()
    assert (nobody.query, nobody.key, nobody.results_count, nobody.searched_at, nobody.user_id) == (
        "Flood",
        "k",
        3,
        NOON,
        None,
    )
    assert (nobody.form, nobody.articles, nobody.person) == ("flood", ("a_1",), ANYBODY.person)
    assert (hers.user_id, hers.person) == (7, "u_alice")


async def test_a_repeat_within_a_minute_is_not_recorded():
    """The minute starts at the recorded search; a repeat does not extend it."""
    offers = Offers()
    assert offers.offer()
    assert not offers.offer(now=NOON + 59 * SECOND)
    assert offers.offer(now=NOON + 60 * SECOND)
    assert not offers.offer(now=NOON + 61 * SECOND)


async def test_another_person_or_query_is_recorded_separately():
    """Each is a search of its own."""
    offers = Offers()
    assert offers.offer()
    assert offers.offer(ALICE)
    assert offers.offer(key="other")


async def test_a_search_is_recorded_after_the_clock_was_set_back():
    """Its time is before that of the search recorded earlier."""
    offers = Offers()
    assert offers.offer()
    assert offers.offer(now=NOON - timedelta(hours=1))


@pytest.mark.parametrize("closed", [False, True])
async def test_a_full_or_closed_inbox_is_counted(closed):
    """The offer never waits; a search that was not recorded is offered again at its next repeat."""
    offers = Offers(room=0)
    if closed:
        offers.inbox.close()
    offers.offer()
    offers.offer()
    assert offers.counts == {"refusals recorder": 2}


async def test_memory_of_recorded_searches_is_bounded(monkeypatch):
    """Over the limit the oldest are removed; those older than a minute are removed too."""
    monkeypatch.setattr(module, "MAX_REMEMBERED", 3)
    offers = Offers()
    for number in range(4):
        offers.offer(key=str(number))
    assert [key for _, key in offers.recording._offered] == ["1", "2", "3"]
    assert offers.offer(key="0")
    offers.offer(key="late", now=NOON + timedelta(hours=1))
    assert [key for _, key in offers.recording._offered] == ["late"]


async def test_repeat_keys_agree_between_processes_and_reveal_nothing():
    """They depend on the person, the query and the secret key.

    Neither person nor query can be read from them.
    """
    keys = []
    for offers in (Offers(), Offers(), Offers(key="B" * 42 + "A")):
        offers.offer(ALICE)
        offers.offer(ALICE, key="other")
        keys.append(
            [offers.inbox.receive_nowait().repeat_key, offers.inbox.receive_nowait().repeat_key]
        )
    assert keys[0] == keys[1]
    assert len({*keys[0], *keys[2]}) == 4
    assert all(len(key) == 32 and int(key, 16) >= 0 for key in keys[0])

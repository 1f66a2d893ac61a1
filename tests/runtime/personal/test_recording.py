"""What is offered to the history: one search for each person and query in a minute, and never a wait."""

from datetime import timedelta

import pytest
import trio

from newsintel.config.values import Secret
from newsintel.domain.accounts.model import Access, Account, Caller
from newsintel.domain.search.history import Searched
from newsintel.runtime.personal import recording as module
from newsintel.runtime.personal.recording import Recording
from tests.fakes.basics import Counts
from tests.make import NOON

SECOND = timedelta(seconds=1)
ANYBODY = Caller("ab" * 16)
ALICE = Caller("u_alice", Account(7, "u_alice", "alice", "dev", NOON, NOON), Access.SESSION)


class Offers:
    """A recording, and what came out at its other end."""

    def __init__(self, room=100, key="A" * 43):
        self.counts = Counts()
        self.send, self.inbox = trio.open_memory_channel(room)
        self.recording = Recording(self.send, [Secret(key)], self.counts)

    def offer(self, caller=ANYBODY, key="k", now=NOON):
        """Offer a search; True if it went on its way."""
        before = self.send.statistics().current_buffer_used
        self.recording.offer(caller, Searched("Flood", key, 3, "flood", ("a_1",)), now)
        return self.send.statistics().current_buffer_used > before


async def test_a_search_arrives_whole():
    """With the account's inner id if there is one, with nobody's otherwise."""
    offers = Offers()
    offers.offer()
    offers.offer(ALICE)
    nobody, hers = offers.inbox.receive_nowait(), offers.inbox.receive_nowait()
    assert (nobody.query, nobody.key, nobody.results_count, nobody.searched_at, nobody.user_id) == ("Flood", "k", 3, NOON, None)
    assert (nobody.form, nobody.articles, nobody.person) == ("flood", ("a_1",), ANYBODY.person)
    assert (hers.user_id, hers.person) == (7, "u_alice")


async def test_a_repetition_within_a_minute_goes_nowhere():
    """The minute counts from the search that was recorded; a further one does not prolong it."""
    offers = Offers()
    assert offers.offer()
    assert not offers.offer(now=NOON + 59 * SECOND)
    assert offers.offer(now=NOON + 60 * SECOND)
    assert not offers.offer(now=NOON + 61 * SECOND)


async def test_another_person_or_query_is_another_search():
    """Each is recorded for itself."""
    offers = Offers()
    assert offers.offer()
    assert offers.offer(ALICE)
    assert offers.offer(key="other")


async def test_a_clock_put_back_silences_nobody():
    """What seems to come before its first search is recorded."""
    offers = Offers()
    assert offers.offer()
    assert offers.offer(now=NOON - timedelta(hours=1))


@pytest.mark.parametrize("closed", [False, True])
async def test_a_full_or_closed_inbox_is_counted(closed):
    """Never waited for; a search that was not taken is offered again with its next repetition."""
    offers = Offers(room=0)
    if closed:
        offers.inbox.close()
    offers.offer()
    offers.offer()
    assert offers.counts == {"refusals recorder": 2}


async def test_memory_is_bounded(monkeypatch):
    """Past the bound the oldest are forgotten, and so are those whose minute is over."""
    monkeypatch.setattr(module, "MOST", 3)
    offers = Offers()
    for number in range(4):
        offers.offer(key=str(number))
    assert [key for _, key in offers.recording._offered] == ["1", "2", "3"]
    assert offers.offer(key="0")
    offers.offer(key="late", now=NOON + timedelta(hours=1))
    assert [key for _, key in offers.recording._offered] == ["late"]


async def test_repeat_keys_are_alike_among_processes_and_say_nothing():
    """The same for the same person and query under the same secret key, else another; neither person nor query is in it."""
    keys = []
    for offers in (Offers(), Offers(), Offers(key="B" * 42 + "A")):
        offers.offer(ALICE)
        offers.offer(ALICE, key="other")
        keys.append([offers.inbox.receive_nowait().repeat_key, offers.inbox.receive_nowait().repeat_key])
    assert keys[0] == keys[1]
    assert len({*keys[0], *keys[2]}) == 4
    assert all(len(key) == 32 and int(key, 16) >= 0 for key in keys[0])

"""Sessions, answers, claims and limits of two processes on one real Redis, against a model.

A state machine of Hypothesis chooses the steps: any order of calls at either process, calls that do
not reach Redis, calls whose reply is lost, values that belong to another key, and time that passes.
"""

from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from attrs import define, evolve
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from newsintel.config.values import Quota, Secret
from newsintel.domain.bounds.slices import run_all
from newsintel.domain.limits.leases import PARTS
from newsintel.domain.search.codec import dump_answer
from newsintel.domain.security.keys import digest_secret
from newsintel.errors import RateLimitedError, UnavailableError
from newsintel.runtime.limits.limiter import Limiter
from newsintel.storage.bridge import open_bridge
from newsintel.storage.redis.counters import RedisCounter
from newsintel.storage.redis.harvests import RedisCache
from newsintel.storage.redis.link import open_redis
from newsintel.storage.redis.sessions import SEEN_EVERY, RedisSessions
from tests.make import account_id
from tests.portal import Portal
from tests.storage.support import NOON, Tally, answer, run_command

IDLE, LONGEST = timedelta(hours=1), timedelta(days=1)
LIMIT = Quota(16, 60)
FAILED = object()
"""The result of a call that ended with UnavailableError."""

PROCESSES = st.sampled_from([0, 1])
USERS = st.sampled_from([account_id(1), account_id(2)])
KEYS = st.sampled_from(["a" * 32, "b" * 32])
PERSONS = st.sampled_from(["p", "q"])


@define(eq=False)
class FaultyLink:
    """A link to Redis that can fail: before a call arrives, or after it was carried out.

    Some calls of an operation are spared, so that one in its middle fails. It counts the calls that
    were carried out, and the replies.
    """

    link: object
    fault: str | None = None
    spared: int = 0
    done: int = 0
    replies: int = 0

    def __getattr__(self, name):
        """Everything else is the link's own."""
        return getattr(self.link, name)

    async def call(self, key, operation, *args):
        """Run an operation, unless the link fails."""
        return await self.disturb(self.link.call, key, operation, *args)

    async def each(self, commands, read):
        """Run commands, unless the link fails."""
        return await self.disturb(self.link.each, commands, read)

    async def disturb(self, run, *args):
        """Fail before or after a call."""
        fault = None if self.spared else self.fault
        self.spared = max(0, self.spared - 1)
        if fault == "refused":
            raise UnavailableError("refused")
        result = await run(*args)
        self.done += 1
        if fault == "lost":
            raise UnavailableError("the reply was lost")
        self.replies += 1
        return result

    def heal(self):
        """Fail no more, and count from 0."""
        self.fault, self.spared, self.done, self.replies = None, 0, 0, 0


@define(eq=False)
class Session:
    """What the model knows of a session. A foreign value under its key ends it when it is read."""

    user: str
    created: object
    seen: object
    foreign: bool = False


@asynccontextmanager
async def two_links(url):
    """Two links to one Redis, as two processes have them."""
    async with (
        open_bridge() as bridge,
        open_redis(bridge, Secret(url), None) as one,
        open_redis(bridge, Secret(url), None) as other,
    ):
        yield one, other


class SharedState(RuleBasedStateMachine):
    """Two processes, the model, and the steps."""

    ids = Bundle("ids")
    claims = Bundle("claims")
    permits = Bundle("permits")

    def __init__(self, portal):
        super().__init__()
        self.portal = portal
        self.at = NOON
        self.tally = Tally()
        self.links = [FaultyLink(one) for one in portal.resource]
        parts = {"count": self.tally, "now": lambda: self.at}
        self.sessions = [
            RedisSessions(link, idle_s=IDLE.total_seconds(), max_s=LONGEST.total_seconds(), **parts)
            for link in self.links
        ]
        self.caches = [RedisCache(link, keep_s=3900, count=self.tally) for link in self.links]
        self.limiters = [
            Limiter("p", LIMIT, RedisCounter(link), Tally(), lambda: self.at.timestamp())  # noqa: PLW0108 - `at` changes
            for link in self.links
        ]
        self.known, self.unseen = {}, []
        self.stored, self.locked = {}, {}
        self.number = self.mismatches = 0
        self.admitted, self.returned, self.disturbed = {}, {}, set()
        self.done = self.replies = 0

    @initialize()
    def empty(self):
        """Begin with an empty Redis."""
        self.command("FLUSHALL")

    def command(self, *words):
        """Run a command on Redis without the code under test."""

        async def run(link):
            await link.call("k", run_command, *words)

        self.portal.call(run, self.portal.resource[0])

    def attempt(self, process, function, *args):
        """Call a process; FAILED exactly if a call of its link fails. Then the link works again."""
        link = self.links[process]
        link.done = link.replies = 0
        try:
            result = self.portal.call(function, *args)
        except UnavailableError:
            assert link.fault
            result = FAILED
        self.done, self.replies = link.done, link.replies
        assert result is FAILED or self.done == self.replies
        link.heal()
        return result

    # Sessions

    def read(self, digest, *, is_deleted=True):
        """Return the live session that a read of Redis finds; a foreign value is deleted next."""
        session = self.known.get(digest)
        if session is not None and session.foreign:
            if is_deleted:
                del self.known[digest]
            self.mismatches += 1
            return None
        return session if session is not None and self.lives(session) else None

    def lives(self, session):
        """Whether neither of the two times is up."""
        return self.at - session.seen < IDLE and self.at - session.created < LONGEST

    @rule(target=ids, process=PROCESSES, user=USERS)
    def sign_in(self, process, user):
        """Only who gets the id can use it; the owner sees a session whose last reply was lost."""
        session_id = self.attempt(process, self.sessions[process].start, user, "a browser")
        session = Session(user, self.at, self.at)
        if session_id is FAILED:
            self.unseen += [session] if self.done == 2 else []
            return multiple()
        self.known[digest_secret(session_id)] = session
        return session_id

    @rule(process=PROCESSES, session_id=ids)
    def use(self, process, session_id):
        """It is the session of its own user or none, at both processes."""
        found = self.attempt(process, self.sessions[process].find, session_id)
        digest = digest_secret(session_id)
        if not self.replies:
            return
        session = self.read(digest, is_deleted=self.done == 2)
        if session is not None and self.at - session.seen >= SEEN_EVERY and self.done == 2:
            session.seen = self.at
        if found is not FAILED:
            assert (None if found is None else (found.person, found.digest)) == (
                None if session is None else (session.user, digest)
            )

    @rule(process=PROCESSES, session_id=ids, user=USERS)
    def end(self, process, session_id, user):
        """Only its owner ends it."""
        digest = digest_secret(session_id)
        ended = self.attempt(process, self.sessions[process].end_session, user, digest)
        if not self.replies:
            return
        session = self.read(digest, is_deleted=self.done == 2)
        owned = session is not None and session.user == user
        assert ended in (owned, FAILED)
        if owned and self.done == 2:
            del self.known[digest]

    @rule(process=PROCESSES, user=USERS)
    def end_all(self, process, user):
        """Also those whose id nobody got."""
        self.attempt(process, self.sessions[process].end_user_sessions, user)
        if self.done >= 2:
            self.known = {one: of for one, of in self.known.items() if of.user != user}
            self.unseen = [one for one in self.unseen if one.user != user]

    @rule(process=PROCESSES, user=USERS)
    def list_own(self, process, user):
        """The list has all live sessions of the user and no other."""
        # Which of several foreign values is deleted first is not known.
        self.links[process].spared = min(1, self.links[process].spared)
        listed = self.attempt(process, self.sessions[process].list_of_user, user)
        if listed is FAILED:
            return
        own = {one for one, session in list(self.known.items()) if session.user == user}
        live = {one for one in own if self.read(one) is not None}
        assert {one.person for one in listed} <= {user}
        assert live <= {one.digest for one in listed}
        assert len(listed) == len(live) + sum(
            one.user == user and self.lives(one) for one in self.unseen
        )

    @rule(mine=ids, other=ids)
    def replace_session(self, mine, other):
        """The value of another session is stored under the key of one, as a bug might do.

        Both live: a list of a person's sessions drops what has ended, and does not read it again.
        """
        mine, other = digest_secret(mine), digest_secret(other)
        source, target = self.known.get(other), self.known.get(mine)
        both = source is not None and target is not None and mine != other
        if both and not source.foreign and self.lives(source) and self.lives(target):
            self.command("COPY", f"session:{other}", f"session:{mine}", "REPLACE")
            self.known[mine].foreign = True

    # Answers and claims

    @rule(process=PROCESSES, key=KEYS, claim=st.none() | claims)
    def store(self, process, key, claim):
        """The newest answer is stored; a claim ends only by its own token."""
        self.number += 1
        plain = answer(key)
        fetched_at = NOON + timedelta(seconds=self.number)
        stored = evolve(plain, harvest=evolve(plain.harvest, fetched_at=fetched_at))
        token = claim[1] if claim and claim[0] == key else None
        self.attempt(process, self.caches[process].store, stored, token)
        if self.done:
            self.stored[key] = stored
            if token and self.locked.get(key) == token:
                del self.locked[key]

    @rule(target=claims, process=PROCESSES, key=KEYS)
    def claim(self, process, key):
        """One token holds a key; the claim returns what was stored last, or nothing."""
        self.number += 1
        token = f"token{self.number}"
        claimed = self.attempt(process, self.caches[process].claim, key, token, 600)
        if not self.done:
            return (key, token)
        free = key not in self.locked
        if free:
            self.locked[key] = token
        found = self.stored.get(key)
        if self.replies and isinstance(found, bytes):
            self.mismatches, found = self.mismatches + 1, None
            if self.done == 2:
                del self.stored[key]
        if claimed is not FAILED:
            assert (claimed.held, claimed.answer) == (free, found)
        return (key, token)

    @rule(process=PROCESSES, claim=consumes(claims))
    def release(self, process, claim):
        """A token that does not hold the key changes nothing."""
        key, token = claim
        self.attempt(process, self.caches[process].release_claim, key, token)
        if self.done and self.locked.get(key) == token:
            del self.locked[key]

    @rule(key=KEYS, value=st.sampled_from([b"", b"{", b"\xff", None]))
    def replace_answer(self, key, value):
        """Another key's answer, or no answer at all, is stored under a key."""
        self.stored[key] = run_all(dump_answer(answer("c" * 32))) if value is None else value
        self.command("SET", f"articles:{key}", self.stored[key])

    # Limits

    @property
    def window(self):
        """The number of the current window."""
        return int(self.at.timestamp() // LIMIT.window_s)

    @rule(target=permits, process=PROCESSES, person=PERSONS, times=st.integers(1, LIMIT.calls))
    def call(self, process, person, times):
        """It is refused only if the other process has at most a lease and returned calls."""
        spent, permits = (self.window, person), []
        if self.links[process].fault:
            self.disturbed.add(spent)
        for _ in range(times):
            try:
                lease = self.portal.call(self.limiters[process].take, person)
            except RateLimitedError:
                if spent not in self.disturbed:
                    used = self.admitted.get(spent, 0) + self.returned.get(spent, 0)
                    assert used >= LIMIT.calls - LIMIT.calls // PARTS
                break
            self.admitted[spent] = self.admitted.get(spent, 0) + 1
            permits.append((spent, lease))
        self.links[process].heal()
        return multiple(*permits)

    @rule(permit=consumes(permits))
    def give_back(self, permit):
        """A call that was not needed is free again, for this process and window."""
        spent, lease = permit
        lease.give_back()
        self.admitted[spent] -= 1
        self.returned[spent] = self.returned.get(spent, 0) + 1

    @invariant()
    def nobody_gets_more_than_the_limit(self):
        """Together; while Redis fails, in each process."""
        for spent, calls in self.admitted.items():
            assert calls <= LIMIT.calls * (2 if spent in self.disturbed else 1)

    # Faults and time

    @rule(process=PROCESSES, fault=st.sampled_from(["refused", "lost"]), spared=st.integers(0, 2))
    def break_link(self, process, fault, spared):
        """A call of the next operation of a process fails, if it makes so many."""
        self.links[process].fault, self.links[process].spared = fault, spared

    @rule(minutes=st.sampled_from([1, 1, 5, 59, 60, 12 * 60]))
    def wait(self, minutes):
        """Time passes in every process."""
        self.at += timedelta(minutes=minutes)

    @invariant()
    def foreign_values_are_counted(self):
        """Once each, when they are found and deleted."""
        assert self.tally.counts.get("cache_mismatches", 0) == self.mismatches


def run_machine(servers, **effort):
    """Run the machine on the test's Redis."""
    with Portal(lambda: two_links(servers.redis_url)) as portal:
        run_state_machine_as_test(
            lambda: SharedState(portal), settings=settings(deadline=None, **effort)
        )


@pytest.mark.slow
def test_two_processes_keep_to_the_model(servers):
    """Nobody gets another person's session or another key's answer; a claim has one holder."""
    run_machine(servers, max_examples=60, stateful_step_count=40)


@pytest.mark.slow
def test_two_processes_keep_to_the_model_for_long(servers):
    """The same with many more and longer runs."""
    run_machine(servers, max_examples=1_000, stateful_step_count=50)

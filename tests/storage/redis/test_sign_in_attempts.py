"""Started sign-ins in a real Redis: each is taken once, and lapses."""

import json

import pytest
import trio
from attrs import asdict

from newsintel.domain.accounts.sign_in import new_attempt
from newsintel.domain.security.keys import digest
from newsintel.storage.redis.sign_in_attempts import RedisAttempts

ATTEMPT = new_attempt("reddit", "c" * 43, "/me")


@pytest.fixture
def attempts(link, tally):
    """In an empty Redis."""
    return RedisAttempts(link, tally)


async def test_asvs_01_an_attempt_is_taken_once(attempts):
    """As it was kept; of twenty at the same moment one gets it."""
    await attempts.keep(ATTEMPT)
    taken = []

    async def take():
        taken.append(await attempts.take(ATTEMPT.state))

    async with trio.open_nursery() as nursery:
        for _ in range(15):
            nursery.start_soon(take)
    assert [attempt for attempt in taken if attempt] == [ATTEMPT]


async def test_asvs_01_it_lapses_after_ten_minutes_and_its_key_is_a_digest(attempts, redis):
    """So nobody finds a state in the names of keys."""
    await attempts.keep(ATTEMPT)
    assert await redis("KEYS", "*") == [f"sign-in:{digest(ATTEMPT.state)}".encode()]
    assert 595 <= await redis("TTL", f"sign-in:{digest(ATTEMPT.state)}") <= 600
    assert await attempts.take("x" * 43) is None


ODD = [json.dumps(asdict(ATTEMPT) | {"browser": None}).encode(), json.dumps(asdict(ATTEMPT) | {"next": ["/"]}).encode()]


@pytest.mark.parametrize("value", [b"junk", b"[]", b'{"provider": "reddit"}', b"null", b"[" * 100_000, *ODD])
async def test_what_is_no_attempt_is_none(attempts, redis, tally, value):
    """It is counted, and gone."""
    await redis("SET", f"sign-in:{digest(ATTEMPT.state)}", value)
    assert await attempts.take(ATTEMPT.state) is None
    assert tally.counts == {"cache_mismatches": 1}


async def test_fault_21_another_attempt_is_none(attempts, redis, tally):
    """The state is inside the value and compared."""
    other = new_attempt("reddit", "d" * 43, "/me")
    await attempts.keep(other)
    await redis("RENAME", f"sign-in:{digest(other.state)}", f"sign-in:{digest(ATTEMPT.state)}")
    assert await attempts.take(ATTEMPT.state) is None
    assert tally.counts == {"cache_mismatches": 1}

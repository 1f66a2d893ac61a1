"""Started sign-ins in a real Redis: each can be taken once, and expires."""

import json

import pytest
import trio
from attrs import asdict

from newsintel.domain.accounts.sign_in import create_attempt
from newsintel.domain.security.keys import digest_secret
from newsintel.storage.redis.sign_in_attempts import RedisAttempts

ATTEMPT = create_attempt("reddit", "c" * 43, "/me")


@pytest.fixture
def attempts(link, tally):
    """Attempts in an empty Redis."""
    return RedisAttempts(link, tally)


async def test_asvs_01_attempt_is_taken_once(attempts):
    """It is unchanged. One of fifteen concurrent calls gets it."""
    await attempts.store(ATTEMPT)
    taken = []

    async def take():
        taken.append(await attempts.take(ATTEMPT.state))

    async with trio.open_nursery() as nursery:
        for _ in range(15):
            nursery.start_soon(take)
    assert [attempt for attempt in taken if attempt] == [ATTEMPT]


async def test_asvs_01_attempt_expires_after_ten_minutes_under_a_digest(attempts, redis):
    """So the names of keys show no state."""
    await attempts.store(ATTEMPT)
    assert await redis("KEYS", "*") == [f"sign-in:{digest_secret(ATTEMPT.state)}".encode()]
    assert 595 <= await redis("TTL", f"sign-in:{digest_secret(ATTEMPT.state)}") <= 600
    assert await attempts.take("x" * 43) is None


ODD = [
    json.dumps(asdict(ATTEMPT) | {"browser": None}).encode(),
    json.dumps(asdict(ATTEMPT) | {"next": ["/"]}).encode(),
]


@pytest.mark.parametrize(
    "value", [b"junk", b"[]", b'{"provider": "reddit"}', b"null", b"[" * 100_000, *ODD]
)
async def test_invalid_value_is_no_attempt(attempts, redis, tally, value):
    """The value is counted and deleted."""
    await redis("SET", f"sign-in:{digest_secret(ATTEMPT.state)}", value)
    assert await attempts.take(ATTEMPT.state) is None
    assert tally.counts == {"cache_mismatches": 1}


async def test_fault_21_attempt_of_another_state_is_none(attempts, redis, tally):
    """The value contains its state, which is compared."""
    other = create_attempt("reddit", "d" * 43, "/me")
    await attempts.store(other)
    value = await redis("GET", f"sign-in:{digest_secret(other.state)}")
    await redis("SET", f"sign-in:{digest_secret(ATTEMPT.state)}", value)
    assert await attempts.take(ATTEMPT.state) is None
    assert tally.counts == {"cache_mismatches": 1}

"""Invented API keys on a real PostgreSQL.

Twelve connections of an attacker block no person with an account.
"""

import secrets
import time
from itertools import count as numbers

import pytest
import trio
from attrs import evolve

from newsintel.config.values import Quota
from newsintel.domain.accounts.model import Access, ApiKey
from newsintel.domain.security.keys import digest_secret
from newsintel.http.application import create_app
from newsintel.runtime.limits import lookups
from newsintel.runtime.limits.limiter import Limiter
from newsintel.runtime.limits.lookups import FAILURES, WINDOW_S
from newsintel.storage.postgres.accounts.accounts import PostgresAccounts
from newsintel.storage.postgres.accounts.api_keys import PostgresKeys
from tests.fakes.basics import MemoryCounter
from tests.http.world import NOW, World


class CountedAccounts(PostgresAccounts):
    """Counts the lookups."""

    asked = 0

    async def find_key_holder(self, digest, now):
        self.asked += 1
        return await super().find_key_holder(digest, now)


@pytest.mark.parametrize(
    "addresses",
    [["192.0.2.1"], [f"2001:db8:{number:x}::1" for number in range(5000)]],
    ids=["one", "thousands"],
)
async def test_every_request_of_an_account_is_served_during_an_attack(
    postgres, monkeypatch, addresses
):
    """Twelve tasks compete for a pool of four connections.

    An attacker's address is looked up FAILURES times in a window and then refused.
    """
    monkeypatch.setattr(lookups, "LONGEST_S", 30.0)  # a busy machine is not a store that is down
    accounts, key = CountedAccounts(postgres), f"ni_{secrets.token_urlsafe(32)}"
    alice = await accounts.sign_in("dev", "alice", "alice", NOW)
    await PostgresKeys(postgres).create(
        alice.id, ApiKey("", "a key", Access.READ, NOW, None, None), digest_secret(key), 1
    )
    world = World()
    world.requests = Limiter(
        "search", Quota(60, 3600), MemoryCounter(), world.metrics.count, time.time
    )
    services = world.services
    one_place = evolve(services.limits, lookups=lookups.LookUps(1, world.metrics.count))
    services = evolve(
        services, accounts=evolve(services.accounts, directory=accounts), limits=one_place
    )
    client, done, address, refused = (
        create_app(services).test_client(use_cookies=False),
        trio.Event(),
        numbers(),
        set(),
    )

    async def ask(key, address):
        return await client.get(
            "/me", headers={"Authorization": f"Bearer {key}"}, scope_base={"client": (address, 1)}
        )

    async def attack():
        while not done.is_set():
            response = await ask(
                f"ni_{secrets.token_urlsafe(32)}", addresses[next(address) % len(addresses)]
            )
            refused.add(response.status_code)

    began_s = trio.current_time()
    async with trio.open_nursery() as nursery:
        for _ in range(12):
            nursery.start_soon(attack)
        statuses = [(await ask(key, "198.51.100.1")).status_code for _ in range(30)]
        done.set()
    assert statuses == [200] * 30
    assert refused <= {401, 429}
    windows = trio.current_time() // WINDOW_S - began_s // WINDOW_S + 1  # each counts from 0
    if len(addresses) == 1:
        assert accounts.asked <= 30 + FAILURES * windows

"""Look-ups of invented keys and sessions: what they cost the stores and other callers."""

from functools import partial
from itertools import count as numbers

import pytest
import trio

from newsintel.config.values import Quota
from newsintel.domain.accounts.model import Access, Caller
from newsintel.errors import BusyError, RateLimitedError, UnavailableError
from newsintel.http.application import create_app
from newsintel.runtime.limits import lookups
from newsintel.runtime.limits.limiter import Limiter
from newsintel.runtime.limits.lookups import FAILED_S, FAILURES, WINDOW_S, LookUps
from tests.fakes.accounts import MemoryAccounts, MemorySessions, browser, program
from tests.fakes.basics import Counts, MemoryCounter
from tests.http.world import World, settings
from tests.samples import read_counter

SLOTS, TAKES_S = 10, 0.004
"""PostgreSQL's slots by default, and how long a look-up holds one."""
BAD = {"key": "Bearer ni_{:0>43}", "session": "newsintel_dev={:0>43}"}
made_up = numbers(10**6)


class SlottedAccounts(MemoryAccounts):
    """Accounts with the few slots of the PostgreSQL bridge: without a free slot a call is refused.

    It counts the calls.
    """

    def __init__(self):
        super().__init__()
        self.asked = self.running = self.most = 0

    async def _answer(self):
        self.asked += 1
        if self.running >= SLOTS:
            raise BusyError("all places are taken")
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await trio.sleep(TAKES_S)
            await super()._answer()
        finally:
            self.running -= 1


class CountedSessions(MemorySessions):
    """Sessions that count the calls."""

    asked = 0

    async def find(self, session_id):
        self.asked += 1
        await trio.sleep(TAKES_S)
        return await super().find(session_id)


def world_of(limit=60):
    """Return a world with a limit per person and stores that count the calls."""
    world = World(
        settings=settings(NEWSINTEL_DEV_SIGN_IN="1"),
        accounts=SlottedAccounts(),
        sessions=CountedSessions(),
    )
    world.requests = Limiter(
        "search", Quota(limit, 60), MemoryCounter(), world.metrics.count, trio.current_time
    )
    return world


async def get(client, path, headers, address):
    """Send one request from a client at this address."""
    return await client.get(path, headers=headers, scope_base={"client": (address, 1)})


def bad(kind):
    """Return a new invented credential as a header."""
    return {"Authorization" if kind == "key" else "Cookie": BAD[kind].format(next(made_up))}


async def attack(client, kind, addresses, done):
    """Play one connection of an attacker.

    It sends invented credentials one after the other, each from the next of its addresses.
    """
    address = numbers()
    while not done.is_set():
        await get(client, "/me", bad(kind), addresses[next(address) % len(addresses)])
        await trio.sleep(TAKES_S)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["key", "session"])
@pytest.mark.parametrize(
    ("addresses", "own", "known"),
    [
        (["192.0.2.1"], "198.51.100.1", False),
        (["192.0.2.1"], "192.0.2.1", True),
        ([f"2001:db8:{number:x}::1" for number in range(5000)], "198.51.100.1", False),
    ],
    ids=["one address", "the victim's own address", "thousands of addresses"],
)
async def test_attackers_with_invented_credentials_cost_other_callers_nothing(
    autojump_clock, kind, addresses, own, known
):
    """All 30 requests of a person with an account are served.

    An attacker with one address causes only a few look-ups.
    """
    world = world_of()
    victim = await program(world, access=Access.READ)
    world.accounts.asked = 0
    client, done, statuses = (
        create_app(world.services).test_client(use_cookies=False),
        trio.Event(),
        [],
    )
    if known:
        assert (await get(client, "/me", victim, own)).status_code == 200
    async with trio.open_nursery() as nursery:
        for _ in range(12):
            nursery.start_soon(attack, client, kind, addresses, done)
        await trio.sleep(0.2)
        for _ in range(30 - known):
            statuses.append((await get(client, "/me", victim, own)).status_code)
            await trio.sleep(0.01)
        done.set()
    assert statuses == [200] * (30 - known)
    assert world.accounts.most <= SLOTS // 2
    if len(addresses) == 1:
        assert world.accounts.asked + world.sessions.asked <= 30 + FAILURES


async def test_an_address_over_its_failures_is_not_looked_up(autojump_clock):
    """Public routes treat it as anonymous; routes that need an account are a 429.

    The next window starts at zero, and other addresses are not affected.
    """
    world = world_of(limit=1000)
    client = create_app(world.services).test_client(use_cookies=False)
    for _ in range(FAILURES):
        assert (await get(client, "/me", bad("key"), "192.0.2.1")).status_code == 401
    refused = await get(client, "/me", bad("session"), "192.0.2.1")
    assert (
        refused.status_code,
        (await refused.get_json())["code"],
        refused.headers["Retry-After"],
    ) == (429, "rate_limited", "60")
    assert (await get(client, "/sources", bad("key"), "192.0.2.1")).status_code == 200
    assert (await get(client, "/me", bad("key"), "192.0.2.2")).status_code == 401
    assert world.accounts.asked == FAILURES + 1
    assert world.sessions.asked == 0
    assert read_counter(world.metrics, "limited", policy="look_up") == 2
    await trio.sleep(WINDOW_S)
    assert (await get(client, "/me", bad("key"), "192.0.2.1")).status_code == 401


@pytest.mark.parametrize("kind", ["key", "session"])
async def test_an_address_over_its_rate_limit_may_fail_once(autojump_clock, kind):
    """The second invented credential is refused before the look-up.

    A person with an account behind the same address is still identified.
    """
    world = world_of(limit=3)
    alice = await program(world)
    client = create_app(world.services).test_client(use_cookies=False)
    assert [(await get(client, "/sources", {}, "192.0.2.1")).status_code for _ in range(4)] == [
        200,
        200,
        200,
        429,
    ]
    world.accounts.asked = 0
    assert (await get(client, "/me", alice, "192.0.2.1")).status_code == 200
    assert {(await get(client, "/me", bad(kind), "192.0.2.1")).status_code for _ in range(30)} == {
        429
    }
    assert world.accounts.asked + world.sessions.asked == 2


async def test_a_person_over_their_limit_is_refused_without_a_look_up(autojump_clock):
    """This holds for keys and sessions; the refusal shows the person's own limit."""
    for who in (program, browser):
        world = world_of(limit=3)
        headers = await who(world)
        client = create_app(world.services).test_client(use_cookies=False)
        assert [(await get(client, "/me", headers, "192.0.2.1")).status_code for _ in range(3)] == [
            200,
            200,
            200,
        ]
        asked = world.accounts.asked + world.sessions.asked
        refused = [await get(client, "/me", headers, "192.0.2.1") for _ in range(20)]
        assert {one.status_code for one in refused} == {429}
        assert refused[0].headers["RateLimit"].startswith('"search";r=0;')
        assert world.accounts.asked + world.sessions.asked == asked
        await trio.sleep(60)
        assert (await get(client, "/me", headers, "192.0.2.1")).status_code == 200


async def test_a_failed_look_up_counts_for_the_known_person(autojump_clock):
    """A person who keeps the stores busy is refused without a look-up.

    Others behind the same address are still served.
    """
    for who in (program, browser):
        world = world_of(limit=3)
        headers = await who(world)
        client = create_app(world.services).test_client(use_cookies=False)
        assert (await get(client, "/me", headers, "192.0.2.1")).status_code == 200
        world.accounts.running = SLOTS
        assert [(await get(client, "/me", headers, "192.0.2.1")).status_code for _ in range(3)] == [
            503,
            503,
            429,
        ]
        asked = world.accounts.asked
        assert {
            (await get(client, "/me", headers, "192.0.2.1")).status_code for _ in range(20)
        } == {429}
        assert world.accounts.asked == asked
        assert [(await get(client, "/auth", {}, "192.0.2.1")).status_code for _ in range(3)] == [
            200,
            200,
            200,
        ]


async def test_a_new_session_and_a_new_key_work_at_once(autojump_clock):
    """Others behind the same address have used up its failures."""
    world = world_of(limit=1000)
    client = create_app(world.services).test_client(use_cookies=False)
    same_site = {"Sec-Fetch-Site": "same-origin"}
    signed_in = await client.post("/auth/dev/login", json={"username": "alice"}, headers=same_site)
    cookie = {"Cookie": signed_in.headers["Set-Cookie"].partition(";")[0], **same_site}
    made = await client.post("/me/keys", json={"name": "a", "scope": "read"}, headers=cookie)
    key = {"Authorization": f"Bearer {(await made.get_json())['key']}"}
    for _ in range(FAILURES + 1):
        await client.get("/me", headers=bad("key"))
    assert [
        (await client.get("/me", headers=headers)).status_code
        for headers in (bad("key"), cookie, key)
    ] == [429, 200, 200]


class Store:
    """A store that knows some credentials."""

    def __init__(self, **found):
        self.found = found
        self.asked = []
        self.raises = None
        self.hangs = False

    def ask(self, credential):
        """Return the callable that `look_up` takes."""
        return partial(self._ask, credential)

    async def _ask(self, credential):
        self.asked.append(credential)
        await trio.lowlevel.checkpoint()
        if self.hangs:
            await trio.sleep_forever()
        if self.raises:
            raise self.raises
        return self.found.get(credential)


ALICE = Caller("u_alice")


async def test_an_invalid_credential_is_not_looked_up_again_for_a_while(autojump_clock):
    """The time is FAILED_S, ten minutes.

    A valid credential is looked up each time, because it may have ended.
    """
    memory, store = LookUps(3, Counts()), Store(good=ALICE)

    async def look_up(credential):
        return await memory.look_up(credential, "home", store.ask(credential))

    assert [
        await look_up("bad"),
        await look_up("bad"),
        await look_up("good"),
        await look_up("good"),
    ] == [None, None, ALICE, ALICE]
    assert store.asked == ["bad", "good", "good"]
    assert memory.get_known_person("good") == "u_alice"
    del store.found["good"]
    assert [await look_up("good"), await look_up("good")] == [None, None]
    assert memory.get_known_person("good") is None
    assert store.asked == ["bad", "good", "good", "good"]
    await trio.sleep(FAILED_S)
    await look_up("bad")
    assert store.asked[4:] == ["bad"]


async def test_concurrent_look_ups_are_charged_like_sequential_ones(autojump_clock):
    """Each is charged before the look-up.

    The charge is given back if the credential is valid or the store fails.
    """
    memory, store, refused = (
        LookUps(3, Counts()),
        Store(**{f"good {number}": ALICE for number in range(50)}),
        [],
    )

    async def look_up(credential):
        try:
            await memory.look_up(credential, "home", store.ask(credential))
        except RateLimitedError as error:
            refused.append(error.retry_after_s)

    async with trio.open_nursery() as nursery:
        for number in range(100):
            nursery.start_soon(look_up, f"bad {number}")
    assert (len(store.asked), refused) == (FAILURES, [WINDOW_S] * (100 - FAILURES))
    await trio.sleep(WINDOW_S)
    store.asked.clear()
    for number in range(50):
        await look_up(f"good {number}")
    store.raises = UnavailableError("away")
    for number in range(50):
        with pytest.raises(UnavailableError):
            await look_up(f"late {number}")
    store.raises = None
    await look_up("one more")
    assert len(store.asked) == 101


@pytest.fixture
def patience(monkeypatch):
    """Lower the time limit of a look-up to half a second."""
    monkeypatch.setattr(lookups, "LONGEST_S", 0.5)


async def test_a_store_that_hangs_counts_as_unavailable_and_holds_no_slot(autojump_clock, patience):
    """Callers that asked it, and callers that waited for a slot, fail after half a second."""
    memory, store, began = LookUps(2, Counts()), Store(), trio.current_time()
    store.hangs = True

    async def look_up(number):
        with pytest.raises(UnavailableError):
            await memory.look_up(f"{number}", f"home {number}", store.ask(f"{number}"))

    async with trio.open_nursery() as nursery:
        for number in range(7):
            nursery.start_soon(look_up, number)
    assert (trio.current_time() - began, len(store.asked)) == (pytest.approx(0.5), 2)
    store.hangs = False
    assert await memory.look_up("x", "home", store.ask("x")) is None


async def test_a_client_that_leaves_before_the_answer_is_charged(autojump_clock):
    """The store was asked anyway."""
    memory, store = LookUps(3, Counts()), Store()
    store.hangs = True
    for number in range(FAILURES):
        with trio.move_on_after(0.1):
            await memory.look_up(f"{number}", "home", store.ask(f"{number}"))
    with pytest.raises(RateLimitedError):
        await memory.look_up("x", "home", store.ask("x"))


async def test_memory_of_credentials_is_bounded(autojump_clock, monkeypatch):
    """The oldest is removed first; a known credential that is used again is the newest."""
    monkeypatch.setattr(lookups, "MAX_REMEMBERED", 3)
    memory, store = LookUps(3, Counts()), Store(**dict.fromkeys("abcd", ALICE))
    for credential in "abcad":
        await memory.look_up(credential, "home", store.ask(credential))
    assert [memory.get_known_person(credential) for credential in "abcd"] == [
        "u_alice",
        None,
        "u_alice",
        "u_alice",
    ]
    for number in range(9):
        await memory.look_up(f"bad {number}", f"home {number}", store.ask(f"bad {number}"))
    assert (len(memory._known), len(memory._failed), len(memory._charged)) == (3, 3, 3)

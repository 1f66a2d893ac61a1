"""Who sent a request: keys count before cookies, and an outage never signs a caller in."""

from datetime import timedelta
from ipaddress import ip_network

import pytest
from attrs import evolve

from newsintel.config.values import Secret
from newsintel.domain.accounts.model import Access, AnonymousReason
from newsintel.domain.accounts.persons import Persons
from newsintel.http.application import create_app
from newsintel.http.middleware.identify import Identify
from newsintel.runtime.asker import StoreUser, current_store_user
from tests.fakes.accounts import browser, program
from tests.http.world import NOW, World, settings
from tests.make import account_id


async def caller(world, headers=(), path="/articles", peer="203.0.113.9"):
    """Return the Caller that Identify leaves in the request's state."""
    seen = []

    async def app(scope, _receive, _send):
        seen.append(scope)

    lines = (
        [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
        if isinstance(headers, dict)
        else [*headers]
    )
    scope = {"type": "http", "client": (peer, 1234), "headers": lines, "state": {}, "path": path}
    await Identify(app, world.services)(scope, None, None)
    return seen[0]["state"]["caller"]


async def test_an_anonymous_caller_is_the_person_of_the_address():
    """Trusted proxies supply the address; scopes that are not HTTP pass unchanged."""
    world = World(settings=settings(NEWSINTEL_TRUSTED_PROXIES="10.0.0.0/8"))
    assert world.settings.trusted_proxies == (ip_network("10.0.0.0/8"),)
    found = await caller(world, {"X-Forwarded-For": "198.51.100.1"}, peer="10.0.0.1")
    assert found.person == Persons([Secret("A" * 43)]).derive_person("198.51.100.1", NOW)
    assert not found.signed_in
    seen = []

    async def app(scope, _receive, _send):
        seen.append(scope)

    await Identify(app, world.services)({"type": "lifespan"}, None, None)
    assert seen == [{"type": "lifespan"}]


async def test_a_session_and_a_key_identify_the_account():
    """The person is the account's public id, whatever the address."""
    world = World()
    by_cookie = await caller(world, await browser(world))
    by_key = await caller(world, await program(world, access=Access.READ), peer="198.51.100.7")
    assert by_cookie.account == by_key.account
    assert by_cookie.account.username == "alice"
    assert by_cookie.person == by_key.person == by_cookie.account.public_id
    assert (by_cookie.access, by_key.access) == (Access.SESSION, Access.READ)
    assert by_cookie.session in world.sessions.kept
    assert by_key.session is None


async def test_cookies_do_not_count_beside_a_bearer_key():
    """This holds for a good key and for a bad key."""
    world = World()
    cookie = await browser(world, "alice")
    assert (await caller(world, cookie | await program(world, "bob"))).account.username == "bob"
    wrong = await caller(world, cookie | {"Authorization": "Bearer ni_" + "x" * 43})
    assert (wrong.account, wrong.doubt) == (None, AnonymousReason.BAD_KEY)


@pytest.mark.parametrize(
    "shown",
    [
        "Bearer",
        "Bearer ",
        "bearer x",
        "BEARER\tni_" + "x" * 43,
        "Bearer ni_" + "x" * 43,
        "Bearer ni_" + "x" * 44,
        "Bearer é",
        "Bearer  x",
    ],
)
async def test_any_other_bearer_credential_is_a_bad_key(shown):
    """Malformed credentials are bad keys too; a cookie beside them does not count."""
    world = World()
    found = await caller(world, {"Authorization": shown} | await browser(world))
    assert (found.account, found.doubt) == (None, AnonymousReason.BAD_KEY)


@pytest.mark.parametrize(
    "shown",
    [
        "",
        " ",
        "Basic YTpi",
        "basic",
        "Digest username=a",
        "Negotiate x",
        "DPoP x",
        "é",
        "x",
        "Basic Bearer",
        "Bearerx y",
    ],
)
async def test_other_authorization_schemes_are_ignored(shown):
    """A reverse proxy may ask for its own password.

    The caller is then anonymous, or the owner of the session cookie.
    """
    world = World()
    alone = await caller(world, {"Authorization": shown})
    assert (alone.account, alone.doubt) == (None, None)
    with_cookie = await caller(world, {"Authorization": shown} | await browser(world))
    assert (with_cookie.account.username, with_cookie.access) == ("alice", Access.SESSION)


async def test_a_key_among_several_authorization_headers_is_a_bad_key():
    """It is not clear which header counts."""
    world = World()
    key = (await program(world))["Authorization"]
    for others in ([key], ["Basic YTpi"], ["Bearer x"]):
        lines = [(b"authorization", value.encode()) for value in (key, *others)]
        assert (await caller(world, lines)).doubt is AnonymousReason.BAD_KEY
    two = [(b"authorization", b"Basic YTpi"), (b"authorization", b"Digest x")]
    assert (await caller(world, two)).doubt is None


async def test_an_expired_key_is_a_bad_key():
    """A key is invalid from the exact moment at which it expires."""
    world = World()
    assert (
        await caller(world, await program(world, expires_at=NOW))
    ).doubt is AnonymousReason.BAD_KEY
    assert (
        await caller(world, await program(world, expires_at=NOW + timedelta(seconds=1)))
    ).signed_in


@pytest.mark.parametrize(
    "cookie",
    ["newsintel_dev=" + "x" * 43, "newsintel_dev=short", "newsintel_dev", "other=1", "=", ""],
)
async def test_a_cookie_without_a_session_is_anonymous(cookie):
    """Sessions expire, so such a cookie raises no doubt."""
    found = await caller(World(), {"Cookie": cookie})
    assert (found.account, found.doubt) == (None, None)


@pytest.mark.parametrize(
    "odd", ["\x85", "\xa0", "\x1f", "\x0b", "\x0c", "\u2000", "\ufeff", "\xad"]
)
async def test_a_cookie_of_another_name_is_ignored(odd):
    """A neighbouring host can set any cookie name without the prefix `__Host-`.

    A name that a browser treats as different must not count as ours.
    """
    world = World()
    ours = (await browser(world))["Cookie"]
    name, _, value = ours.partition("=")
    for text in (
        f"{odd}{ours}",
        f"a=b;{odd}{ours}",
        f"a=b; {odd} {ours}",
        f"{name}{odd}={value}",
        f"{ours}{odd}",
    ):
        for encoding in ("latin-1", "utf-8"):
            line = (b"cookie", text.encode(encoding, "replace"))
            assert not (await caller(world, [line])).signed_in, text
    assert (await caller(world, {"Cookie": f"a=b; \t {ours} \t;c"})).signed_in


async def test_two_session_cookies_are_ignored():
    """It is not clear which one counts."""
    world = World()
    one, other = await browser(world), await browser(world, "bob")
    assert not (await caller(world, {"Cookie": f"{one['Cookie']}; {other['Cookie']}"})).signed_in
    assert (await caller(world, {"Cookie": f"a=b; {one['Cookie']};c=d"})).signed_in


async def test_asvs_04_a_session_of_a_deleted_account_is_anonymous():
    """It does not matter who deleted the account."""
    world = World()
    headers = await browser(world)
    world.accounts.kept.clear()
    found = await caller(world, headers)
    assert (found.account, found.doubt) == (None, None)


async def test_asvs_04_a_session_survives_a_lost_database_for_its_own_account_only():
    """A database restored from an older backup gives the next account the number of a lost one."""
    world = World()
    lost = await browser(world)
    world.accounts.kept.clear()
    world.accounts.identities.clear()
    bob = await browser(world, "bob")
    account = world.accounts.kept[1] = evolve(world.accounts.kept[1], public_id=account_id(99))
    assert (await caller(world, lost)).account is None
    assert (await caller(world, bob)).account is None  # its account has another public id now
    session_id = await world.sessions.start(account.public_id, "a browser")
    found = await caller(world, {"Cookie": f"newsintel_dev={session_id}"})
    assert found.account == account


@pytest.mark.parametrize("store", ["accounts", "sessions"])
async def test_asvs_24_a_store_outage_leaves_the_caller_unknown(store):
    """No caller is signed in without a check."""
    world = World()
    headers = await browser(world)
    getattr(world, store).away = True
    found = await caller(world, headers)
    assert (found.account, found.doubt) == (None, AnonymousReason.UNKNOWN)


async def test_a_store_that_hangs_counts_as_unavailable(autojump_clock):
    """A frozen PostgreSQL must not block every request of signed-in callers."""
    world = World()
    headers = await program(world)
    world.accounts.hangs = True
    assert (await caller(world, headers)).doubt is AnonymousReason.UNKNOWN


@pytest.mark.parametrize("path", ["/health", "/health/ready", "/metrics"])
async def test_health_and_metrics_ask_no_store(path):
    """These routes work in any outage; the metrics have a token of their own."""
    world = World()
    headers = await program(world)
    world.accounts.away = True
    assert (await caller(world, headers, path)).doubt is None


async def test_stores_know_who_asks(monkeypatch):
    """The look-up of a caller is urgent; then the asker is that person."""
    world, asked = World(), {}
    mine = await browser(world)
    find, all_of = world.sessions.find, world.preferences.get_all

    def noting(name, ask):
        async def noted(*args):
            asked[name] = current_store_user()
            return await ask(*args)

        return noted

    monkeypatch.setattr(world.sessions, "find", noting("look-up", find))
    monkeypatch.setattr(world.preferences, "get_all", noting("route", all_of))
    client = create_app(world.services).test_client(use_cookies=False)
    assert (await client.get("/me/preferences", headers=mine)).status_code == 200
    [account] = world.accounts.kept.values()
    assert asked == {"look-up": StoreUser(urgent=True), "route": StoreUser(account.public_id)}

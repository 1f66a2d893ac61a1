"""Sign-in as users do it: the real service and the simulated Reddit, over HTTP.

No secret appears where it should not.
"""

import re
from functools import partial
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
import trio

from newsintel.demo.server import run_simulated_upstreams
from tests.outbound.oauth.foreign import go_through, mock_provider
from tests.service import newsintel, running
from tests.waiting import PATIENCE_S

PLANTED = {
    "SECRET_KEYS": "plantedSecretKeyAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "OIDC_CLIENT_SECRET": "planted-oidc-client-secret",
    "NEWSAPI_KEY": "planted-newsapi-key",
    "GUARDIAN_KEY": "planted-guardian-key",
    "DATABASE_PASSWORD": "planted-database-password",
}
"""Secret settings whose values must not appear. Reddit's secret is the simulation's own."""
FROM_REDDIT = ("demo-client-secret", "demo-token-", "demo-refresh-", "demo-code-")
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


class Person:
    """A person's browser. It keeps every response, except for the parts where a secret belongs."""

    def __init__(self, service, client):
        self.service = service
        self.client = client
        self.seen = []
        self.secrets = {}

    def ask(self, method, path, *, without=(), **options):
        """Send a request; `without` names headers that hand out a secret, or `body`."""
        response = self.client.request(
            method,
            self.service.url + path,
            headers=SAME_ORIGIN | options.pop("headers", {}),
            **options,
        )
        headers = [
            f"{name}: {value}"
            for name, value in response.headers.multi_items()
            if name not in without
        ]
        self.seen.append("\n".join([*headers, "" if "body" in without else response.text]))
        return response

    def go_to_reddit(self, decision="allow", username="alice"):
        """Start the sign-in and decide on Reddit's page; return path and query of the callback."""
        going = self.ask("GET", "/auth/reddit/login", without=("location", "set-cookie"))
        assert going.status_code == 303, going.text
        there = going.headers["location"]
        self.remember("state", dict(parse_qsl(urlsplit(there).query))["state"])
        self.remember("leaving", self.client.cookies["newsintel_leaving_dev"])
        back = urlsplit(
            self.client.post(there, data={"username": username, "decision": decision}).headers[
                "location"
            ]
        )
        return f"{back.path}?{back.query}"

    def sign_in(self, username="alice"):
        """Sign in completely."""
        back = self.ask("GET", self.go_to_reddit(username=username), without=("set-cookie",))
        assert (back.status_code, back.headers["location"]) == (303, "/me/page"), back.text
        self.remember("session", self.client.cookies["newsintel_dev"])

    def remember(self, kind, value):
        """Note a secret of this sign-in."""
        self.secrets[f"{kind} {len(self.secrets)}"] = value


async def in_service(tmp_path, tell, **settings):
    """Run `tell(person, simulated)` in a thread, with a service and simulated upstreams of its own.

    Return the service's log.
    """
    async with run_simulated_upstreams(seed=1) as simulated:
        told = {name.removeprefix("NEWSINTEL_"): value for name, value in simulated.environ.items()}
        return await trio.to_thread.run_sync(
            partial(_in_thread, tmp_path, tell, simulated, told | {"RATE_LIMIT": "off"} | settings)
        )


def _in_thread(tmp_path, tell, simulated, settings):
    with (
        running(tmp_path, "serve", **settings) as service,
        httpx.Client(trust_env=False, timeout=PATIENCE_S) as client,
    ):
        # The browser uses the host name of PUBLIC_URL.
        service.url = service.url.replace("127.0.0.1", "localhost")
        tell(Person(service, client), simulated)
        assert service.stop() == 0
        return service.log.read_text()


def everything(person, simulated):
    """Go through all of sign-in, keys and refusals, good and bad."""
    first = person.go_to_reddit()
    person.ask("GET", first, without=("set-cookie",))
    assert person.ask("GET", first).status_code == 400  # replayed
    assert (
        person.ask("GET", person.go_to_reddit("deny"), headers={"Accept": "text/html"}).status_code
        == 401
    )
    control = f"{simulated.control_url}/reddit_auth"
    for fault, status in (
        ("error_200", 400),
        ("no_token", 503),
        ("html", 503),
        ("429", 503),
        ("401", 503),
        ("500", 503),
    ):
        back = person.go_to_reddit()
        person.client.put(control, json={"fault": fault})
        assert person.ask("GET", back).status_code == status, fault
        person.client.put(control, json={"fault": "none"})
    person.sign_in()
    made = person.ask(
        "POST", "/me/keys", json={"name": "n", "scope": "write"}, without=("body",)
    ).json()
    person.remember("key", made["key"])
    bearer = {"Authorization": f"Bearer {made['key']}"}
    assert person.ask("GET", "/me/sessions", headers=bearer).status_code == 403
    assert person.ask("GET", "/me/keys").json()["keys"][0]["last_used_at"]
    assert person.ask("GET", f"/nowhere?key={made['key']}").status_code == 404
    assert (
        person.ask("GET", "/articles", headers=bearer, params={"q": "climate"}).status_code == 200
    )
    for wrong in ("Bearer planted-bearer", f"Bearer {made['key']}x"):
        assert person.ask("GET", "/sources", headers={"Authorization": wrong}).status_code == 401
    proxys = {"Authorization": "Basic cGxhbnRlZDpwYXNzd29yZA=="}
    assert person.ask("GET", "/sources", headers=proxys).status_code == 200
    assert person.ask("GET", "/me", headers=proxys).status_code == 200
    assert (
        person.ask(
            "POST", "/me/keys", json={}, headers={"Sec-Fetch-Site": "cross-site"}
        ).status_code
        == 403
    )
    broken = {
        "content": b'{"planted-in-a-body": "planted-value"',
        "headers": {"Content-Type": "application/json"},
    }
    assert person.ask("POST", "/me/keys", **broken).status_code == 400
    for path in (
        "/me",
        "/me/page",
        "/me/sessions",
        "/openapi.json",
        "/health/ready",
        "/auth",
        "/sources",
    ):
        assert person.ask("GET", path).status_code == 200, path
    assert person.ask("DELETE", "/me/sessions").status_code == 204
    assert person.ask("GET", "/me").status_code == 401


@pytest.mark.slow
async def test_fault_40_no_planted_secret_appears_in_log_or_answers(tmp_path):
    """Settings, tokens, codes, states, cookies, keys: never logged, returned once at most."""
    met = []

    def tell(person, simulated):
        everything(person, simulated)
        met.append(person)

    oidc = {"OIDC_ISSUER": "http://127.0.0.1:1", "OIDC_CLIENT_ID": "x"}
    log = await in_service(tmp_path, tell, LOG_LEVEL="debug", LOG_FORMAT="json", **PLANTED, **oidc)
    [person] = met
    secrets = person.secrets | PLANTED | dict(zip(FROM_REDDIT, FROM_REDDIT, strict=True))
    assert len(person.secrets) > 15
    answers = "\n".join(person.seen)
    for name, secret in secrets.items():
        assert secret not in log, f"{name} is in the log"
        assert secret not in answers, f"{name} is in an answer"
    for event in ("signed_in", "sign_in_failed", "provider_failed", "key_made"):
        assert event in log, event
    for planted in ("planted-bearer", "cGxhbnRlZDpwYXNzd29yZA", "planted-value"):
        assert planted not in log + answers


@pytest.mark.slow
async def test_fault_16_without_redis_search_goes_on_and_signing_in_waits(tmp_path):
    """Anonymous search answers; login, logout and sessions get 503 at once, never 401."""

    def tell(person, _simulated):
        assert person.ask("GET", "/articles", params={"q": "climate"}).status_code == 200
        person.client.cookies.set("newsintel_dev", "x" * 43, domain="localhost.local")
        cookie = {"Cookie": f"newsintel_dev={'x' * 43}"}
        assert (
            person.ask("GET", "/articles", params={"q": "energy"}, headers=cookie).status_code
            == 200
        )
        for method, path in (
            ("GET", "/auth/reddit/login"),
            ("POST", "/auth/logout"),
            ("GET", "/me"),
            ("GET", "/me/keys"),
        ):
            response = person.ask(method, path, headers=cookie)
            assert (response.status_code, response.json()["code"]) == (503, "not_ready"), path
            assert response.headers["retry-after"] == "1"

    await in_service(tmp_path, tell, REDIS_URL="redis://127.0.0.1:1")


@pytest.mark.slow
async def test_asvs_30_nothing_of_another_account_can_be_reached(tmp_path):
    """B asks for the ids of A's objects and gets 404; A still has them."""

    def tell(person, simulated):
        person.sign_in("alice")
        key = person.ask(
            "POST", "/me/keys", json={"name": "n", "scope": "read"}, without=("body",)
        ).json()["id"]
        [session] = person.ask("GET", "/me/sessions").json()["sessions"]
        with httpx.Client(trust_env=False, timeout=PATIENCE_S) as client:
            other = Person(person.service, client)
            other.sign_in("bob")
            for path in (f"/me/keys/{key}", f"/me/sessions/{session['id']}"):
                assert other.ask("DELETE", path).status_code == 404
            assert other.ask("GET", "/me").json()["username"] == "bob"
            assert other.ask("GET", "/me/keys").json()["keys"] == []
            assert len(other.ask("GET", "/me/sessions").json()["sessions"]) == 1
        assert [one["id"] for one in person.ask("GET", "/me/keys").json()["keys"]] == [key]
        assert simulated

    await in_service(tmp_path, tell)


def test_openid_connect_signs_in_and_makes_a_key(tmp_path):
    """Another project's provider, the real service and stores, a browser's requests."""
    alice = {
        "sub": "248289761001",
        "preferred_username": "alice",
        "email": "alice@example.org",
        "email_verified": True,
    }
    with mock_provider(alice) as issuer:
        oidc = {
            "OIDC_ISSUER": issuer,
            "OIDC_CLIENT_ID": "newsintel",
            "OIDC_CLIENT_SECRET": "planted-oidc-client-secret",
            "PRIVATE_ADDRESSES": "1",
        }
        with (
            running(tmp_path, "serve", **oidc) as service,
            httpx.Client(trust_env=False, timeout=20) as client,
        ):
            home = service.url.replace("127.0.0.1", "localhost")
            there = client.get(f"{home}/auth/oidc/login").headers["location"]
            back = client.get(go_through(there, f"{home}/auth/oidc/callback", sub=alice["sub"]))
            assert (back.status_code, back.headers["location"]) == (303, "/me/page"), back.text
            assert (
                'You are signed in as <strong id="username" dir="auto">alice</strong>'
                in client.get(f"{home}/me/page").text
            )
            made = client.post(
                f"{home}/me/keys", json={"name": "n", "scope": "read"}, headers=SAME_ORIGIN
            ).json()
            me = httpx.get(
                f"{home}/me", headers={"Authorization": f"Bearer {made['key']}"}, trust_env=False
            ).json()
            assert (me["username"], me["provider"]) == ("alice", issuer)


def test_dev_sign_in_is_refused_outside_loopback_and_in_production(tmp_path):
    """Exit code 2 with one line that names the setting; also in production."""
    for settings in ({"BIND": "0.0.0.0:0"}, {"ENV": "production"}):
        done = newsintel(tmp_path, "serve", DEV_SIGN_IN="1", **settings)
        assert (done.returncode, done.stdout) == (2, "")
        assert re.fullmatch(r"newsintel: NEWSINTEL_DEV_SIGN_IN .*\n", done.stderr)


def test_new_key_command_makes_a_valid_key(tmp_path):
    """Each call makes a different key, and SECRET_KEYS accepts it."""
    one, other = (
        newsintel(tmp_path, "new-key").stdout.strip(),
        newsintel(tmp_path, "new-key").stdout.strip(),
    )
    assert one != other
    done = newsintel(tmp_path, "config", SECRET_KEYS=f"{one},{other}")
    assert done.returncode == 0
    assert one not in done.stdout


@pytest.mark.slow
async def test_asvs_08_keys_are_rotated_without_anybody_signing_in_again(tmp_path):
    """Add a new key, run `rotate-keys`, remove the old key; a lost key gives one clear line."""
    old, new = "A" * 43, "B" * 43
    await in_service(tmp_path, lambda person, _: person.sign_in(), SECRET_KEYS=old)
    rotate = partial(newsintel, tmp_path, "rotate-keys")
    lost = await trio.to_thread.run_sync(partial(rotate, SECRET_KEYS=new))
    assert (lost.returncode, lost.stdout) == (1, "")
    assert "put that key back" in lost.stderr
    done = await trio.to_thread.run_sync(partial(rotate, SECRET_KEYS=f"{new},{old}"))
    none = "signing keys of 0 webhooks re-encrypted\n"
    assert (done.returncode, done.stdout) == (0, "tokens of 1 accounts re-encrypted\n" + none)
    again = await trio.to_thread.run_sync(partial(rotate, SECRET_KEYS=new))
    assert (again.returncode, again.stdout) == (0, "tokens of 0 accounts re-encrypted\n" + none)

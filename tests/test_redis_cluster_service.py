"""Services on a real Redis Cluster, as operators run them: over HTTP, with their own processes."""

import itertools
import threading
from contextlib import ExitStack, contextmanager

import httpx
import pytest

from tests.service import beside, running
from tests.storage.redis_clusters import PROGRAMS, call_redis_cli, has_programs, running_cluster
from tests.waiting import PATIENCE_S, wait_for

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
NOWHERE = "postgresql://newsintel@127.0.0.1:1/newsintel"
words = (f"climate OR {number}" for number in itertools.count())


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Simulated sources and a PostgreSQL; its own Redis is not used."""
    with running(tmp_path_factory.mktemp("demo"), "demo") as service:
        for source in ("newsapi", "guardian", "reddit"):
            service.behave(source, fault="none", latency_ms=0, jitter_ms=0)
        yield service


@pytest.fixture
def cluster(tmp_path):
    """Three servers."""
    if not has_programs():
        pytest.skip(f"no cluster without {' and '.join(PROGRAMS)} 7 or newer")
    with running_cluster(tmp_path / "cluster") as found:
        yield found


@contextmanager
def on_cluster(demo, cluster, **settings):
    """A `serve` whose Redis is named by one server of the cluster."""
    known = {"DEV_SIGN_IN": "1", "RATE_LIMIT": "off", "MISS_LIMIT": "off"} | settings
    with beside(demo, REDIS_URL=cluster.url, **known) as service:
        yield service


@pytest.fixture
def sign_in():
    """Signs a person in; returns the browser, whose cookie holds at every process."""
    with ExitStack() as open_browsers:

        def sign_in(service, name):
            browser = open_browsers.enter_context(
                httpx.Client(trust_env=False, timeout=PATIENCE_S, headers=SAME_ORIGIN)
            )
            url = f"{service.url}/auth/dev/login"
            browser.post(url, json={"username": name}).raise_for_status()
            return browser

        yield sign_in


def who(service, browser):
    """Whose session it is; None if the service cannot say at the moment."""
    answer = browser.get(f"{service.url}/me")
    assert answer.status_code in {200, 503}, answer.text
    return answer.json()["username"] if answer.status_code == 200 else None


def what(service, query):
    """How a search was answered; it always is."""
    return service.search(query).headers["cache-status"]


def checks(service):
    """What the service says about its stores."""
    return service.get("/health/ready").json()["checks"]


def test_two_services_share_answers_sessions_and_limits(demo, cluster, sign_in):
    """A search of one is a hit at the other, and a limit counts over both."""
    query = next(words)
    limited = {"RATE_LIMIT": "16/1h"}
    with (
        on_cluster(demo, cluster, **limited) as one,
        on_cluster(demo, cluster, **limited) as other,
    ):
        assert what(one, query) == "newsintel; fwd=miss"
        wait_for(lambda: keys(cluster, "articles:*"), "the answer in Redis")
        before = demo.calls()
        assert what(other, query).startswith("newsintel; hit")
        assert demo.calls() == before
        browser = sign_in(one, "alice")
        assert who(other, browser) == "alice"
        browser.post(f"{other.url}/auth/logout").raise_for_status()
        assert browser.get(f"{one.url}/me").status_code == 401
        codes = [service.get("/sources").status_code for _ in range(12) for service in (one, other)]
        assert 429 in codes
        assert codes.count(200) < 16
        assert checks(one) == checks(other)


def keys(cluster, pattern):
    """The names of keys on all servers."""
    return [key for node in cluster.nodes for key in node.run("KEYS", pattern)]


@pytest.mark.slow
def test_spool_of_one_service_is_drained_by_another(demo, cluster):
    """The first has no PostgreSQL and ends."""
    query = next(words)
    with on_cluster(demo, cluster, DATABASE_URL=NOWHERE, DEV_SIGN_IN="0") as cut_off:
        article = cut_off.search(query, limit=1).json()["articles"][0]["id"]
        wait_for(lambda: keys(cluster, "spool"), "the entry")
    with on_cluster(demo, cluster) as service:
        wait_for(lambda: not cluster.owner_of("spool").run("XLEN", "spool"), "an empty spool")
        assert service.get(f"/articles/{article}").json()["id"] == article


@pytest.mark.slow
def test_searches_and_sessions_go_on_while_slots_move(demo, cluster, sign_in):
    """All slots of a server leave it under load: no answer fails, and nobody is signed out."""
    stop, seen = threading.Event(), []
    with on_cluster(demo, cluster) as service:
        people = {name: sign_in(service, name) for name in ("ann", "bob", "cid", "dee")}

        def ask():
            while not stop.is_set():
                query = next(words)
                seen.append((what(service, query), what(service, query)))
                seen.extend((name, who(service, browser)) for name, browser in people.items())

        asking = threading.Thread(target=ask)
        asking.start()
        wait_for(lambda: len(seen) > 10, "the first answers")
        one, other, _ = cluster.nodes
        call_redis_cli(
            *("--cluster", "reshard", f"127.0.0.1:{one.port}", "--cluster-from", one.id),
            *("--cluster-to", other.id, "--cluster-slots", "5461", "--cluster-yes"),
        )
        count = len(seen)
        wait_for(lambda: len(seen) > count + 10 or not asking.is_alive(), "answers after the move")
        stop.set()
        asking.join()
        assert len(seen) > count + 10
        answers = {pair for pair in seen if pair[0] not in people}
        assert {first for first, _ in answers} == {"newsintel; fwd=miss"}
        assert all(second.startswith("newsintel; hit") for _, second in answers)
        assert {pair for pair in seen if pair[0] in people} == {(name, name) for name in people}
    assert "All 16384 slots covered" in cluster.check()


@pytest.mark.slow
def test_service_outlives_servers_that_end(demo, cluster, sign_in):
    """A replica takes over. Without one, only the sessions of that server are away."""
    dead = cluster.nodes[0]
    replica = cluster.add_replica(dead)
    with on_cluster(demo, cluster) as service:
        well = checks(service)
        people = {f"p{number}": sign_in(service, f"p{number}") for number in range(12)}

        def all_signed_in():
            return all(who(service, browser) == name for name, browser in people.items())

        assert all_signed_in()
        dead.wait_until_copied(replica)
        cluster.nodes.remove(dead)
        dead.kill()
        for _ in range(5):
            what(service, next(words))
        wait_for(all_signed_in, "every session, from the replica")
        wait_for(lambda: checks(service) == well, "the end of the outage")
        lost = cluster.nodes[0]
        lost.kill()
        for _ in range(20):
            what(service, next(words))
        known = [who(service, browser) for browser in people.values()]
        assert set(known) <= {*people, None}
        assert None in known
        assert any(known)
        wait_for(lambda: checks(service) != well, "the outage in the checks")
        lost.start()
        wait_for(lambda: checks(service) == well, "the end of the second outage")
        assert who(service, sign_in(service, "p99")) == "p99"

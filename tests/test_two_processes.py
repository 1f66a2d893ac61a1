"""Two services on the same PostgreSQL and Redis, as a balancer would ask them: one fan-out for both, one quota, one limit."""

import threading
import time

import httpx
import pytest
import redis

from newsintel.demo import guardian, newsapi, reddit_auth
from newsintel.demo.server import PREFIXES
from tests.service import running
from tests.waiting import PATIENCE_S, wait_for

CALLERS = 40
UNLIMITED = {"RATE_LIMIT": "off", "MISS_LIMIT": "off"}


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A demo, whose servers and simulated upstreams the second service uses too."""
    with running(tmp_path_factory.mktemp("two"), "demo", **UNLIMITED) as service:
        yield service


@pytest.fixture(scope="module")
def second(first):
    """A service of its own process on what the first one started."""
    root = first.control.removesuffix("/_control")
    settings = {f"{name.upper()}_URL": root + prefix for name, prefix in PREFIXES.items()}
    settings |= {"NEWSAPI_KEY": newsapi.KEY, "GUARDIAN_KEY": guardian.KEY, "GUARDIAN_PACE_S": "0", "REDDIT_PACE_S": "0"}
    settings |= {"REDDIT_CLIENT_ID": reddit_auth.CLIENT_ID, "REDDIT_CLIENT_SECRET": reddit_auth.CLIENT_SECRET}
    settings |= {"REDDIT_USER_AGENT": reddit_auth.USER_AGENT}
    settings |= {"DATA_DIR": str(first.data_home / "newsintel" / "demo")}
    with running(first.data_home, "serve", **settings, **UNLIMITED) as service:
        yield service


@pytest.fixture
def query(first):
    """Something that nobody has asked for, with every source well."""
    for source in ("newsapi", "guardian", "reddit"):
        first.behave(source, fault="none", latency_ms=200, jitter_ms=0)
    return f"climate OR {time.monotonic_ns()}"


def stampede(urls, query, number=CALLERS, **params):
    """Everybody asks the same at once, by turns of each service; their answers in any order."""
    answers = []
    begin = threading.Barrier(number)

    def ask(url):
        with httpx.Client(trust_env=False, timeout=PATIENCE_S) as client:
            begin.wait()
            answers.append(client.get(f"{url}/articles", params={"q": query, **params}))

    threads = [threading.Thread(target=ask, args=(urls[turn % len(urls)],)) for turn in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_equal_misses_of_both_are_one_fan_out(first, second, query):
    """Each source is called once, and every caller of either has the same bytes."""
    before = first.calls()
    answers = stampede([first.url, second.url], query)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert {source: calls - before[source] for source, calls in first.calls().items()} == dict.fromkeys(before, 1)


def test_a_leader_that_leaves_changes_nothing(first, second, query):
    """Whoever asked first hangs up; the fan-out goes on for the others, in both processes, and is not made again."""
    before = first.calls()
    with httpx.Client(trust_env=False, timeout=httpx.Timeout(PATIENCE_S, read=0.05)) as client, pytest.raises(httpx.ReadTimeout):
        client.get(f"{first.url}/articles", params={"q": query})
    answers = stampede([first.url, second.url], query, 10)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert {source: calls - before[source] for source, calls in first.calls().items()} == dict.fromkeys(before, 1)


def kept_answers(service):
    """The keys of the answers in Redis."""
    with redis.Redis(unix_socket_path=str(service.data_home / "newsintel" / "demo" / "redis.sock")) as client:
        return set(client.scan_iter("articles:*"))


def test_what_one_process_has_fetched_is_a_hit_of_the_other(first, second, query):
    """Out of Redis, with the merge that was stored: the same bytes and entity tag, and no source is asked."""
    answers = kept_answers(first)
    miss = first.search(query)
    before = first.calls()
    wait_for(lambda: kept_answers(first) - answers, "an answer in Redis")  # written behind the one to the caller
    hit = second.search(query)
    assert hit.headers["cache-status"].startswith("newsintel; hit; ttl=")
    assert (hit.content, hit.headers["etag"]) == (miss.content, miss.headers["etag"])
    assert first.calls() == before

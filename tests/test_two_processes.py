"""Two services on the same PostgreSQL and Redis, as behind a load balancer.

They share fan-outs and fetched answers.
"""

import threading
import time

import httpx
import pytest
import redis

from tests.service import beside, running
from tests.waiting import PATIENCE_S, wait_for

CALLERS = 40
UNLIMITED = {"RATE_LIMIT": "off", "MISS_LIMIT": "off"}


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A demo; the second service uses its servers and simulated upstreams too."""
    with running(tmp_path_factory.mktemp("two"), "demo", **UNLIMITED) as service:
        yield service


@pytest.fixture(scope="module")
def second(first):
    """A separate service process on the servers of the first."""
    with beside(first, **UNLIMITED) as service:
        yield service


@pytest.fixture
def query(first):
    """A query that no test has used, with every source healthy."""
    for source in ("newsapi", "guardian", "reddit"):
        first.behave(source, fault="none", latency_ms=200, jitter_ms=0)
    return f"climate OR {time.monotonic_ns()}"


def stampede(urls, query, number=CALLERS, **params):
    """Send the same query from many callers at once, alternating between the services.

    Return the answers in any order.
    """
    answers = []
    begin = threading.Barrier(number)

    def ask(url):
        with httpx.Client(trust_env=False, timeout=PATIENCE_S) as client:
            begin.wait()
            answers.append(client.get(f"{url}/articles", params={"q": query, **params}))

    threads = [
        threading.Thread(target=ask, args=(urls[turn % len(urls)],)) for turn in range(number)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_equal_misses_of_both_are_one_fan_out(first, second, query):
    """Each source is called once, and every caller of either service gets the same bytes."""
    before = first.calls()
    answers = stampede([first.url, second.url], query)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert {
        source: calls - before[source] for source, calls in first.calls().items()
    } == dict.fromkeys(before, 1)


def test_a_leader_that_leaves_changes_nothing(first, second, query):
    """The first caller hangs up; the fan-out continues for the others in both processes.

    No second fan-out starts.
    """
    before = first.calls()
    with (
        httpx.Client(trust_env=False, timeout=httpx.Timeout(PATIENCE_S, read=0.05)) as client,
        pytest.raises(httpx.ReadTimeout),
    ):
        client.get(f"{first.url}/articles", params={"q": query})
    answers = stampede([first.url, second.url], query, 10)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert {
        source: calls - before[source] for source, calls in first.calls().items()
    } == dict.fromkeys(before, 1)


def kept_answers(service):
    """The keys of the answers in Redis."""
    with redis.Redis(
        unix_socket_path=str(service.data_home / "newsintel" / "demo" / "redis.sock")
    ) as client:
        return set(client.scan_iter("articles:*"))


def test_what_one_process_has_fetched_is_a_hit_of_the_other(first, second, query):
    """Redis returns it with the stored merge: same bytes, same entity tag, no source is asked."""
    answers = kept_answers(first)
    miss = first.search(query)
    before = first.calls()
    # Written after the answer to the caller
    wait_for(lambda: kept_answers(first) - answers, "an answer in Redis")
    hit = second.search(query)
    assert hit.headers["cache-status"].startswith("newsintel; hit; ttl=")
    assert (hit.content, hit.headers["etag"]) == (miss.content, miss.headers["etag"])
    assert first.calls() == before

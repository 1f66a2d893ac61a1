"""One address and a source's small daily quota.

The tests ask two services on one Redis over HTTP; a demo simulates the upstreams.
"""

from itertools import cycle

import pytest

from tests.service import beside, running

QUOTA = {
    "NEWSAPI_QUOTA": "20/1d",
    "RATE_LIMIT": "off",
    "MISS_LIMIT": "off",
    "TRUSTED_PROXIES": "127.0.0.1",
}
"""Of the 20 calls, 15 are for anonymous callers.

One person may use 8 of them, and the next person 4 of the 7 that are left.
"""


@pytest.fixture(scope="module")
def upstreams(tmp_path_factory):
    """Run a demo for its simulated upstreams."""
    with running(tmp_path_factory.mktemp("shares"), "demo") as demo:
        yield demo


@pytest.fixture(scope="module")
def services(upstreams):
    """Run two services behind a proxy, with a small quota of NewsAPI."""
    with beside(upstreams, **QUOTA) as one, beside(upstreams, **QUOTA) as other:
        yield one, other


@pytest.mark.slow
def test_one_address_cannot_use_up_the_shared_quota(upstreams, services):
    """It gets about half, whichever service it asks.

    Its refusal is not served to another address and costs no call of another source.
    """
    turns = cycle(services)

    def search(q, address, service=None):
        url = (service or next(turns)).url
        response = services[0].client.get(
            f"{url}/articles", params={"q": q}, headers={"X-Forwarded-For": address}
        )
        assert response.status_code == 200
        return response

    def status(q, address, service=None):
        return search(q, address, service).json()["sources"]["newsapi"]["status"]

    greedy = [status(f"climate OR greedy{number}", "192.0.2.1") for number in range(20)]
    assert greedy == ["ok"] * 8 + ["quota_exhausted"] * 12
    asked = upstreams.calls()
    assert asked["newsapi"] == 8
    again = search("climate OR greedy19", "192.0.2.1")
    assert again.json()["sources"]["newsapi"]["retry_at"] > again.json()["fetched_at"]
    assert again.headers["Cache-Control"] == "private, no-cache"
    for service in services:
        assert status("climate OR greedy19", "192.0.2.2", service) == "ok"
    assert {name: calls - asked[name] for name, calls in upstreams.calls().items()} == {
        "newsapi": 1,
        "guardian": 0,
        "reddit": 0,
    }
    assert search("climate OR greedy19", "192.0.2.1").json()["complete"]
    others = [status(f"climate OR other{number}", "192.0.2.2") for number in range(5)]
    assert others == ["ok"] * 3 + ["quota_exhausted"] * 2
    assert status("climate OR third", "2001:db8::1") == "ok"
    assert upstreams.calls()["newsapi"] == 13

"""A newcomer without keys: `newsintel serve` on an empty folder has news from its first minute."""

import pytest
import trio

from newsintel.demo.server import run_simulated_upstreams
from tests.service import running
from tests.waiting import wait_for

KEYS = ("_KEY", "_CLIENT_ID", "_CLIENT_SECRET", "_USER_AGENT")
"""How the names of the settings end that a source cannot do without."""


@pytest.mark.slow
async def test_a_search_has_groups_of_feeds_and_says_what_every_source_did(tmp_path):
    """The feeds of several publishers, in four formats, group as everything does."""
    async with run_simulated_upstreams(seed=1) as simulated:
        given = {
            name.removeprefix("NEWSINTEL_"): value
            for name, value in simulated.environ.items()
            if not name.endswith(KEYS)
        }
        await trio.to_thread.run_sync(search_until_news, tmp_path, given)


def search_until_news(folder, given):
    """Serve, and search until there is news."""
    with running(
        folder, "serve", CACHE_PARTIAL_S="1", MISS_LIMIT="off", SOURCES="", **given
    ) as service:

        def search():
            response = service.get("/articles", q="council OR vaccine OR election OR energy")
            assert response.status_code in (200, 503), response.text  # 503 before the first feed
            body = response.json()
            return body if body["sources"]["feeds"]["status"] == "ok" else None

        body = wait_for(search, "news")
        keyed = ("newsapi", "guardian", "reddit")
        assert {body["sources"][name]["status"] for name in keyed} == {"disabled"}
        assert {"feeds", "gdelt"} <= {member["source"] for member in list_members(body)}
        assert "notice" not in body
        wait_for(lambda: count_answering(service) == 13, "every feed")
        assert service.get("/sources").json()["sources"]["feeds"]["state"] == "ready"
        assert len({one["publisher"] for one in archived(service)}) > 8


def list_members(body):
    """Every article of an answer, leaders and duplicates."""
    for leader in body["articles"]:
        yield from (leader, *leader["duplicates"])


def count_answering(service):
    """The number of feeds whose articles were counted as polled well."""
    lines = service.get("/metrics").text.splitlines()
    polled = [line for line in lines if line.startswith('newsintel_polled_feeds_total{status="ok"')]
    return sum(int(float(line.split()[-1])) for line in polled)


def archived(service):
    """Articles of feeds in the archive."""
    return service.get("/archive", sources="feeds", limit="100").json()["articles"]

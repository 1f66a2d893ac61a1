"""The demo forgets a person: no trace of their search stays in PostgreSQL, Redis or the log."""

import asyncio
from contextlib import closing

import asyncpg
import httpx
import pytest
import redis

from tests.service import running
from tests.storage.support import running_servers
from tests.waiting import PATIENCE_S, wait_for

TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
READ = {
    b"string": "GET",
    b"hash": "HGETALL",
    b"list": "LRANGE {} 0 -1",
    b"set": "SMEMBERS",
    b"zset": "ZRANGE {} 0 -1 WITHSCORES",
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A demo with the debug log."""
    with running(tmp_path_factory.mktemp("demo"), "demo", LOG_LEVEL="debug") as service:
        yield service


@pytest.fixture(scope="module")
def stores(demo):
    """The URLs of its servers."""
    with running_servers(demo.data_home / "newsintel" / "demo") as urls:
        yield urls


def signed_in(demo, name):
    """A browser in which a person is signed in."""
    browser = httpx.Client(
        base_url=demo.url,
        trust_env=False,
        timeout=PATIENCE_S,
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    browser.post("/auth/dev/login", json={"username": name}).raise_for_status()
    return browser


async def tables_with(url, word):
    """The tables that contain a word in any column of any row, as text or as bytes."""
    connection = await asyncpg.connect(url)
    try:
        names = [row["table_name"] for row in await connection.fetch(TABLES)]
        asked = 'SELECT 1 FROM "{}" AS row WHERE row::text ILIKE $1 OR row::text ILIKE $2 LIMIT 1'
        forms = (f"%{word}%", f"%{word.encode().hex()}%")
        return {name for name in names if await connection.fetch(asked.format(name), *forms)}
    finally:
        await connection.close()  # noqa: ASYNC102 - plain asyncio


def keys_with(url, word):
    """The prefixes of the Redis keys that contain a word in their name or value."""
    with redis.Redis.from_url(url) as client:
        found = set()
        for key in client.scan_iter(count=1000):
            if (kind := client.type(key)) == b"none":
                continue  # expired after the scan
            command = READ[kind]
            value = client.execute_command(
                *[
                    key if part == "{}" else part
                    for part in (command if "{}" in command else f"{command} {{}}").split()
                ]
            )
            if word.encode() in key + repr(value).encode():
                found.add(key.partition(b":")[0])
        return found


def places(stores, word):
    """Every table and every Redis prefix that contains a word."""
    return asyncio.run(tables_with(stores["postgres_url"], word)), keys_with(
        stores["redis_url"], word
    )


@pytest.mark.slow
@pytest.mark.parametrize(("path", "planted"), [("/me/history", "zyzzyva"), ("/me", "quagga")])
def test_a_deleted_search_leaves_no_trace(demo, stores, path, planted):
    """Before, each place that stores searches has the word, so the check can find it.

    After the deletion none has it, now and later.
    """
    everywhere, nowhere = (
        ({"search_history", "search_marks", "pair_marks", "search_answers"}, {b"articles"}),
        (set(), set()),
    )
    with closing(signed_in(demo, f"who planted {planted[::-1]}")) as alice:
        # It matches articles, so everything is stored that is stored of an answer
        for query in ("climate", f"climate OR {planted}"):
            assert alice.get("/articles", params={"q": query}).json()["articles"]
        wait_for(lambda: places(stores, planted) == everywhere, "a trace in each place")
        assert alice.delete(path).status_code == 204
    assert places(stores, planted) == nowhere
    # Recording follows the order of the searches
    with closing(signed_in(demo, f"who came after {planted[::-1]}")) as bob:
        assert bob.get("/articles", params={"q": f"election OR {planted[::-1]}"}).json()["articles"]
    wait_for(
        lambda: "search_marks" in places(stores, planted[::-1])[0], "a trace of a later search"
    )
    assert places(stores, planted) == nowhere
    assert places(stores, "climate")[0] == {"articles"}
    for log in (demo.log, *demo.data_home.rglob("*.log")):  # ours, PostgreSQL's and Redis's
        assert planted not in log.read_text()
    assert '"serving"' in demo.log.read_text()


async def made(url):
    """When the trends of the last hour were last counted."""
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval("SELECT at FROM trending_made WHERE span = '1h'")
    finally:
        await connection.close()  # noqa: ASYNC102 - plain asyncio


@pytest.mark.slow
def test_a_trend_ends_when_one_of_three_people_is_deleted(demo, stores):
    """Three people make a trend.

    After one is deleted, no answer or list has it, in Redis or not.
    """
    people = [signed_in(demo, f"person {number}") for number in range(3)]
    for browser in people:
        assert browser.get("/articles", params={"q": "Energy AND Prices"}).status_code == 200

    def trending():
        with redis.Redis.from_url(stores["redis_url"]) as client:
            client.delete(*client.keys("searches:*"), "none")
        answer = demo.get("/trending", window="1h").raise_for_status()
        return [one["query"] for one in answer.json()["searches"]]

    # The limit is 300 requests per minute
    wait_for(lambda: trending() == ["energy prices"], "a trend", pause_s=0.5)
    assert demo.get("/trending", window="1h").headers["Cache-Status"].startswith("newsintel; hit")
    assert people[0].delete("/me").status_code == 204
    assert demo.get("/trending", window="1h").json()["searches"] == []
    before = asyncio.run(made(stores["postgres_url"]))
    wait_for(
        lambda: asyncio.run(made(stores["postgres_url"])) > before, "a later count", pause_s=0.5
    )
    assert trending() == []
    for browser in people:
        browser.close()

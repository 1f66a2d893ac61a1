"""`newsintel seed-demo`, before a demo and beside one; it says that everything is invented."""

import asyncio
from collections import Counter

import asyncpg
import httpx
import pytest

from newsintel.demo.invented_readers import DEMO_READER
from tests.service import PATIENT, newsintel, running
from tests.storage.support import running_servers
from tests.waiting import PATIENCE_S


@pytest.fixture(scope="module")
def seeded(tmp_path_factory):
    """A folder in which it has run, and the finished command."""
    folder = tmp_path_factory.mktemp("seeded")
    return folder, newsintel(folder, "seed-demo", **PATIENT)


@pytest.fixture(scope="module")
def demo(seeded):
    """The demo in this folder."""
    with running(seeded[0], "demo") as service:
        yield service


async def counts(url):
    """The number of marks, of search counts and of pair counts."""
    connection = await asyncpg.connect(url)
    try:
        return [
            await connection.fetchval(f"SELECT count(*) FROM {name}")  # noqa: S608
            for name in ("search_marks", "search_days", "pair_days")
        ]
    finally:
        await connection.close()  # noqa: ASYNC102 - plain asyncio


@pytest.mark.slow
def test_it_says_what_it_wrote(seeded):
    """The first line says that none of it is real."""
    _, done = seeded
    assert (done.returncode, done.stderr) == (0, "")
    first, *rest = done.stdout.splitlines()
    assert first == "All of this is invented, including the people."
    assert any("queries: see /trending and /searches/related" in line for line in rest)


@pytest.mark.slow
def test_a_second_run_counts_nobody_twice(seeded):
    """A second run does not change the counts of closed days."""
    folder, _ = seeded
    with running_servers(folder / "newsintel" / "demo") as urls:
        _, *closed = asyncio.run(counts(urls["postgres_url"]))
        assert newsintel(folder, "seed-demo", **PATIENT).returncode == 0
        marks, *after = asyncio.run(counts(urls["postgres_url"]))
    assert (after, marks > 0) == (closed, True)
    assert min(closed) > 0


@pytest.mark.slow
def test_the_demo_then_has_trends_each_with_its_reason(seeded, demo):
    """Every window lists queries that find news.

    Related searches have reasons by people and by articles.
    """
    folder, _ = seeded
    for window in ("1h", "24h", "7d"):
        found = demo.get("/trending", window=window).json()["searches"]
        assert len(found) >= 2
        assert all(one["people"] >= 3 and one["reasons"] for one in found)
        assert demo.search(found[0]["query"]).json()["total"] > 0
    reasons = {
        reason
        for one in demo.get("/searches/related", q="Climate Change").json()["searches"]
        for reason in one["reasons"]
    }
    assert any("on the same day" in reason for reason in reasons)
    assert any("its answers share" in reason for reason in reasons)
    before = demo.get("/trending", window="7d").json()
    assert newsintel(folder, "seed-demo", **PATIENT).returncode == 0
    again = demo.get("/trending", window="7d")
    assert again.headers["Cache-Status"].endswith("fwd=miss")
    assert {one["query"] for one in again.json()["searches"]} & {
        one["query"] for one in before["searches"]
    }


@pytest.mark.slow
def test_the_demo_reader_then_has_recommendations_each_with_its_reason(demo):
    """Sign-in on the simulated Reddit page gives that reader.

    Anyone else is new and gets what is trending.
    """
    with httpx.Client(trust_env=False, timeout=PATIENCE_S, follow_redirects=True) as browser:
        # The host of the sign-in callback and so of its cookie
        browser.base_url = demo.url.replace("127.0.0.1", "localhost")
        page = browser.get("/auth/reddit/login")
        browser.post(page.url, data={"username": DEMO_READER, "decision": "allow"})
        found = browser.get("/me/recommendations").json()
        assert found["basis"] == "personal"
        reasons = [one["reasons"][0] for one in found["articles"]]
        for start in ("because you saved “", "because you ", "exploration: "):
            assert any(reason.startswith(start) for reason in reasons)
        assert max(Counter(one["publisher"] for one in found["articles"]).values()) <= 2
        saved = {one["id"] for one in browser.get("/me/saved").json()["articles"]}
        assert len(saved) == 4
        assert not saved & {one["id"] for one in found["articles"]}
        browser.headers["Sec-Fetch-Site"] = "same-origin"
        browser.post("/auth/dev/login", json={"username": "newcomer"}).raise_for_status()
        everybodys = browser.get("/me/recommendations").json()
        assert everybodys["basis"] == "trending"
        assert everybodys["articles"][0]["reasons"][0].startswith("many people search for “")


def test_production_is_refused(tmp_path):
    """Exit code 2, one line, nothing starts."""
    required = {
        "ENV": "production",
        "DATABASE_URL": "postgresql://h/d?sslrootcert=system",
        "REDIS_URL": "rediss://h",
        "SECRET_KEYS": "A" * 43,
    }
    done = newsintel(tmp_path, "seed-demo", PUBLIC_URL="https://news.example", **required)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "newsintel: seed-demo writes what invented people did:"
        " NEWSINTEL_ENV must not be production\n"
    )
    assert not list(tmp_path.iterdir())

"""The demo as users run it: real service, PostgreSQL, Redis, simulated upstreams, over HTTP."""

import itertools
import json
import re
import signal
import threading
import time

import pytest
from jsonschema import Draft7Validator

from tests.domain.operations.test_emf import EMF_SCHEMA
from tests.service import KEYED, free_port, newsintel, running
from tests.shared import SHARED, needs_shared
from tests.waiting import wait_for

WORDS = itertools.cycle(
    [
        "housing",
        "football",
        "energy",
        "election",
        "chips",
        "health",
        "ocean",
        "trade",
        "museum",
        "rail",
    ]
)
SOURCES = {"newsapi", "guardian", "reddit"}


def read_statuses(body):
    """What each source did that is not off."""
    found = {name: report["status"] for name, report in body["sources"].items()}
    return {name: status for name, status in found.items() if status != "disabled"}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """One demo for all tests of this module; each test uses a new search."""
    with running(
        tmp_path_factory.mktemp("demo"),
        "demo",
        CACHE_PARTIAL_S="1",
        RATE_LIMIT="off",
        MISS_LIMIT="off",
    ) as service:
        yield service


@pytest.fixture(scope="module")
def impatient(tmp_path_factory):
    """A demo with a deadline of 1 s for the Guardian and long ones for the others."""
    with running(
        tmp_path_factory.mktemp("impatient"),
        "demo",
        GUARDIAN_DEADLINE_S="1",
        RATE_LIMIT="off",
        MISS_LIMIT="off",
    ) as service:
        yield service


@pytest.fixture
def word(demo):
    """A search that no test has used, with every source healthy."""
    for source in SOURCES:
        demo.behave(source, fault="none", latency_ms=50, jitter_ms=0)
    return f"{next(WORDS)} OR {time.monotonic_ns()}"


def wait_until_archived(service, query, article_id=None):
    """Wait until the archive finds a match, or a certain article.

    Each attempt uses a different query, because answers are cached.
    """

    def found():
        answer = service.get("/archive", q=f"{query} -{time.monotonic_ns()}", limit=100)
        assert answer.status_code == 200, answer.text
        matches = answer.json()["articles"]
        return (
            matches if article_id is None else [one for one in matches if one["id"] == article_id]
        )

    wait_for(found, f"{query} in the archive", pause_s=0.5)


def test_answer_merges_all_sources_and_reports_each(demo):
    """One search returns articles of all three sources.

    It groups duplicates with their reason and reports each source.
    """
    body = demo.search("climate", limit=100, explain=1).json()
    assert read_statuses(body) == dict.fromkeys(SOURCES, "ok")
    assert body["complete"]
    assert body["origin"] == "live"
    shown = {article["source"] for article in body["articles"]} | {
        d["source"] for a in body["articles"] for d in a["duplicates"]
    }
    assert shown == SOURCES
    duplicates = [duplicate for article in body["articles"] for duplicate in article["duplicates"]]
    assert {duplicate["rule"] for duplicate in duplicates} == {"url", "title", "near_title"}
    kept = sum(report["kept"] for report in body["sources"].values())
    merged = sum(report["merged"] for report in body["sources"].values())
    assert body["total"] == kept - merged
    for article in body["articles"]:
        assert sum(article["score_parts"].values()) == pytest.approx(article["score"], abs=1e-3)


def test_views_of_a_harvest_ask_no_source(demo, word):
    """The same search, also with another limit, page or dedupe, is a hit of one harvest."""
    first = demo.search(word)
    assert first.headers["cache-status"] == "newsintel; fwd=miss"
    before = demo.calls()
    for view in (
        {},
        {"limit": "5"},
        {"page": "2"},
        {"dedupe": "strict"},
        {"dedupe": "off"},
        {"explain": "1"},
    ):
        again = demo.search(word, **view)
        assert again.headers["cache-status"].startswith("newsintel; hit; ttl=")
        assert again.json()["fetched_at"] == first.json()["fetched_at"]
    assert demo.calls() == before


@pytest.mark.slow
def test_article_is_available_by_id_and_archived(demo, word):
    """Every article of an answer is available by its id at once, and soon in PostgreSQL."""
    article = demo.search(word).json()["articles"][0]
    assert demo.get(f"/articles/{article['id']}").json()["title"] == article["title"]
    wait_until_archived(demo, word.split()[0], article["id"])
    stored = demo.get(f"/articles/{article['id']}").json()
    assert stored["first_seen_at"] <= stored["fetched_at"]
    with running(demo.data_home, "demo") as other:
        # Another process on the same servers has nothing in memory.
        assert other.get(f"/articles/{article['id']}").json()["url"] == article["url"]


def test_every_answer_has_the_discussion_of_an_article(demo, word):
    """Reddit's points and comments stay with the outlet's own article.

    A search, the article and the archive show the same. Only posts without a link are published by
    a subreddit.
    """
    articles = demo.search(word, limit=100).json()["articles"]
    article = next(
        one
        for one in articles
        if one["source"] == "newsapi"
        and (one["id"], "reddit") in [(it["id"], it["source"]) for it in one["duplicates"]]
    )
    discussion = article["discussion"]
    assert discussion["url"].startswith("https://www.reddit.com/r/")
    assert demo.get(f"/articles/{article['id']}").json()["discussion"] == discussion
    words = " ".join(re.findall(r"\w+", article["title"]))  # one word may find over a hundred
    wait_until_archived(demo, words, article["id"])
    (stored,) = (
        one
        for one in demo.get("/archive", q=words, limit=100).json()["articles"]
        if one["id"] == article["id"]
    )
    assert stored["discussion"] == discussion
    posts = [
        one for each in articles for one in (each, *each["duplicates"]) if one["source"] == "reddit"
    ]
    assert posts
    for one in posts:
        assert one["publisher"].startswith("r/") == one["url"].startswith("https://www.reddit.com/")


def test_similar_articles_are_found_soon_after_a_search(demo, word):
    """Similar articles are found soon, though the first request comes before words are counted.

    A match names words that it really contains.
    """
    articles = demo.search(word, limit=100).json()["articles"][:5]
    give_up, found = time.monotonic() + 120, {}
    while not any(found.values()):
        assert time.monotonic() < give_up, found
        found = {
            one["id"]: demo.get(f"/articles/{one['id']}/similar").json()["articles"]
            for one in articles
        }
        time.sleep(0.5)
    article_id, matches = next(answer for answer in found.items() if answer[1])
    for match in matches:
        content = demo.get(f"/articles/{match['id']}").json()["content"]
        text = f"{match['title']} {match['description']} {content}"
        assert match["reasons"]["terms"]
        assert all(term in text for term in match["reasons"]["terms"])
        assert match["id"] != article_id


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["hang", "drip"])
def test_stalled_source_delays_nothing_past_its_deadline(impatient, word, fault):
    """A source that sends nothing, or bytes too slowly, is reported at its deadline.

    The articles of the others are there.
    """
    impatient.behave("guardian", fault=fault)
    body = impatient.search(word).json()
    impatient.behave("guardian", fault="none")
    assert body["sources"]["guardian"]["latency_ms"] >= 900
    # A busy machine may start the call so late that it is not made.
    assert body["sources"]["guardian"]["status"] in {"timeout", "overloaded"}
    assert body["sources"]["newsapi"]["status"] == "ok"
    assert body["articles"]
    assert not body["complete"]


def test_only_the_failed_source_is_asked_again(demo, word):
    """Until then a partial answer is served.

    Only its failed source is asked again; then the answer is complete.
    """
    demo.behave("reddit", fault="500")
    assert demo.search(word).json()["sources"]["reddit"]["status"] == "unreachable"
    demo.behave("reddit", fault="none")
    before = demo.calls()
    wait_for(lambda: demo.search(word).json()["complete"], "a complete answer")
    after = demo.calls()
    assert {name for name in SOURCES if after[name] > before[name]} == {"reddit"}


def test_archive_answers_when_every_source_fails(demo, word):
    """Without a cached answer the archive answers, marked incomplete, and the report says why."""
    demo.search("climate")
    wait_until_archived(demo, "climate")
    for source in SOURCES:
        demo.behave(source, fault="500")
    body = demo.search(f"climate -{time.monotonic_ns()}").json()
    assert (body["origin"], body["complete"]) == ("archive", False)
    assert body["articles"]
    assert set(read_statuses(body).values()) == {"unreachable"}


def test_equal_searches_at_once_make_one_fan_out(demo, word):
    """Twenty equal searches cost one call per source and get the same body."""
    before, bodies = demo.calls(), []
    threads = [
        threading.Thread(target=lambda: bodies.append(demo.search(word).content)) for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name: count - before[name] for name, count in demo.calls().items()} == dict.fromkeys(
        SOURCES, 1
    )
    assert len(bodies) == 20
    assert len(set(bodies)) == 1


@pytest.mark.slow
def test_search_command_shares_the_running_servers(demo, word):
    """`newsintel search` on the same folder shares the running servers.

    No source has a key here, so the archive answers.
    """
    demo.search("climate")
    wait_until_archived(demo, "climate")
    data_dir = str(demo.data_home / "newsintel" / "demo")
    known = KEYED | {"DATA_DIR": data_dir}
    table = newsintel(demo.data_home, "search", "climate -unheard", "--limit", "3", **known)
    assert table.returncode == 0, table.stderr
    assert "limate" in table.stdout
    assert "disabled" in table.stderr
    body = json.loads(
        newsintel(demo.data_home, "search", "climate -unheard", "--json", **known).stdout
    )
    assert (body["origin"], body["complete"]) == ("archive", True)
    assert body["articles"]
    assert demo.get("/health/ready").json()["status"] == "ready"


@pytest.mark.slow
def test_deadlines_command_reports_measured_latencies(impatient, word):
    """`newsintel deadlines` on the demo's folder reports its latencies.

    A hanging source counts as cut.
    """
    impatient.behave("guardian", fault="hang")
    impatient.search(word)
    impatient.behave("guardian", fault="none")
    data_dir = str(impatient.data_home / "newsintel" / "demo")

    def measured():
        done = newsintel(impatient.data_home, "deadlines", "--json", DATA_DIR=data_dir)
        found = json.loads(done.stdout or '{"sources": {}}')
        return found if found["sources"].get("guardian", {"cut": 0})["cut"] else None

    report = wait_for(measured, "a call that was cut short")
    assert set(report["sources"]) == SOURCES
    assert report["sources"]["guardian"]["cut"] >= 1
    assert report["sources"]["newsapi"]["answered"] >= 1


def test_metrics_tell_what_happened(demo, word):
    """Metrics need no token in development; they cover searches, sources, requests, the process."""
    demo.search(word)
    demo.search(word)
    lines = dict(
        line.rsplit(" ", 1)
        for line in demo.get("/metrics").text.splitlines()
        if not line.startswith("#")
    )
    assert float(lines['newsintel_searches_total{via="hit"}']) >= 1
    assert float(lines['newsintel_fetch_seconds_count{source="reddit",status="ok"}']) >= 1
    assert float(lines['newsintel_http_request_seconds_count{route="/articles",status="2xx"}']) >= 2
    assert lines['newsintel_source_ready{source="newsapi"}'] == "1.0"
    assert float(lines["process_resident_memory_bytes"]) > 1e6


def count_archived(service, port):
    """How many articles the service says it has archived."""
    text = service.client.get(f"http://127.0.0.1:{port}/metrics").text
    return sum(
        float(line.split()[-1])
        for line in text.splitlines()
        if line.startswith("newsintel_archived_articles_total")
    )


@pytest.mark.slow
def test_metrics_for_collectors_and_for_cloudwatch(tmp_path):
    """METRICS_BIND opens a listener of its own; the API then requires the token.

    The log ends with a line for CloudWatch, and everything ends with the service.
    """
    port = free_port()
    with running(
        tmp_path, "demo", METRICS_BIND=f"127.0.0.1:{port}", METRICS_TOKEN="t0ken", LOG_FORMAT="emf"
    ) as service:
        service.search("climate")
        own = service.client.get(f"http://127.0.0.1:{port}/metrics").text
        assert 'newsintel_searches_total{via="miss"} 1.0' in own
        assert 'newsintel_http_request_seconds_count{route="/articles",status="2xx"} 1.0' in own
        # A busy machine spools first, and archives then.
        wait_for(lambda: count_archived(service, port), "an archived article")
        assert service.get("/metrics").status_code == 404
        assert (
            service.client.get(
                f"{service.url}/metrics", headers={"Authorization": "Bearer t0ken"}
            ).status_code
            == 200
        )
        assert service.stop() == 0
    (last,) = [
        line for line in map(json.loads, service.log.read_text().splitlines()) if "_aws" in line
    ]
    Draft7Validator(EMF_SCHEMA).validate(last)
    assert (last["searches"], last["hit_ratio"], last["env"]) == (1, 0, "development")
    assert last["archived_articles"] > 0


@pytest.mark.slow
def test_sigterm_lets_requests_finish_and_leaves_nothing_behind(tmp_path):
    """A search that runs at SIGTERM is answered and archived; exit code 0, no server left."""
    with running(tmp_path, "demo") as service:
        service.behave("guardian", latency_ms=900, jitter_ms=0)
        answers = []
        asking = threading.Thread(target=lambda: answers.append(service.search("climate").json()))
        asking.start()
        wait_for(lambda: service.calls()["guardian"], "a call to the Guardian")
        assert service.stop() == 0
        asking.join()
        assert answers[0]["complete"]
        assert service.servers() == []
    with running(tmp_path, "demo") as service:
        assert service.get(f"/articles/{answers[0]['articles'][0]['id']}").status_code == 200


@pytest.mark.slow
def test_next_start_recovers_from_sigkill(tmp_path):
    """The next start takes over what SIGKILL left, answers, and leaves nothing when it ends."""
    with running(tmp_path, "demo", RATE_LIMIT="off") as service:
        article = service.search("climate").json()["articles"][0]
        wait_until_archived(service, "climate", article["id"])
        service.stop(signal.SIGKILL)
    with running(tmp_path, "demo") as service:
        assert service.get(f"/articles/{article['id']}").status_code == 200
        assert service.search("climate").status_code == 200
        assert service.stop() == 0
        assert service.servers() == []


@pytest.mark.slow
@needs_shared
def test_replay_answers_from_recorded_articles(tmp_path):
    """`demo --replay DIR` answers a search with recorded articles of all three APIs."""
    with running(tmp_path, "demo", "--replay", str(SHARED / "recorded")) as service:
        body = service.search("the", limit=100, dedupe="off").json()
        assert read_statuses(body) == dict.fromkeys(SOURCES, "ok")
        assert {article["source"] for article in body["articles"]} <= SOURCES
        assert all(body["sources"][name]["kept"] for name in SOURCES)


def test_second_service_on_the_port_says_so(demo):
    """A port that is in use gives one line and exit code 1."""
    done = newsintel(demo.data_home, "demo", BIND=demo.url.removeprefix("http://"))
    assert done.returncode == 1
    assert "newsintel: cannot listen on" in done.stderr
    assert "Traceback" not in done.stderr


def test_bad_setting_is_one_line(tmp_path):
    """An invalid setting gives one line that names it, and exit code 2."""
    done = newsintel(tmp_path, "serve", GUARDIAN_DEADLINE_S="soon")
    assert done.returncode == 2
    assert done.stderr == (
        "newsintel: NEWSINTEL_GUARDIAN_DEADLINE_S must be a number of seconds such as 1.5,"
        " not 'soon'\n"
    )


@pytest.mark.slow
def test_config_hides_secrets(tmp_path):
    """`newsintel config` shows every setting and no secret, in each of its formats."""
    for form in ([], ["--json"], ["--names"]):
        done = newsintel(tmp_path, "config", *form, GUARDIAN_KEY="planted")
        assert done.returncode == 0
        assert "NEWSINTEL_GUARDIAN_KEY" in done.stdout
        assert "planted" not in done.stdout

"""Personal data in the demo: the real service on its own PostgreSQL and Redis, over HTTP."""

import httpx
import pytest

from tests.service import running
from tests.waiting import PATIENCE_S, wait_for


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """One demo for all tests of this module."""
    with running(tmp_path_factory.mktemp("demo"), "demo") as service:
        yield service


@pytest.fixture
def sign_in(demo):
    """Signs a person in, each in their own browser."""
    browsers = []

    def signed_in(name):
        browsers.append(
            httpx.Client(
                base_url=demo.url,
                trust_env=False,
                timeout=PATIENCE_S,
                headers={"Sec-Fetch-Site": "same-origin"},
            )
        )
        browsers[-1].post("/auth/dev/login", json={"username": name}).raise_for_status()
        return browsers[-1]

    yield signed_in
    for browser in browsers:
        browser.close()


def put(browser, path, **members):
    """The status of a PUT."""
    return browser.put(path, json=members).status_code


def history(browser, want):
    """A person's searches, as soon as there are `want`; the recorder takes about a second."""

    def enough():
        found = browser.get("/me/history").json()["searches"]
        return found if len(found) >= want else None

    return [search["query"] for search in wait_for(enough, f"a history of {want}")]


@pytest.mark.slow
def test_an_article_can_be_saved_from_the_moment_it_is_shown(sign_in):
    """Saving works before the archive has the article; a search of the notes finds it."""
    alice = sign_in("saver")
    shown = alice.get("/articles", params={"q": "climate"}).json()["articles"]
    for article in shown[:5]:
        assert put(alice, f"/me/saved/{article['id']}", notes="for the reading circle") == 201
    assert put(alice, f"/me/saved/{shown[0]['id']}") == 200
    saved = alice.get("/me/saved", params={"q": "circle", "limit": 3}).json()
    assert [article["id"] for article in saved["articles"]] == [
        article["id"] for article in reversed(shown[2:5])
    ]
    rest = alice.get(
        "/me/saved", params={"q": "circle", "limit": 3, "cursor": saved["next_cursor"]}
    ).json()
    assert [article["title"] for article in rest["articles"]] == [
        shown[1]["title"],
        shown[0]["title"],
    ]
    assert sign_in("stranger").get("/me/saved").json()["articles"] == []


@pytest.mark.slow
def test_preferences_change_only_their_owners_view(demo, sign_in):
    """An excluded topic hides stories from one person only, without a call to any source."""
    alice = sign_in("chooser")
    everybody = demo.search("election", limit=100).json()
    before = demo.calls()
    word = everybody["articles"][0]["title"].split()[-1]
    put(alice, "/me/preferences/excluded_topics", value=[word])
    put(alice, "/me/preferences/default_limit", value=100)
    hers = alice.get("/articles", params={"q": "election"}).json()
    assert hers["personal"]["applied"] == ["default_limit", "excluded_topics"]
    assert hers["personal"]["hidden"] == everybody["total"] - hers["total"] > 0
    shared = {article["id"] for article in everybody["articles"]}
    assert {article["id"] for article in hers["articles"]} < shared
    assert demo.search("election", limit=100).json()["total"] == everybody["total"]
    assert demo.calls() == before


@pytest.mark.slow
def test_searches_are_recorded_once_and_by_choice(sign_in):
    """A repeated search is one entry; switched off, nothing is recorded.

    After a clear nothing is left, not even searches that were still queued.
    """
    alice = sign_in("searcher")
    for _ in range(3):
        alice.get("/articles", params={"q": "health"})
    alice.get("/articles", params={"q": "ocean"})
    assert history(alice, 2) == ["ocean", "health"]
    put(alice, "/me/preferences/record_history", value=False)
    alice.get("/articles", params={"q": "trade"})
    put(alice, "/me/preferences/record_history", value=True)
    alice.get("/articles", params={"q": "rail"})
    assert alice.delete("/me/history").status_code == 204
    alice.get("/articles", params={"q": "museum"})
    assert history(alice, 1) == ["museum"]
    bob = sign_in("later searcher")
    bob.get("/articles", params={"q": "energy"})
    # The recorder works in order: everything before this search is recorded or never will be
    assert history(bob, 1) == ["energy"]
    assert history(alice, 1) == ["museum"]


def test_an_account_can_be_exported_and_deleted(sign_in):
    """The export has everything; after the deletion a new account of the same name has nothing."""
    alice = sign_in("leaver")
    article = alice.get("/articles", params={"q": "energy"}).json()["articles"][0]
    put(alice, f"/me/saved/{article['id']}", notes="mine")
    put(alice, "/me/preferences/topics", value=["energy"])
    history(alice, 1)
    export = alice.get("/me/export")
    assert export.headers["Content-Disposition"] == 'attachment; filename="newsintel-export.json"'
    file = export.json()
    assert file["account"]["username"] == "leaver"
    assert file["identities"] == [{"provider": "dev", "subject": "leaver"}]
    assert (file["preferences"], len(file["sessions"])) == ({"topics": ["energy"]}, 1)
    assert [(one["title"], one["saved"]["notes"]) for one in file["saved"]] == [
        (article["title"], "mine")
    ]
    assert [search["query"] for search in file["searches"]] == ["energy"]
    kept = "; ".join(f"{name}={value}" for name, value in alice.cookies.items())
    assert alice.delete("/me").status_code == 204
    assert alice.get("/me", headers={"Cookie": kept}).status_code == 401
    again = sign_in("leaver")
    assert again.get("/me").json()["id"] != file["account"]["id"]
    assert (
        again.get("/me/saved").json()["articles"]
        == again.get("/me/history").json()["searches"]
        == []
    )

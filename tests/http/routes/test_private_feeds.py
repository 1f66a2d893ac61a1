"""Private feeds: made once, read without signing in, ended at once, and never logged."""

import json

import feedparser
import pytest
import trio

from newsintel.domain.alerts.delivery_model import AlertFeed
from newsintel.domain.alerts.model import Match, MatchPage
from newsintel.domain.archive.model import ArchiveSort
from newsintel.domain.personal.model import MOST_FEEDS
from newsintel.domain.security.keys import create_feed_token, digest_secret
from newsintel.domain.security.redactor import Redactor
from newsintel.errors import UnavailableError
from newsintel.http.application import create_app
from newsintel.http.bodies.formats import MEDIA_TYPES, Format
from newsintel.http.routes.private_feed import FEED_ARTICLES
from newsintel.http.server.log import build_access_fields
from newsintel.runtime.limits.lookups import FAILURES
from tests.fakes.accounts import program
from tests.fakes.basics import MemorySearch
from tests.http.personal_world import ONE, TWO, Person, code, world_with_articles
from tests.http.routes.test_archive import HITS
from tests.http.routes.test_formats import read_ids
from tests.http.world import NOW, World

SAVED = {"name": "For later", "shows": "saved"}
BASE = "http://localhost:8000"


@pytest.fixture
def world():
    """A world with articles to save and five in the archive."""
    return world_with_articles(archive=MemorySearch(HITS, []))


@pytest.fixture
async def alice(world):
    """A person who is signed in and has saved two articles, one with notes."""
    alice = await Person.of(world)
    await alice.put(f"/me/saved/{ONE.id}", notes="my secret")
    await alice.put(f"/me/saved/{TWO.id}")
    return alice


async def make(person, **members):
    """Make a feed and return the body that its owner gets."""
    response = await person.ask("POST", "/me/feeds", json=SAVED | members)
    assert response.status_code == 201, await response.get_data()
    return await response.get_json()


async def read(world, url, **headers):
    """Read an address as a feed reader does: without credentials."""
    client = create_app(world.services).test_client(use_cookies=False)
    return await client.get(url.removeprefix(BASE), headers=headers)


async def test_an_address_is_shown_once_and_kept_as_a_digest(world, alice):
    """It has 256 random bits; the list shows everything but the address."""
    made = await make(alice)
    url = made.pop("url")
    assert url.startswith(f"{BASE}/feeds/")
    token = url.rpartition("/")[2]
    ((feed, digest),) = world.feeds.kept[1].values()
    assert (len(token), digest) == (43, digest_secret(token))
    listed = await alice.ask("GET", "/me/feeds")
    assert (await listed.get_json())["feeds"] == [made]
    assert token not in await listed.get_data(as_text=True)
    assert token not in repr(feed)
    assert made == {
        "id": feed.public_id,
        "name": "For later",
        "shows": "saved",
        "q": None,
        "created_at": "2026-03-01T12:00:00.000Z",
    }


@pytest.mark.parametrize("format_", [None, *Format])
async def test_a_feed_shows_what_was_saved_without_the_notes(world, alice, format_):
    """RSS by default. No shared cache and no search engine keeps it."""
    url = (await make(alice))["url"]
    response = await read(world, url + (f"?format={format_}" if format_ else ""))
    format_ = format_ or Format.RSS
    data = await response.get_data()
    assert response.headers["Content-Type"] == MEDIA_TYPES[format_]
    assert set(read_ids(format_, data)) == {ONE.id, TWO.id}
    assert b"my secret" not in data
    assert (b"For later" in data) is (format_ in (Format.RSS, Format.JSON_FEED))
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert response.headers["X-Robots-Tag"] == "noindex"


async def test_a_feed_of_the_archive_shows_the_newest_matches(world, alice):
    """Its query is that of GET /archive, with fields."""
    url = (await make(alice, shows="archive", q="title:flood  -film"))["url"]
    assert len(read_ids(Format.RSS, await (await read(world, url)).get_data())) == len(HITS)
    ((query, limit, after),) = world.archive.asked
    assert (query.sort, limit, after) == (ArchiveSort.NEWEST, FEED_ARTICLES, None)
    ((title, film),) = query.alternatives
    assert (title.text, title.field, film.text, film.negated) == ("flood", "title", "film", True)


async def test_a_feed_of_saves_may_have_a_query(world, alice):
    """It is that of GET /me/saved."""
    found = await read(world, (await make(alice, q="secret"))["url"])
    assert read_ids(Format.RSS, await found.get_data()) == [ONE.id]


async def test_a_reader_that_has_the_feed_gets_a_304(world, alice):
    """Until an article is added."""
    url = (await make(alice))["url"]
    tag = (await read(world, url)).headers["ETag"]
    assert (await read(world, url, **{"If-None-Match": tag})).status_code == 304
    await alice.delete(f"/me/saved/{TWO.id}")
    assert (await read(world, url, **{"If-None-Match": tag})).status_code == 200


async def test_an_ended_address_is_a_404_at_once(world, alice):
    """Also after it was read, and only its owner can end it."""
    made = await make(alice)
    assert (await read(world, made["url"])).status_code == 200
    bob = await Person.of(world, "bob")
    assert await bob.delete(f"/me/feeds/{made['id']}") == 404
    assert (await bob.get("/me/feeds"))["feeds"] == []
    assert (await read(world, made["url"])).status_code == 200
    assert await alice.delete(f"/me/feeds/{made['id']}") == 204
    assert await code(await read(world, made["url"])) == (404, "not_found")
    assert await alice.delete(f"/me/feeds/{made['id']}") == 404


async def test_feeds_go_with_the_account(world, alice):
    """They are in the export, without their addresses, and end with the account."""
    made = await make(alice)
    url = made.pop("url")
    export = await alice.ask("GET", "/me/export")
    assert (await export.get_json())["feeds"] == [made]
    assert url.rpartition("/")[2] not in await export.get_data(as_text=True)
    assert await alice.delete("/me") == 204
    assert (await read(world, url)).status_code == 404


async def test_an_account_has_a_maximum_of_feeds(alice):
    """One more is refused until one is ended."""
    made = [await make(alice) for _ in range(MOST_FEEDS)]
    refused = await alice.ask("POST", "/me/feeds", json=SAVED)
    assert await code(refused) == (409, "conflict")
    assert await alice.delete(f"/me/feeds/{made[0]['id']}") == 204
    await make(alice)


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"shows": "everything"}, "shows"),
        ({"shows": None}, "shows"),
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": " "}, "name"),
        ({"name": "\u3000\t"}, "name"),
        ({"q": ""}, "q"),
        ({"q": " "}, "q"),
        ({"q": "the"}, "q"),
        ({"q": "a\x07b"}, "q"),
        ({"q": "x" * 257}, "q"),
        ({"shows": "archive", "q": "before:yesterday"}, "q"),
        ({"shows": "archive", "q": "after:2026-02-01 before:2026-01-01"}, "q"),
        ({"limit": 5}, "limit"),
    ],
)
async def test_a_bad_member_is_named(world, alice, members, field):
    """A query that GET /me/saved or GET /archive would refuse is refused when the feed is made."""
    response = await alice.ask("POST", "/me/feeds", json=SAVED | members)
    body = await response.get_json()
    assert (response.status_code, body["code"]) == (400, "invalid_body")
    assert [error["field"] for error in body["errors"]] == [field]
    assert not world.feeds.kept[1]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/me/feeds"), ("POST", "/me/feeds"), ("DELETE", "/me/feeds/f_" + "a" * 20)],
)
async def test_feeds_need_a_session(world, method, path):
    """A key may not make credentials, and a page of another site may not either."""
    app = create_app(world.services).test_client(use_cookies=False)
    more = {"json": SAVED} if method == "POST" else {}
    key = await program(world)
    assert await code(await app.open(path, method=method, **more)) == (401, "unauthenticated")
    refused = await app.open(path, method=method, headers=key, **more)
    assert await code(refused) == (403, "session_required")
    alice = await Person.of(world)
    if method != "GET":
        foreign = {"Sec-Fetch-Site": "cross-site"}
        refused = await alice.ask(method, path, headers=foreign, **more)
        assert await code(refused) == (403, "cross_site")


@pytest.mark.parametrize("token", ["x", "A" * 42, "A" * 44, "A" * 42 + ".", "%C3%A9" * 43])
async def test_an_address_of_another_form_is_a_404_without_a_look_up(world, token):
    """No store is asked."""
    world.feeds.away = True
    assert await code(await read(world, f"/feeds/{token}")) == (404, "not_found")


async def test_guesses_are_limited(world, autojump_clock):
    """Like invalid keys: each counts once, and then the address has to wait."""
    guesses = [create_feed_token() for _ in range(FAILURES + 1)]
    app = create_app(world.services).test_client()
    statuses = [(await app.get(f"/feeds/{guess}")).status_code for guess in guesses]
    assert statuses == [404] * FAILURES + [429]
    assert (await app.get(f"/feeds/{guesses[0]}")).status_code == 404
    await trio.sleep(61)
    assert (await app.get(f"/feeds/{guesses[-1]}")).status_code == 404


async def test_who_knows_an_address_cannot_end_it_for_others(world, alice):
    """It has the form of a session's id, and of another feed's; sent as one, it is none."""
    url = (await make(alice))["url"]
    token = url.rpartition("/")[2]
    as_session = await read(world, f"{BASE}/articles/{ONE.id}", Cookie=f"newsintel_dev={token}")
    assert as_session.status_code == 200
    assert (await read(world, url)).status_code == 200
    as_key = await read(world, f"{BASE}/articles/{ONE.id}", Authorization=f"Bearer ni_{token}")
    assert as_key.status_code == 401
    assert (await read(world, url)).status_code == 200


async def test_an_outage_is_a_503(world, alice):
    """Of the table of feeds, of the saves, and of the archive; a reader keeps what it has."""
    url = (await make(alice))["url"]
    archive = (await make(alice, shows="archive"))["url"]
    world.archive.raises = UnavailableError("away")
    assert (await read(world, archive)).status_code == 503
    world.saved.away = True
    assert (await read(world, url)).status_code == 503
    world.feeds.away = True
    assert (await read(world, url)).status_code == 503


@pytest.mark.parametrize("as_json", [True, False])
def test_no_log_line_shows_the_secret(as_json):
    """In another folder, the redactor knows its form."""
    redact = Redactor((), as_json=as_json)
    for token in (create_feed_token() for _ in range(500)):
        for path in (f"/{token}", f"/feed/{token}", f"/x/{token}/"):
            line = log_request(path)
            assert token in line
            assert token not in redact(line)


def log_request(path):
    """The line of a request for a raw path, before the redactor."""
    return json.dumps(build_access_fields({"state": {}, "raw_path": path.encode()}, 200, 1, 0.1))


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/feeds/{}", "/feeds/***"),
        ("/feeds/{}/", "/feeds/***"),
        ("/feeds/{}.xml", "/feeds/***"),
        ("/feeds/.{}", "/feeds/***"),
        ("/FEEDS/{}", "/feeds/***"),
        ("//feeds//{}", "/feeds/***"),
        ("/a/feeds/{}", "/a/feeds/***"),
        ("/feeds%2F{}", "/feeds/***"),
        ("/feeds%252F{}", "/feeds/***"),
        ("/%66eeds/{}", "/feeds/***"),
        ("/feeds%2f%2e%2e/{}", "/feeds/***"),
    ],
)
def test_no_log_line_shows_the_address_of_a_feed(path, shown):
    """Nor a part of it, if a reader cut a character off or added one."""
    for token in ("A" * 43, "ab1-_" * 8 + "cd", "x", "A" * 3_000):
        assert json.loads(log_request(path.format(token)))["path"] == shown


@pytest.mark.parametrize("path", ["/feeds.opml", "/me/feeds", "/", "/articles/a_1", "/a%20b"])
def test_other_paths_are_logged_as_they_are(path):
    """Also those of lists of feeds."""
    assert json.loads(log_request(path))["path"] == path


async def test_a_signed_in_reader_gets_the_same_feed():
    """It is the owner's, not the reader's."""
    world = world_with_articles()
    alice, bob = await Person.of(world), await Person.of(world, "bob")
    await alice.put(f"/me/saved/{ONE.id}")
    url = (await make(alice))["url"].removeprefix(BASE)
    response = await bob.ask("GET", url)
    assert read_ids(Format.RSS, await response.get_data()) == [ONE.id]
    assert response.headers["Cache-Control"] == "private, no-store"


async def test_an_unknown_format_is_named():
    """Before any look-up."""
    response = await read(World(), f"/feeds/{'A' * 43}?format=atom")
    assert await code(response) == (400, "invalid_parameter")


@pytest.mark.parametrize("media", ["rss", "jsonfeed", "json", "csv"])
async def test_a_feed_says_of_which_story_a_later_member_is(world, media):
    """In its title, which every format has."""
    token = create_feed_token()
    feed = AlertFeed(7, "u_alice", "w_" + "a" * 20, "Storms")
    world.deliveries.feeds[digest_secret(token)] = feed
    later = Match(TWO.id, ONE, NOW, is_later=True, first_title=TWO.title)
    world.saved_searches.pages[7, feed.search_id] = MatchPage((later,), None)
    response = await read(world, f"{BASE}/feeds/{token}?format={media}")
    assert f"Later report of “{TWO.title}”: {ONE.title}" in (await response.get_data()).decode()


async def test_a_saved_search_has_a_feed_that_feedparser_reads(world):
    """Its stories, the newest first, by the same kind of address; with ended alerts it is a 404."""
    token = create_feed_token()
    feed = AlertFeed(7, "u_alice", "w_" + "a" * 20, "Storms & floods")
    world.deliveries.feeds[digest_secret(token)] = feed
    matches = tuple(Match(one.id, one, NOW) for one in (ONE, TWO))
    world.saved_searches.pages[7, feed.search_id] = MatchPage(matches, None)
    response = await read(world, f"{BASE}/feeds/{token}?format=rss")
    assert response.status_code == 200
    parsed = feedparser.parse(await response.get_data())
    assert not parsed.bozo
    assert parsed.feed.title == "Storms & floods"
    assert [entry.link for entry in parsed.entries] == [ONE.url, TWO.url]
    world.deliveries.feeds.clear()
    assert await code(await read(world, f"{BASE}/feeds/{token}")) == (404, "not_found")

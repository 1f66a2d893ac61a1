"""The API of Google Reader, with requests that its clients send."""

import feedparser
import pytest
from attrs import evolve

from newsintel.domain.accounts.model import Access
from newsintel.domain.reader.item_ids import compute_number
from newsintel.domain.reader.selection import State
from newsintel.domain.search.article import MAX_CONTENT
from newsintel.errors import InvalidParameterError
from newsintel.http.application import create_app
from newsintel.http.routes.greader.edits import SAVED_AT_ONCE
from newsintel.http.routes.greader.reads import SelectionParameters
from tests.fakes.accounts import browser
from tests.http.routes.greader.reader_client import (
    API,
    FORM,
    ROOT,
    STATE,
    Reader,
    follow,
    long_id,
    make_world,
    numbered,
)
from tests.http.world import NOW

ONE, TWO, THREE = numbered(1), numbered(2), numbered(3)
FEED = f"feed/f_{'b' * 20}"


async def test_client_login_answers_with_the_key():
    """newsboat (src/freshrssapi.cpp) sends this form, and reads the line that begins `Auth=`."""
    world = await make_world()
    reader = await Reader.of(world)
    form = f"Email=alice&Passwd={reader.key}&source=newsboat%2F2.33"
    text = await reader.post(f"{ROOT}/accounts/ClientLogin", form)
    assert text.splitlines() == [f"SID={reader.key}", "LSID=null", f"Auth={reader.key}"]


@pytest.mark.parametrize("password", ["", "wrong", "ni_" + "x" * 43])
async def test_wrong_passwords_are_refused(password):
    """FreshRSS answers 401 as well."""
    client = create_app((await make_world()).services).test_client()
    refused = await client.post(
        f"{ROOT}/accounts/ClientLogin",
        data=f"Email=alice&Passwd={password}",
        headers={"Content-Type": FORM},
    )
    assert refused.status_code == (401 if password else 400)
    assert b"Auth=" not in await refused.get_data()


async def test_streams_need_a_key():
    """Without one 401, as for every personal route; with an unknown one, too."""
    client = create_app((await make_world()).services).test_client()
    for headers in ({}, {"Authorization": "GoogleLogin auth=ni_" + "x" * 43}):
        answer = await client.get(f"{API}/subscription/list?output=json", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


async def test_subscriptions_are_the_feeds_of_the_person():
    """Another person's are not shown, nor can their items be read."""
    world = await make_world(ONE, feeds=(("Rail 🚆", "rail"), ("All", None)))
    await follow(world, "mallory", ("Secret", None))
    body = await (await Reader.of(world)).get(f"{API}/subscription/list?output=json")
    assert [one["title"] for one in body["subscriptions"]] == ["Rail 🚆", "All"]
    assert all(one["id"].startswith("feed/f_") for one in body["subscriptions"])
    assert len({one["url"] for one in body["subscriptions"]}) == 2
    mallory = await Reader.of(world, "mallory")
    theirs = body["subscriptions"][0]["id"]
    assert (await mallory.ask(f"{API}/stream/contents/{theirs}")).status_code == 404
    form = f"s={theirs}&T=x"
    assert (await mallory.ask(f"{API}/mark-all-as-read", form=form)).status_code == 404


async def test_every_address_of_a_subscription_answers():
    """Fluent Reader (models/service.ts) knows it by its `url`; readers show its icon and page."""
    reader = await Reader.of(await make_world(ONE))
    (one,) = (await reader.get(f"{API}/subscription/list"))["subscriptions"]
    kinds = {"url": "application/atom+xml", "htmlUrl": "text/html", "iconUrl": "image/svg+xml"}
    for name, kind in kinds.items():
        answer = await reader.ask(one[name].removeprefix("http://localhost:8000"))
        assert (answer.status_code, answer.mimetype) == (200, kind), name


async def test_parameters_without_a_value_are_absent():
    """As in Google Reader: clients send an empty `c` with the first page, and empty times."""
    reader = await Reader.of(await make_world(ONE, TWO))
    body = await reader.get(f"{API}/stream/items/ids?s=&n=&c=&ot=&nt=&xt=&it=&output=json")
    assert len(body["itemRefs"]) == 2
    missing = await reader.ask(f"{API}/stream/items/contents?i=")
    assert missing.status_code == 400


async def test_a_change_may_have_its_parameters_in_both_places():
    """As in Google Reader: some clients send the client's name or the items in the address."""
    reader = await Reader.of(await make_world(ONE, TWO))
    path = f"{API}/edit-tag?client=x&i={compute_number(ONE.article.id)}"
    assert await reader.post(path, f"a={STATE}read&T=token") == "OK"
    body = await reader.get(f"{API}/stream/items/ids?xt={STATE}read")
    assert [ref["id"] for ref in body["itemRefs"]] == [str(compute_number(TWO.article.id))]


async def test_stream_contents_have_what_clients_read():
    """The members that FreshRSS writes (Entry::toGReader) and newsboat reads."""
    world = await make_world(ONE, TWO)
    reader = await Reader.of(world)
    body = await reader.get(f"{API}/stream/contents/feed%2Ff_{'b' * 20}?n=20")
    assert body["id"] == FEED
    first = body["items"][0]
    assert first == {
        "id": long_id(ONE),
        "crawlTimeMsec": "1772362800000",
        "timestampUsec": "1772362800000000",
        "published": 1772362800,
        "updated": 1772362800,
        "title": "Title 1",
        "author": "The Guardian",
        "canonical": [{"href": "https://example.org/1"}],
        "alternate": [{"href": "https://example.org/1", "type": "text/html"}],
        "categories": [f"{STATE}reading-list"],
        "origin": {
            "streamId": FEED,
            "title": "All news",
            "htmlUrl": "http://localhost:8000/search",
        },
        "summary": {"direction": "ltr", "content": ""},
    }
    assert [one["id"] for one in body["items"]] == [long_id(ONE), long_id(TWO)]


@pytest.mark.parametrize("style", ["decimal", "long"])
async def test_reading_marks_an_item_read_everywhere(style):
    """newsboat's form; ids come back in every style."""
    world = await make_world(ONE, TWO)
    reader = await Reader.of(world)
    number = compute_number(ONE.article.id)
    item = str(number) if style == "decimal" else long_id(ONE)
    form = f"i={item}&a={STATE}read&r={STATE}kept-unread&ac=edit&T=token"
    assert await reader.post(f"{API}/edit-tag", form) == "OK"
    unread = await reader.get(f"{API}/stream/items/ids?s={STATE}reading-list&xt={STATE}read&n=99")
    assert [one["id"] for one in unread["itemRefs"]] == [str(compute_number(TWO.article.id))]
    counts = await reader.get(f"{API}/unread-count?output=json")
    assert [one["count"] for one in counts["unreadcounts"]] == [1, 1]
    undo = (
        f"i={item}&r={STATE}read&a={STATE}kept-unread&a={STATE}tracking-kept-unread&ac=edit&T=token"
    )
    assert await reader.post(f"{API}/edit-tag", undo) == "OK"
    counts = await reader.get(f"{API}/unread-count?output=json")
    assert [one["count"] for one in counts["unreadcounts"]] == [2, 2]


async def test_starring_saves_the_article():
    """And the native saves appear as starred."""
    world = await make_world(ONE, TWO)
    reader = await Reader.of(world)
    form = f"i={long_id(TWO)}&a={STATE}starred&ac=edit&T=token"
    assert await reader.post(f"{API}/edit-tag", form) == "OK"
    saved = await reader.ask("/me/saved")
    assert [one["id"] for one in (await saved.get_json())["articles"]] == [TWO.article.id]
    starred = await reader.get(f"{API}/stream/contents/user/-/state/com.google/starred")
    assert [one["id"] for one in starred["items"]] == [long_id(TWO)]
    assert f"{STATE}starred" in starred["items"][0]["categories"]
    form = f"i={long_id(TWO)}&r=user/alice/state/com.google/starred&ac=edit&T=token"
    assert await reader.post(f"{API}/edit-tag", form) == "OK"
    assert not (await reader.get(f"{API}/stream/items/ids?s={STATE}starred&n=9"))["itemRefs"]


async def test_starred_items_are_listed_without_reading_notes(monkeypatch):
    """A person may have 50 million characters of notes, and a reader asks every few minutes."""
    world = await make_world(ONE, TWO)
    reader = await Reader.of(world)
    form = f"i={long_id(ONE)}&i={long_id(TWO)}&a={STATE}starred"
    assert await reader.post(f"{API}/edit-tag", form) == "OK"
    monkeypatch.delattr(type(world.saved), "list_page")
    ids = await reader.get(f"{API}/stream/items/ids?s={STATE}starred&n=1")
    assert (len(ids["itemRefs"]), "continuation" in ids) == (1, True)


async def test_marking_a_stream_read_leaves_what_came_later():
    """`ts` is the time up to which the client showed the list."""
    world = await make_world(ONE, TWO, THREE)
    reader = await Reader.of(world)
    ts = int(TWO.first_seen_at.timestamp() * 1_000_000)
    assert await reader.post(f"{API}/mark-all-as-read", f"s={FEED}&ts={ts}&T=token") == "OK"
    unread = await reader.get(f"{API}/stream/items/ids?s={FEED}&xt={STATE}read&n=99")
    assert [one["id"] for one in unread["itemRefs"]] == [str(compute_number(ONE.article.id))]
    assert await reader.post(f"{API}/mark-all-as-read", f"s={STATE}reading-list") == "OK"
    assert not (await reader.get(f"{API}/stream/items/ids?s={FEED}&xt={STATE}read"))["itemRefs"]


async def test_contents_of_many_ids_come_in_their_order():
    """The form of FeedMe and NetNewsWire: ids again and again, unknown ones among them."""
    world = await make_world(ONE, TWO, THREE)
    reader = await Reader.of(world)
    wanted = [long_id(THREE), long_id(ONE), "123", long_id(ONE)]
    form = "&".join(f"i={one.replace(':', '%3A')}" for one in wanted) + "&T=x&output=json"
    response = await reader.ask(f"{API}/stream/items/contents?output=json", form=form)
    body = await response.get_json()
    assert [one["id"] for one in body["items"]] == [long_id(THREE), long_id(ONE)]
    body = await reader.get(f"{API}/stream/items/contents?i=123&i={long_id(TWO)}")
    assert [one["id"] for one in body["items"]] == [long_id(TWO)]


async def test_pages_continue():
    """`continuation` leads through the stream; another client's is refused."""
    world = await make_world(*map(numbered, range(1, 8)))
    reader = await Reader.of(world)
    seen, more = [], ""
    for _ in range(4):
        body = await reader.get(f"{API}/stream/contents?s={FEED}&n=2&c={more}".removesuffix("&c="))
        seen += [one["title"] for one in body["items"]]
        more = body.get("continuation", "")
    assert seen == [f"Title {number}" for number in range(1, 8)]
    assert more == ""
    assert (await reader.ask(f"{API}/stream/contents?s={FEED}&c=17")).status_code == 400


async def test_only_a_key_that_may_write_changes_something():
    """A reading key still reads."""
    world = await make_world(ONE)
    reader = await Reader.of(world, access=Access.READ)
    assert (await reader.ask(f"{API}/unread-count")).status_code == 200
    form = f"i={long_id(ONE)}&a={STATE}read"
    assert (await reader.ask(f"{API}/edit-tag", form=form)).status_code == 403


async def test_another_persons_marks_and_saves_are_not_seen():
    """Marks belong to the account."""
    world = await make_world(ONE)
    await follow(world, "mallory", ("All", None))
    alice, mallory = await Reader.of(world), await Reader.of(world, "mallory")
    form = f"i={long_id(ONE)}&a={STATE}read&a={STATE}starred"
    assert await alice.post(f"{API}/edit-tag", form) == "OK"
    counts = await mallory.get(f"{API}/unread-count")
    assert [one["count"] for one in counts["unreadcounts"]] == [1, 1]
    assert not (await mallory.get(f"{API}/stream/items/ids?s={STATE}starred"))["itemRefs"]


async def test_a_page_of_another_site_cannot_change_marks():
    """A browser sends the cookie by itself, so the site is checked as on every route."""
    world = await make_world(ONE)
    headers = await browser(world) | {"Sec-Fetch-Site": "cross-site", "Content-Type": FORM}
    client = create_app(world.services).test_client()
    refused = await client.post(
        f"{API}/edit-tag", data=f"i={long_id(ONE)}&a={STATE}read", headers=headers
    )
    assert refused.status_code == 403
    assert not any(world.read_marks.kept.values())


async def test_export_and_deletion_include_the_marks():
    """What is kept of a person is shown to the person, and goes with the account."""
    world = await make_world(ONE)
    reader = await Reader.of(world)
    await reader.post(f"{API}/edit-tag", f"i={long_id(ONE)}&a={STATE}read")
    headers = await browser(world)
    client = create_app(world.services).test_client()
    exported = await (await client.get("/me/export", headers=headers)).get_json()
    assert exported["read"] == [{"article": ONE.article.id, "read_at": "2026-03-01T12:00:00.000Z"}]
    assert (await client.delete("/me", headers=headers)).status_code == 204
    assert not any(world.read_marks.kept.values())


async def test_opened_articles_are_read():
    """What a person opens on a page is read in the reader."""
    world = await make_world(ONE)
    headers = await browser(world)
    client = create_app(world.services).test_client()
    opened = await client.put(f"/me/opened/{ONE.article.id}", headers=headers)
    assert opened.status_code == 204
    counts = await (await Reader.of(world)).get(f"{API}/unread-count")
    assert [one["count"] for one in counts["unreadcounts"]] == [0, 0]


async def test_old_articles_are_no_items():
    """A stream ends after 30 days, so what a client never asked for is not unread for ever."""
    world = await make_world(ONE)
    await (await Reader.of(world)).get(f"{API}/unread-count")
    assert (NOW - world.reader_articles.asked[0].start).days == 30


async def test_small_answers_are_those_that_clients_expect():
    """A token of 57 characters, the account, and the tags."""
    reader = await Reader.of(await make_world())
    token = await (await reader.ask(f"{API}/token")).get_data(as_text=True)
    assert len(token) == 57
    user = await reader.get(f"{API}/user-info?output=json")
    assert (user["userName"], user["userId"]) == ("alice", user["userProfileId"])
    tags = await reader.get(f"{API}/tag/list?output=json")
    assert [tag["id"] for tag in tags["tags"]] == [f"{STATE}starred"]


async def test_streams_are_atom_for_older_readers():
    """newsboat asks so for FeedHQ; feedparser reads the answer."""
    reader = await Reader.of(await make_world(ONE, TWO))
    form = f"i={long_id(ONE)}&a={STATE}read&a={STATE}starred"
    await reader.post(f"{API}/edit-tag", form)
    for path, wanted in ((FEED, 2), (f"{STATE}starred", 1)):
        answer = await reader.ask(f"{ROOT}/reader/atom/{path}?n=20")
        assert answer.content_type == "application/atom+xml; charset=utf-8"
        read = feedparser.parse(await answer.get_data())
        assert not read.bozo
        assert len(read.entries) == wanted
    labels = [tag.label for tag in read.entries[0].tags]
    assert labels == ["reading-list", "read", "starred"]


async def test_a_feed_that_finds_nothing_for_its_form_is_empty():
    """Its words are function words of every language; the other feeds are shown."""
    world = await make_world(ONE, feeds=(("Nothing", "the"), ("All", None)))
    real = world.reader_articles.list_items

    async def refuse(query, limit):
        if query.alternatives:
            raise InvalidParameterError("q", "only_stop_words", "q has only stop words")
        return await real(query, limit)

    world.reader_articles.list_items = refuse
    counts = await (await Reader.of(world)).get(f"{API}/unread-count")
    assert [one["count"] for one in counts["unreadcounts"]] == [0, 1, 1]


async def test_a_feed_of_the_past_has_no_items():
    """`before:` ends it before the last 30 days, so the store is not asked."""
    world = await make_world(ONE, feeds=(("Old", "before:2025-01-01"),))
    counts = await (await Reader.of(world)).get(f"{API}/unread-count")
    assert [one["count"] for one in counts["unreadcounts"]] == [0, 0]
    assert not world.reader_articles.asked


async def test_a_full_list_of_saves_is_a_conflict():
    """As in the native route."""
    world = await make_world(ONE)
    world.saved.most = 0
    refused = await (await Reader.of(world)).ask(
        f"{API}/edit-tag", form=f"i={long_id(ONE)}&a={STATE}starred"
    )
    assert refused.status_code == 409


@pytest.mark.parametrize("stream", ["user/-/label/x", "feed/", "feed/f_x", "everything"])
async def test_other_streams_do_not_exist(stream):
    """Also streams of other people, and those that Google Reader had."""
    reader = await Reader.of(await make_world(ONE))
    answer = await reader.ask(f"{API}/stream/items/ids?s={stream}")
    assert answer.status_code in (400, 404)
    for kind in ("stream/contents", "../atom"):
        answer = await reader.ask(f"{API}/{kind}/{stream}".replace("/api/0/../", "/"))
        assert answer.status_code == 404


async def test_a_bad_number_is_named():
    """One problem for each parameter."""
    reader = await Reader.of(await make_world(ONE))
    answer = await reader.ask(f"{API}/stream/contents?n=many&i=1")
    problem = await answer.get_json()
    assert [error["field"] for error in problem["errors"]] == ["n"]


async def test_while_the_store_is_away_nobody_signs_in():
    """A 503 says that a retry can succeed; a 401 would make the reader forget its key."""
    world = await make_world(ONE)
    reader = await Reader.of(world)
    world.accounts.away = True
    form = f"Email=alice&Passwd={reader.key}"
    refused = await reader.ask(f"{ROOT}/accounts/ClientLogin", form=form, Authorization="")
    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) >= 1


async def test_a_repeated_state_is_looked_at_once():
    """1,400 of them times the items of a person stopped the loop until the watchdog ended it."""
    asked = [State.READ, None] * 700
    given = SelectionParameters(n=9, r="", it=asked, xt=asked, ot=None, nt=None, c=None)
    wanted = given.select(9)
    assert (wanted.include, wanted.exclude) == ({State.READ}, {State.READ})
    reader = await Reader.of(await make_world(ONE, TWO))
    query = f"n=9{f'&xt={STATE}read' * 200}{'&it=unread' * 900}"
    body = await reader.get(f"{API}/stream/items/ids?{query}")
    assert len(body["itemRefs"]) == 2


async def test_whole_texts_are_read_only_to_be_saved():
    """A form names 1,500 articles: with their texts they would fill the memory."""
    hits = [
        evolve(hit, article=evolve(hit.article, content="x" * MAX_CONTENT))
        for hit in map(numbered, range(1, 60))
    ]
    world = await make_world(*hits)
    reader, items = await Reader.of(world), "&".join(f"i={long_id(hit)}" for hit in hits)
    assert await reader.post(f"{API}/edit-tag", f"{items}&a={STATE}read") == "OK"
    await reader.get(f"{API}/stream/contents?n=100")
    assert world.reader_articles.most_whole == 0
    assert await reader.post(f"{API}/edit-tag", f"{items}&a={STATE}starred") == "OK"
    assert 0 < world.reader_articles.most_whole <= SAVED_AT_ONCE
    (saved,) = {len(kept) for kept in world.saved.kept.values()}
    assert saved == len(hits)

"""GET /articles for signed-in people: preferences, privacy and the optional history."""

import pytest
from attrs import evolve

from newsintel.domain.accounts.model import Access
from newsintel.domain.search.history import REPEAT_S
from newsintel.domain.search.outcome import Status
from newsintel.http.application import create_app
from newsintel.runtime.personal.preference_cache import PreferenceCache
from tests.fakes.accounts import program
from tests.http.personal_world import Person, code
from tests.http.world import NOW, Desk, World, answer, outcome
from tests.samples import read_counter

PREFERENCES = {
    "language": "de",
    "default_limit": 2,
    "dedupe": "off",
    "sort": "newest",
    "excluded_topics": ["title 1"],
}


async def alice_with(world, **preferences):
    """Sign alice in with these preferences."""
    alice = await Person.of(world)
    world.preferences.kept[1].update(preferences)
    return alice


def recorded(world):
    """Return the records that went to the recorder."""
    found = []
    while world.inbox[1].statistics().current_buffer_used:
        found.append(world.inbox[1].receive_nowait())
    return found


async def test_preferences_fill_what_the_caller_left_out():
    """Preferences that change the fetch reach the desk; the others change the view.

    The body names each applied preference.
    """
    world = World()
    body = await (await alice_with(world, **PREFERENCES)).get("/articles?q=a")
    assert (world.desk.asked[0].language, world.desk.asked[0].sort) == ("de", "newest")
    assert (body["limit"], body["total"], [story["title"] for story in body["articles"]]) == (
        2,
        2,
        ["Title 2", "Title 3"],
    )
    assert body["personal"] == {
        "applied": ["language", "default_limit", "dedupe", "sort", "excluded_topics"],
        "hidden": 1,
    }


async def test_the_history_keeps_the_persons_own_spelling():
    """The spelling of an earlier caller never counts."""
    world = World(
        desk=Desk(made_by=lambda query: answer(evolve(query, text="fLOOD (somebody else's)")))
    )
    alice = await alice_with(world)
    await alice.get("/articles?q=Flood")
    assert [search.query for search in recorded(world)] == ["Flood"]


async def test_explicit_parameters_override_preferences():
    """This holds even for a default value."""
    world = World()
    alice = await alice_with(world, **PREFERENCES)
    body = await alice.get("/articles?q=a&language=en&limit=20&dedupe=normal&sort=relevance")
    assert (world.desk.asked[0].language, world.desk.asked[0].sort, body["limit"]) == (
        "en",
        "relevance",
        20,
    )
    assert body["personal"]["applied"] == ["excluded_topics"]


async def test_personal_0_gives_the_shared_answer():
    """The body has no member `personal`; caches still may not keep it."""
    world = World()
    alice = await alice_with(world, **PREFERENCES)
    response = await alice.ask("GET", "/articles?q=a&personal=0")
    shared = await create_app(world.services).test_client().get("/articles?q=a&personal=0")
    assert await response.get_json() == await shared.get_json()
    assert response.headers["Cache-Control"] == "private, no-store"


async def test_a_key_must_ask_for_preferences():
    """A program gets what it asks for, unless it sends `personal=1`."""
    world = World()
    await alice_with(world, **PREFERENCES)
    key = Person(world, await program(world, access=Access.READ))
    assert "personal" not in await key.get("/articles?q=a")
    assert (await key.get("/articles?q=a&personal=1"))["personal"]["hidden"] == 1
    assert world.desk.asked[0].language is None


async def test_a_personal_answer_is_not_shared():
    """It has no ETag, no headers for shared caches and is never a 304.

    The next anonymous caller gets the shared answer.
    """
    world = World()
    alice = await alice_with(world, excluded_topics=["title 1"])
    response = await alice.ask("GET", "/articles?q=a", headers={"If-None-Match": "*"})
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "private, no-store"
    assert not {"ETag", "X-Accel-Expires"} & set(response.headers.keys())
    assert response.headers["Vary"] == "Cookie, Authorization, Origin"
    client = create_app(world.services).test_client()
    for _ in range(2):
        shared = await (await client.get("/articles?q=a")).get_json()
        assert (shared["total"], "personal" in shared) == (3, False)


async def test_one_application_keeps_personal_and_shared_answers_apart():
    """They use the same cache of rendered pages, in either order."""
    world = World()
    alice = await alice_with(world, excluded_topics=["title 1"])
    for _ in range(2):
        stranger = await (await alice._client.get("/articles?q=a")).get_json()
        assert (stranger["total"], (await alice.get("/articles?q=a"))["total"]) == (3, 2)


async def test_links_lead_through_the_pages_of_a_personal_search():
    """The Link repeats the caller's parameters, not the preferences; the last page has none."""
    world = World()
    alice = await alice_with(world, default_limit=2)
    first = await alice.ask("GET", "/articles?q=a")
    assert first.headers["Link"] == '<http://localhost:8000/articles?q=a&page=2>; rel="next"'
    second = await alice.ask("GET", "/articles?q=a&page=2")
    assert len((await second.get_json())["articles"]) == 1
    assert "Link" not in second.headers


async def test_a_changed_preference_counts_in_the_next_search():
    """The change and the search go through the same process."""
    world = World()
    services = world.services
    world.preferences.kept[1]["default_limit"] = 2
    alice = await Person.of(world)
    alice._client = create_app(services).test_client()
    assert (await alice.get("/articles?q=a"))["limit"] == 2
    await alice.put("/me/preferences/default_limit", value=1)
    assert (await alice.get("/articles?q=a"))["limit"] == 1
    assert isinstance(services.personal.preferences, PreferenceCache)


async def test_a_search_goes_into_the_persons_history():
    """The record has the number of shown results.

    A session and a key of one person share one record a minute.
    """
    world = World()
    alice = await alice_with(world, excluded_topics=["title 1"])
    alice._client = create_app(world.services).test_client()
    await alice.get("/articles?q=a")
    await alice.get("/articles?q=a&page=2")
    await alice.ask("HEAD", "/articles?q=a")
    await alice._client.get("/articles?q=a", headers=await program(world))
    (record,) = recorded(world)
    assert (record.query, record.results_count, record.user_id) == ("a", 2, 1)
    world.now = NOW.fromtimestamp(NOW.timestamp() + REPEAT_S, NOW.tzinfo)
    await alice.get("/articles?q=a")
    assert len(recorded(world)) == 1


@pytest.mark.parametrize("query", ["q=a", "q=a&personal=0"])
async def test_without_history_nothing_is_recorded(query):
    """It holds with and without preferences, by session and by key."""
    world = World()
    alice = await alice_with(world, record_history=False, default_limit=2)
    await alice.get(f"/articles?{query}")
    await Person(world, await program(world)).get(f"/articles?{query}")
    assert recorded(world) == []


async def test_without_preferences_a_search_gets_the_shared_answer():
    """The outage is counted.

    The search is not recorded, since the person may have switched the history off.
    """
    world = World()
    alice = await alice_with(world, **PREFERENCES)
    world.preferences.away = True
    body = await alice.get("/articles?q=a")
    assert (body["total"], "personal" in body) == (3, False)
    assert recorded(world) == []
    assert read_counter(world.metrics, "preferences_away") == 1


async def test_without_sessions_a_search_is_anonymous():
    """It is not recorded, since the service cannot tell whether this person allows it."""
    world = World()
    alice = await alice_with(world, record_history=False)
    world.sessions.away = True
    assert "personal" not in await alice.get("/articles?q=a")
    assert recorded(world) == []


async def test_when_no_source_answers_the_problem_is_the_shared_one():
    """Preferences do not change it."""
    world = World(
        desk=Desk(made_by=lambda query: answer(query, outcome(Status.TIMEOUT), articles=0))
    )
    alice = await alice_with(world, **PREFERENCES)
    assert await code(await alice.ask("GET", "/articles?q=a")) == (504, "sources_timed_out")
    assert recorded(world) == []

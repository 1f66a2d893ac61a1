"""/trending and /searches/related: strict parameters, a minute in the cache, the floor."""

import pytest

from newsintel.domain.intelligence.search_counts import ObservedQuery, QueryRelation, TrendWindow
from newsintel.domain.intelligence.trending import rank_trends
from newsintel.http.application import create_app
from tests.http.personal_world import Person, code, past_search, world_with_articles
from tests.http.world import World, settings

OBSERVED = [
    ObservedQuery("weather", 40, 40.0),
    ObservedQuery("flood", 23, 3.8),
    ObservedQuery("secret", 2, 0.0),
]
KIN = [
    QueryRelation("flood", "dyke", 4, 9, 3, 6, 10),
    QueryRelation("flood", "tide", 5, 9, 0, 2, 10),
    QueryRelation("flood", "secret", 2, 9, 0, 9, 10),
]


@pytest.fixture
def world():
    """A world in which people have searched."""
    made = world_with_articles()
    made.trending.lists = {span: rank_trends(OBSERVED, 100) for span in TrendWindow}
    made.kinship.known = KIN
    return made


async def get(world, path, **headers):
    """Send an anonymous GET."""
    return await create_app(world.services).test_client().get(path, headers=headers)


@pytest.mark.parametrize(
    ("query", "window"),
    [("", "24h"), ("?window=1h", "1h"), ("?window=24h", "24h"), ("?window=7d", "7d")],
)
async def test_trending_lists_the_most_unusual_queries_first(world, query, window):
    """Each query has its numbers and its reason; none is under the floor."""
    response = await get(world, f"/trending{query}")
    body = await response.get_json()
    assert (response.status_code, body["window"]) == (200, window)
    assert [(one["query"], one["people"], one["reasons"]) for one in body["searches"]] == [
        ("flood", 23, ["23 people, 6 times the usual"]),
        ("weather", 40, ["40 people, about as usual"]),
    ]


async def test_the_floor_is_a_setting(world):
    """TRENDING_FLOOR is the smallest number of people."""
    world.settings = settings(NEWSINTEL_TRENDING_FLOOR="24")
    assert [
        one["query"] for one in (await (await get(world, "/trending")).get_json())["searches"]
    ] == ["weather"]
    world.settings = settings(NEWSINTEL_TRENDING_FLOOR="5")
    assert [
        one["query"]
        for one in (await (await get(world, "/searches/related?q=flood")).get_json())["searches"]
    ] == ["tide"]


async def test_trending_is_cached_for_a_minute(world, autojump_clock):
    """A hit in Redis costs no query of PostgreSQL; without Redis each request costs one.

    Other caches may keep the answer for the same time.
    """
    for _ in range(3):
        response = await get(world, "/trending")
    assert world.trending.reads == 1
    assert response.headers["Cache-Control"] == "public, max-age=60"
    assert response.headers["Cache-Status"] == "newsintel; hit; ttl=60"
    assert (
        await get(world, "/trending", **{"If-None-Match": response.headers["ETag"]})
    ).status_code == 304
    world.bytes_cache.away = True
    for _ in range(2):
        assert (await get(world, "/trending")).status_code == 200
    assert world.trending.reads == 3


async def test_related_searches_come_closest_first(world):
    """Each has its reasons; the normal form of the query counts. None is under the floor."""
    response = await get(world, "/searches/related?q=FLOOD+AND+Flood")
    assert response.headers["Cache-Control"] == "public, max-age=60"
    assert await response.get_json() == {
        "searches": [
            {
                "query": "dyke",
                "score": 0.8,
                "people": 4,
                "reasons": [
                    "3 people searched for this and for flood on the same day",
                    "its answers share 6 articles with those of flood",
                ],
            },
            {
                "query": "tide",
                "score": 0.2,
                "people": 5,
                "reasons": ["its answers share 2 articles with those of flood"],
            },
        ]
    }
    assert world.kinship.asked == [(["flood"], False)]


async def test_a_query_too_long_to_be_counted_has_no_related_searches(world):
    """The answer is an empty list."""
    response = await get(world, f"/searches/related?q={'%E6%BC%A2' * 200}")
    assert (response.status_code, await response.get_json()) == (200, {"searches": []})


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/trending?window=2h", "window"),
        ("/trending?limit=5", "limit"),
        ("/searches/related", "q"),
        ("/searches/related?q=", "q"),
        ("/searches/related?q=-flood", "q"),
        ("/searches/related?q=%00", "q"),
    ],
)
async def test_bad_parameters_are_named(world, path, field):
    """Each gets one clear message.

    Without `q` the caller must be signed in.
    """
    response = await get(world, path)
    body = await response.get_json()
    assert (response.status_code, body["code"]) == (400, "invalid_parameter")
    assert [error["field"] for error in body["errors"]] == [field]


async def test_without_q_the_persons_latest_searches_count(world):
    """Each different search counts once, and none of them is suggested.

    No cache may keep the answer.
    """
    world.own_history.kept[1] = [
        past_search(1, query="Flood"),
        past_search(2, query="flood"),
        past_search(3, query="TIDE"),
    ]
    alice = await Person.of(world)
    response = await alice.ask("GET", "/searches/related")
    assert response.headers["Cache-Control"] == "private, no-store"
    assert [one["query"] for one in (await response.get_json())["searches"]] == ["dyke"]
    assert world.kinship.asked == [(["flood", "tide"], True)]
    assert not world.bytes_cache.kept


async def test_a_new_person_has_no_related_searches(world):
    """An empty list, not an error."""
    assert await (await Person.of(world)).get("/searches/related") == {"searches": []}


async def test_an_unknown_caller_is_not_treated_as_anonymous(world):
    """Without `q`, which needs an account, the answer is a 503.

    With `q` it is the shared answer.
    """
    alice = await Person.of(world)
    world.sessions.away = True
    assert await code(await alice.ask("GET", "/searches/related")) == (503, "not_ready")
    assert (await alice.ask("GET", "/searches/related?q=flood")).status_code == 200


@pytest.mark.parametrize("path", ["/trending", "/searches/related?q=flood"])
async def test_postgresql_outage_is_a_503_unless_redis_has_the_answer(path):
    """A cached answer is still served."""
    world = World()
    assert (await get(world, path)).status_code == 200
    world.trending.away = world.kinship.away = True
    assert (await get(world, path)).status_code == 200
    world.bytes_cache.kept.clear()
    assert await code(await get(world, path)) == (503, "archive_timeout")

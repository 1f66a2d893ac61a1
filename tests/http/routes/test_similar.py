"""GET /articles/{id}/similar, for articles that are archived, recent or unknown."""

import pytest
from attrs import evolve

from newsintel.domain.search.article import ArchivedArticle
from newsintel.errors import ArchiveTimeoutError, BusyError, UnavailableError
from newsintel.http.application import create_app
from tests.fakes.likeness import MemoryLikeness
from tests.http.world import NOW, World, article

THIS = evolve(article(1), title="Vaccine trial halted")
OTHERS = [
    evolve(article(2), title="Another vaccine trial begins"),
    evolve(article(3), title="Trial without jury"),
]
PATH = f"/articles/{THIS.id}/similar"


def filled(*articles):
    """Return a world whose archive holds these articles."""
    return World(likeness=MemoryLikeness(*articles))


async def get(world, path):
    """Send one GET through the whole application."""
    return await create_app(world.services).test_client().get(path)


async def test_similar_articles_come_closest_first_with_reasons():
    """An article is as in any list, plus a score and the words that matched."""
    response = await get(filled(THIS, *OTHERS), PATH)
    body = await response.get_json()
    assert [one["id"] for one in body["articles"]] == [one.id for one in OTHERS]
    first = body["articles"][0]
    assert first["reasons"] == {"terms": ["vaccine", "trial"], "text": "shares: vaccine, trial"}
    assert 0 < first["score"] <= 1
    assert first.keys() >= {"title", "url", "publisher", "published_at", "fetched_at"}


async def test_the_answer_is_cached_like_an_archive_page():
    """It has an ETag, and the next caller gets it from the cache."""
    world = filled(THIS, *OTHERS)
    response = await get(world, PATH)
    assert response.headers["Cache-Control"] == "public, max-age=60"
    again = (
        await create_app(world.services)
        .test_client()
        .get(PATH, headers={"If-None-Match": response.headers["ETag"]})
    )
    assert again.status_code == 304
    assert again.headers["Cache-Status"].startswith("newsintel; hit")


async def test_limit_is_ten_by_default():
    """It is 1 to 50; another limit is another answer."""
    many = [evolve(article(number), title=f"Trial number {number}") for number in range(10, 40)]
    world = filled(THIS, *many)
    sizes = [
        len((await (await get(world, PATH + query)).get_json())["articles"])
        for query in ("", "?limit=1", "?limit=25")
    ]
    assert sizes == [10, 1, 25]


@pytest.mark.parametrize("query", ["limit=0", "limit=51", "limit=x", "cursor=a", "limit=1&limit=2"])
async def test_bad_parameters_are_named(query):
    """The answer is a 400 that names the parameter."""
    response = await get(filled(THIS), f"{PATH}?{query}")
    assert (response.status_code, (await response.get_json())["errors"][0]["field"]) == (
        400,
        query.split("=")[0],
    )


async def test_an_article_that_is_not_archived_yet_has_similar_articles():
    """They are found by the article's own text.

    So the address works from the moment at which the search is answered.
    """
    world = filled(*OTHERS)
    world.desk.archived[THIS.id] = ArchivedArticle(THIS, NOW, NOW, THIS.id)
    body = await (await get(world, PATH)).get_json()
    assert [one["id"] for one in body["articles"]] == [one.id for one in OTHERS]


@pytest.mark.parametrize(
    ("unknown", "status", "code"),
    [
        (article(9).id, 404, "not_found"),
        ("a_short", 404, "not_found"),
        ("%00", 400, "invalid_parameter"),
    ],
)
async def test_an_unknown_article_is_a_404_that_is_not_cached(unknown, status, code):
    """An unknown or malformed id is a 404; invalid text is a 400."""
    world = filled(THIS)
    response = await get(world, f"/articles/{unknown}/similar")
    assert (response.status_code, (await response.get_json())["code"]) == (status, code)
    assert world.bytes_cache.kept == {}


async def test_no_similar_articles_is_an_empty_list():
    """The status is 200."""
    assert await (await get(filled(THIS), PATH)).get_json() == {"articles": []}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ArchiveTimeoutError("slow"), "archive_timeout"),
        (UnavailableError("away"), "archive_timeout"),
        (BusyError("full"), "busy"),
    ],
)
async def test_an_archive_outage_is_a_503(error, code):
    """The codes are those of the archive routes."""
    world = filled(THIS)
    world.likeness.raises = error
    response = await get(world, PATH)
    assert (response.status_code, (await response.get_json())["code"]) == (503, code)

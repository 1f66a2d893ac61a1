"""/me/opened and /me/dismissed: noted, noted again, forgotten, taken along, and nobody else's."""

from datetime import timedelta

import pytest
from attrs import evolve

from newsintel.domain.personal.model import Dismissal, Mark
from tests.http.personal_world import ONE, TWO, Person, code, world_with_articles
from tests.http.world import NOW

OPENED, DISMISSED = f"/me/opened/{ONE.id}", f"/me/dismissed/{ONE.id}"
BOTH = [(OPENED, {}), (DISMISSED, {"json": {"reason": "hide"}})]


@pytest.fixture
def world():
    """Sixty articles to read."""
    return world_with_articles()


@pytest.fixture
async def alice(world):
    """Somebody who is signed in, with nothing read."""
    return await Person.of(world)


async def test_an_article_is_opened_once_at_its_latest(world, alice):
    """204 each time; the moment moves."""
    assert (await alice.ask("PUT", OPENED)).status_code == 204
    world.now = NOW + timedelta(hours=1)
    assert (await alice.ask("PUT", OPENED)).status_code == 204
    assert list(world.feedback.kept.values()) == [{"opened": {ONE.id: Mark(ONE, world.now, None)}, "dismissed": {}}]
    assert await alice.delete(OPENED) == 204
    assert await alice.delete(OPENED) == 404


async def test_a_dismissal_has_a_reason_that_may_change(world, alice):
    """The last one holds."""
    for reason in Dismissal:
        assert (await alice.ask("PUT", DISMISSED, json={"reason": reason})).status_code == 204
        ((mark,),) = [kept["dismissed"].values() for kept in world.feedback.kept.values()]
        assert (mark.article, mark.reason) == (ONE, reason)
    assert await alice.delete(DISMISSED) == 204
    assert await alice.delete(DISMISSED) == 404


@pytest.mark.parametrize("body", [{}, {"reason": "bored"}, {"reason": None}, {"reason": "hide", "why": "x"}])
async def test_a_dismissal_says_why_in_one_of_two_words(world, alice, body):
    """Else a 400 that names the member, and nothing is kept."""
    status, answered = await alice.put(DISMISSED, **body)
    assert (status, answered["code"]) == (400, "invalid_body")
    assert answered["errors"][0]["field"] == ("why" if "why" in body else "reason")
    assert not any(kept["dismissed"] for kept in world.feedback.kept.values())


@pytest.mark.parametrize(("article_id", "status"), [("a_" + "z" * 20, 404), ("a_x", 404), ("1", 404), ("%00", 400), ("x" * 300, 404)])
@pytest.mark.parametrize(("path", "more"), BOTH)
async def test_what_is_no_article_is_refused(alice, article_id, status, path, more):
    """404 for an id that is unknown or none, 400 for what is no text."""
    response = await alice.ask("PUT", path.replace(ONE.id, article_id), **more)
    assert await code(response) == (status, "not_found" if status == 404 else "invalid_parameter")
    assert await alice.delete(path.replace(ONE.id, article_id)) == status


@pytest.mark.parametrize(("path", "more"), BOTH)
async def test_item_30_feedback_is_ones_own(world, alice, path, more):
    """Alice cannot take back what Bob noted, nor does what she notes of the same article change his."""
    bob = await Person.of(world, "bob")
    assert (await bob.ask("PUT", path, **more)).status_code == 204
    (before,) = [dict(kept) for kept in world.feedback.kept.values()]
    assert await code(await alice.ask("DELETE", path)) == (404, "not_found")
    world.now = NOW + timedelta(hours=1)
    await alice.ask("PUT", path, **({"json": {"reason": "less_like_this"}} if more else {}))
    assert before in world.feedback.kept.values()
    assert await bob.delete(path) == 204


async def test_the_export_has_both_and_nobody_elses(world, alice):
    """Each with its article and its moment; texts of articles are the archive's, not the person's."""
    world.desk.archived[TWO.id] = evolve(world.desk.archived[TWO.id], article=evolve(TWO, published_at_estimated=True))
    bob = await Person.of(world, "bob")
    assert ((await alice.get("/me/export"))["opened"], (await alice.get("/me/export"))["dismissed"]) == ([], [])
    await bob.ask("PUT", DISMISSED, json={"reason": "hide"})
    await alice.ask("PUT", OPENED)
    await alice.ask("PUT", DISMISSED.replace(ONE.id, TWO.id), json={"reason": "less_like_this"})
    body = await alice.get("/me/export")
    ((opened,), (dismissed,)) = (body["opened"], body["dismissed"])
    assert (opened["id"], opened["opened"]) == (ONE.id, {"opened_at": "2026-03-01T12:00:00.000Z"})
    assert (dismissed["id"], dismissed["dismissed"]["reason"], dismissed["published_at_estimated"]) == (TWO.id, "less_like_this", True)


async def test_feedback_goes_with_the_account(world, alice):
    """Bob's stays."""
    bob = await Person.of(world, "bob")
    for person in (alice, bob):
        for path, more in BOTH:
            await person.ask("PUT", path, **more)
    assert await alice.delete("/me") == 204
    assert len(world.feedback.kept) == 1
    assert len((await bob.get("/me/export"))["opened"]) == 1

"""/me/opened and /me/dismissed: set, changed, deleted, exported, and separate for each person."""

from datetime import timedelta

import pytest
from attrs import evolve

from newsintel.domain.personal.model import ArticleMark, Dismissal
from tests.http.personal_world import ONE, TWO, Person, code, world_with_articles
from tests.http.world import NOW

OPENED, DISMISSED = f"/me/opened/{ONE.id}", f"/me/dismissed/{ONE.id}"
BOTH = [(OPENED, {}), (DISMISSED, {"json": {"reason": "hide"}})]


@pytest.fixture
def world():
    """A world with sixty articles."""
    return world_with_articles()


@pytest.fixture
async def alice(world):
    """A person who is signed in and has read nothing."""
    return await Person.of(world)


async def test_an_opened_article_is_kept_once_with_its_latest_time(world, alice):
    """Each request is a 204 and updates the time."""
    assert (await alice.ask("PUT", OPENED)).status_code == 204
    world.now = NOW + timedelta(hours=1)
    assert (await alice.ask("PUT", OPENED)).status_code == 204
    assert list(world.feedback.kept.values()) == [
        {"opened": {ONE.id: ArticleMark(ONE, world.now, None)}, "dismissed": {}}
    ]
    assert await alice.delete(OPENED) == 204
    assert await alice.delete(OPENED) == 404


async def test_a_dismissal_keeps_its_latest_reason(world, alice):
    """Each request replaces the reason."""
    for reason in Dismissal:
        assert (await alice.ask("PUT", DISMISSED, json={"reason": reason})).status_code == 204
        ((mark,),) = [kept["dismissed"].values() for kept in world.feedback.kept.values()]
        assert (mark.article, mark.reason) == (ONE, reason)
    assert await alice.delete(DISMISSED) == 204
    assert await alice.delete(DISMISSED) == 404


@pytest.mark.parametrize(
    "body", [{}, {"reason": "bored"}, {"reason": None}, {"reason": "hide", "why": "x"}]
)
async def test_a_dismissal_without_a_valid_reason_is_refused(world, alice, body):
    """The 400 names the member, and nothing is kept."""
    status, answered = await alice.put(DISMISSED, **body)
    assert (status, answered["code"]) == (400, "invalid_body")
    assert answered["errors"][0]["field"] == ("why" if "why" in body else "reason")
    assert not any(kept["dismissed"] for kept in world.feedback.kept.values())


@pytest.mark.parametrize(
    ("article_id", "status"),
    [("a_" + "z" * 20, 404), ("a_x", 404), ("1", 404), ("%00", 400), ("x" * 300, 404)],
)
@pytest.mark.parametrize(("path", "more"), BOTH)
async def test_feedback_on_an_unknown_or_invalid_id_is_refused(
    alice, article_id, status, path, more
):
    """An unknown or malformed id is a 404; invalid text is a 400."""
    response = await alice.ask("PUT", path.replace(ONE.id, article_id), **more)
    assert await code(response) == (status, "not_found" if status == 404 else "invalid_parameter")
    assert await alice.delete(path.replace(ONE.id, article_id)) == status


@pytest.mark.parametrize(("path", "more"), BOTH)
async def test_item_30_feedback_belongs_to_one_person(world, alice, path, more):
    """Alice cannot delete Bob's feedback.

    Her own feedback on the same article does not change his.
    """
    bob = await Person.of(world, "bob")
    assert (await bob.ask("PUT", path, **more)).status_code == 204
    (before,) = [dict(kept) for kept in world.feedback.kept.values()]
    assert await code(await alice.ask("DELETE", path)) == (404, "not_found")
    world.now = NOW + timedelta(hours=1)
    await alice.ask("PUT", path, **({"json": {"reason": "less_like_this"}} if more else {}))
    assert before in world.feedback.kept.values()
    assert await bob.delete(path) == 204


async def test_the_export_has_the_persons_own_feedback(world, alice):
    """Each entry has its article and its time, but not the article's content."""
    world.desk.archived[TWO.id] = evolve(
        world.desk.archived[TWO.id], article=evolve(TWO, published_at_estimated=True)
    )
    bob = await Person.of(world, "bob")
    assert (
        (await alice.get("/me/export"))["opened"],
        (await alice.get("/me/export"))["dismissed"],
    ) == ([], [])
    await bob.ask("PUT", DISMISSED, json={"reason": "hide"})
    await alice.ask("PUT", OPENED)
    await alice.ask("PUT", DISMISSED.replace(ONE.id, TWO.id), json={"reason": "less_like_this"})
    body = await alice.get("/me/export")
    ((opened,), (dismissed,)) = (body["opened"], body["dismissed"])
    assert (opened["id"], opened["opened"]) == (ONE.id, {"opened_at": "2026-03-01T12:00:00.000Z"})
    assert (
        dismissed["id"],
        dismissed["dismissed"]["reason"],
        dismissed["published_at_estimated"],
    ) == (TWO.id, "less_like_this", True)


async def test_feedback_is_deleted_with_the_account(world, alice):
    """Bob's feedback stays."""
    bob = await Person.of(world, "bob")
    for person in (alice, bob):
        for path, more in BOTH:
            await person.ask("PUT", path, **more)
    assert await alice.delete("/me") == 204
    assert len(world.feedback.kept) == 1
    assert len((await bob.get("/me/export"))["opened"]) == 1

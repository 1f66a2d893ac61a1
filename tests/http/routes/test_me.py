"""/me and /me/export: the account, its export and its deletion."""

import json
from datetime import timedelta

import pytest
from attrs import evolve

from newsintel.domain.accounts.model import Tokens
from newsintel.errors import BusyError, SignInUnavailableError, UnavailableError
from newsintel.http.routes import exports
from tests.http.personal_world import ONE, Person, code, past_search, world_with_articles
from tests.http.world import NOW, article


async def test_the_account_shows_its_public_id():
    """It never shows the id of the row."""
    alice = await Person.of(world_with_articles())
    assert await alice.get("/me") == {
        "id": "u_" + "b" * 20,
        "username": "alice",
        "provider": "dev",
        "created_at": "2026-03-14T12:00:00.000Z",
        "last_login_at": "2026-03-14T12:00:00.000Z",
        "stopped_searches": [],
    }


async def test_deletion_revokes_the_tokens_of_the_provider():
    """It also succeeds if the provider is unavailable; the response removes the cookie."""
    world = world_with_articles()
    for failure in (None, SignInUnavailableError("away")):
        alice = await Person.of(world)
        (user_id,) = world.accounts.kept
        tokens = Tokens("a", "r", NOW + timedelta(hours=1))
        world.tokens.kept[user_id, "reddit"] = tokens
        world.provider.raises = failure
        response = await alice.ask("DELETE", "/me")
        assert (response.status_code, await response.get_data()) == (204, b"")
        assert response.headers["Set-Cookie"].startswith("newsintel_dev=;")
        assert (world.tokens.kept, world.accounts.kept, world.sessions.kept) == ({}, {}, {})
        assert world.provider.revoked.pop() == tokens


async def test_deletion_succeeds_without_redis():
    """The account's row is gone, so its remaining sessions count as anonymous."""
    world = world_with_articles()
    alice = await Person.of(world)

    async def away(user_id):
        raise UnavailableError("redis is away")

    world.sessions.end_user_sessions = away
    assert await alice.delete("/me") == 204
    assert await code(await alice.ask("GET", "/me")) == (401, "unauthenticated")


async def test_a_failed_deletion_changes_nothing():
    """During a PostgreSQL outage the account keeps its sessions and its data."""
    world = world_with_articles()
    alice = await Person.of(world)
    await alice.put(f"/me/saved/{ONE.id}")
    world.own_history.away = True
    assert await code(await alice.ask("DELETE", "/me")) == (503, "archive_timeout")
    assert len((await alice.get("/me/saved"))["articles"]) == 1


@pytest.mark.parametrize("rows", [1, 2, 3, 100])
async def test_the_export_has_everything(rows, monkeypatch):
    """The file is one JSON document with every list whole and in order, and without secrets.

    The size of the pages that it is read in does not matter.
    """
    monkeypatch.setattr(exports, "PAGE_ROWS", rows)
    world = world_with_articles()
    one = world.desk.archived[ONE.id]
    world.desk.archived[ONE.id] = evolve(
        one, article=evolve(one.article, content='the "whole" story')
    )
    alice = await Person.of(world)
    for number in (1, 2, 3):
        world.now = NOW - timedelta(hours=number)
        await alice.put(f"/me/saved/{article(number).id}", notes=f"note, {number}]")
    await alice.put("/me/preferences/topics", value=["AI"])
    world.own_history.kept[1] = [past_search(number) for number in (1, 2, 3)]
    made = await (
        await alice.ask("POST", "/me/keys", json={"name": "my program", "scope": "read"})
    ).get_json()
    bob = await Person.of(world, "bob")
    await bob.put(f"/me/saved/{article(4).id}", notes="bob's")
    response = await alice.download("/me/export")
    assert response.content_type == "application/json"
    assert response.headers["Content-Disposition"] == 'attachment; filename="newsintel-export.json"'
    text = await response.get_data(as_text=True)
    body = json.loads(text)
    assert body["account"] | {"stopped_searches": []} == await alice.get("/me")
    assert body["identities"] == [{"provider": "dev", "subject": "alice"}]
    assert body["preferences"] == {"topics": ["AI"]}
    assert [(save["id"], save["saved"]["notes"]) for save in body["saved"]] == [
        (article(number).id, f"note, {number}]") for number in (1, 2, 3)
    ]
    assert body["saved"][0]["content"] == 'the "whole" story'
    assert [search["query"] for search in body["searches"]] == ["query 1", "query 2", "query 3"]
    assert [session["client"] for session in body["sessions"]] == ["a browser"]
    assert [key["name"] for key in body["keys"]] == ["my program"]
    assert "bob" not in text
    secrets = (
        made["key"],
        *world.accounts.keys,
        *world.sessions.kept,
        alice.headers["Cookie"].partition("=")[2],
    )
    assert not any(secret in text for secret in secrets)


async def test_the_export_of_an_empty_account_is_complete():
    """Every member is present and empty."""
    body = await (await Person.of(world_with_articles())).get("/me/export")
    assert (body["preferences"], body["saved"], body["searches"]) == ({}, [], [])


async def test_an_export_retries_while_the_archive_is_busy(monkeypatch, autojump_clock):
    """The 200 cannot be taken back once it is sent, so the file must be whole."""
    monkeypatch.setattr(exports, "PAGE_ROWS", 1)
    world = world_with_articles()
    alice = await Person.of(world)
    for number in (1, 2, 3):
        await alice.put(f"/me/saved/{article(number).id}")
    page, asked = world.saved.list_page, []

    async def rarely(*args, **values):
        asked.append(args)
        if len(asked) % 4:
            raise BusyError("no room")
        return await page(*args, **values)

    monkeypatch.setattr(world.saved, "list_page", rarely)
    export = await alice.download("/me/export")
    assert len(json.loads(await export.get_data())["saved"]) == 3
    assert len(asked) > 8


async def test_a_list_that_shrinks_during_the_export_stays_valid_json(monkeypatch):
    """Rows that are deleted meanwhile leave no gap in the JSON."""
    monkeypatch.setattr(exports, "PAGE_ROWS", 1)
    world = world_with_articles()
    alice = await Person.of(world)
    world.own_history.kept[1] = [past_search(number) for number in (1, 2)]
    page = world.own_history.list_page

    async def page_then_clear(user_id, limit, after):
        found = await page(user_id, limit, after)
        world.own_history.kept[1] = []
        return found

    world.own_history.list_page = page_then_clear
    assert [search["query"] for search in (await alice.get("/me/export"))["searches"]] == [
        "query 1"
    ]

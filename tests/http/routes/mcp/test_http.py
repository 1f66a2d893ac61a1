"""MCP over HTTP, with the official SDK's own client on the real server."""

import json

import httpx2
import pytest
import trio
from attrs import evolve
from jsonschema import Draft202012Validator
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from newsintel.domain.archive.model import Hit
from newsintel.domain.search.article import ArchivedArticle
from newsintel.domain.search.outcome import Status
from newsintel.http.bodies import mcp
from newsintel.http.routes.mcp import door, server
from tests.fakes.accounts import program
from tests.fakes.basics import MemorySearch
from tests.http.server.test_listener import serving
from tests.http.world import NOW, Desk, World, answer, article, outcome
from tests.waiting import PATIENCE_S

NAMES = ["search", "fetch", "archive_search", "similar", "trending", "story"]


def make_world(**more):
    """Return a world whose archive has article 1, in Turkish."""
    world = World(**more)
    one = evolve(article(1), title="İstanbul’da tren 🚆", content="Birinci satır.\n" * 900)
    world.desk.archived[one.id] = ArchivedArticle(one, NOW, NOW, one.id, group_id=one.id)
    return world


async def call(served, name, arguments, **more):
    """Return the result of one call."""
    async with Client(f"{served.url}/mcp", **more) as client:
        return await client.call_tool(name, arguments)


@pytest.mark.parametrize("mode", ["legacy", "auto", "2026-07-28"])
async def test_tools_are_listed_with_their_constraints(mode):
    """By the handshake of 2025, by discovery, and by the version without a handshake."""
    async with serving(make_world()) as served, Client(f"{served.url}/mcp", mode=mode) as client:
        tools = (await client.list_tools()).tools
    assert [tool.name for tool in tools] == NAMES
    for tool in tools:
        Draft202012Validator.check_schema(tool.input_schema)
        Draft202012Validator.check_schema(tool.output_schema)
        assert tool.annotations.read_only_hint
    takes = tools[0].input_schema
    assert takes["required"] == ["query"]
    assert takes["properties"]["limit"]["maximum"] == 100
    assert takes["properties"]["query"]["maxLength"] == 256


async def test_a_search_says_how_each_source_answered():
    """The result matches the tool's schema, is at most 4 KB, and goes to the history."""
    world = make_world()
    async with serving(world) as served:
        result = await call(served, "search", {"query": "trains", "limit": 2})
    found = result.structured_content
    assert json.loads(result.content[0].text) == found
    assert found["sources"] == {
        "newsapi": {"status": "disabled", "kept": 0},
        "guardian": {"status": "ok", "kept": 3},
    }
    assert (len(found["results"]), found["total"], found["has_more"]) == (2, 3, True)
    assert world.desk.asked[0].text == "trains"
    recorded = world.inbox[1].receive_nowait()
    assert recorded.query == "trains"


async def test_a_failed_search_is_an_error_that_the_model_can_read():
    """With the status of each source."""

    def fail(query):
        return answer(query, outcome(Status.TIMEOUT), articles=0)

    async with serving(World(desk=Desk(made_by=fail))) as served:
        result = await call(served, "search", {"query": "trains"})
    assert result.is_error
    assert "sources_timed_out" in result.content[0].text
    assert '"guardian":"timeout"' in result.content[0].text


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({}, "query"),
        ({"query": ""}, "query"),
        ({"query": "x", "limit": 500}, "limit"),
        ({"query": "x", "sources": ["bbc"]}, "sources"),
        ({"query": "x", "explain": "1"}, "explain"),
        ({"query": "-x"}, "q"),
        ({"query": "x", "from": "yesterday"}, "from"),
    ],
)
async def test_wrong_arguments_are_named(arguments, named):
    """By the schema, or by the route that knows more."""
    async with serving(make_world()) as served:
        result = await call(served, "search", arguments)
    assert result.is_error
    assert named in result.content[0].text


async def test_an_unknown_tool_is_an_error_of_the_protocol():
    """The message names the tools."""
    async with serving(make_world()) as served, Client(f"{served.url}/mcp") as client:
        with pytest.raises(MCPError, match="archive_search"):
            await client.call_tool("delete_everything", {})


async def test_a_long_article_comes_in_parts():
    """Each part has at most 4 KB; together they are the text."""
    world, parts, offset = make_world(), [], 0
    async with serving(world) as served, Client(f"{served.url}/mcp") as client:
        while offset is not None:
            given = {"id": article(1).id, "offset": offset}
            result = await client.call_tool("fetch", given)
            assert len(result.content[0].text.encode()) <= 4096
            parts.append(result.structured_content["text"])
            offset = result.structured_content.get("next_offset")
        missing = await client.call_tool("fetch", {"id": "a_" + "z" * 20})
    assert "".join(parts) == "Birinci satır.\n" * 900
    assert missing.is_error


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("archive_search", {"query": "trains", "limit": 3}),
        ("similar", {"id": article(1).id}),
        ("trending", {"window": "7d"}),
        ("story", {"id": article(1).id}),
    ],
)
async def test_every_other_tool_answers(name, arguments):
    """The client checks each result against the tool's schema."""
    async with serving(make_world()) as served:
        result = await call(served, name, arguments)
    assert not result.is_error, result.content
    assert len(result.content[0].text.encode()) <= 4096


async def test_a_key_is_a_bearer_token():
    """The search counts for its account; a bad key is told where to learn more (RFC 9728)."""
    world = make_world()
    headers = await program(world)
    async with serving(world, NEWSINTEL_PUBLIC_URL="http://localhost:8000") as served:
        async with httpx2.AsyncClient(headers=headers) as http:
            transport = streamable_http_client(f"{served.url}/mcp", http_client=http)
            async with Client(transport) as client:
                await client.call_tool("search", {"query": "trains"})
        async with httpx2.AsyncClient() as http:
            refused = await http.post(
                f"{served.url}/mcp", json={}, headers={"Authorization": "Bearer ni_wrong"}
            )
            metadata = await http.get(f"{served.url}/.well-known/oauth-protected-resource/mcp")
    assert world.inbox[1].receive_nowait().user_id is not None
    assert refused.status_code == 401
    url = "http://localhost:8000/.well-known/oauth-protected-resource/mcp"
    assert f'resource_metadata="{url}"' in refused.headers["WWW-Authenticate"]
    assert metadata.json() == {
        "resource": "http://localhost:8000/mcp",
        "resource_name": "newsintel",
        "bearer_methods_supported": ["header"],
        "scopes_supported": ["read", "write"],
    }


async def test_a_client_that_leaves_frees_its_search():
    """The search is cancelled, and the place is free again."""
    world = make_world(desk=Desk(open=trio.Event()))
    async with serving(world) as served:
        with trio.move_on_after(PATIENCE_S) as leaving:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(call, served, "search", {"query": "trains"})
                await world.desk.arrived.wait()
                nursery.cancel_scope.cancel()
        assert not leaving.cancelled_caught
        await world.desk.left.wait()


async def test_calls_at_once_are_bounded(monkeypatch):
    """One more is answered 503 at once."""
    monkeypatch.setattr(door, "MAX_CALLS", 1)
    world = make_world(desk=Desk(open=trio.Event()))
    async with serving(world) as served, trio.open_nursery() as nursery:
        nursery.start_soon(call, served, "search", {"query": "trains"})
        await world.desk.arrived.wait()
        async with httpx2.AsyncClient() as http:
            refused = await http.post(f"{served.url}/mcp", json={})
        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) >= 1
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_there_is_no_stream_and_no_session(method):
    """The transport allows a server to refuse both with a 405."""
    async with serving(make_world()) as served, httpx2.AsyncClient() as http:
        refused = await http.request(method, f"{served.url}/mcp")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "POST")


async def test_a_page_of_another_site_is_refused():
    """A browser names the page's origin (the transport's rule against DNS rebinding)."""
    async with serving(make_world()) as served, httpx2.AsyncClient() as http:
        refused = await http.post(
            f"{served.url}/mcp", json={}, headers={"Origin": "http://evil.example"}
        )
    assert refused.status_code == 403


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"[" * 9_000, b"\xff", b"null", b'{"id": 1}'])
async def test_bad_messages_are_refused(body):
    """With a 400, never a 500."""
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    async with serving(make_world()) as served, httpx2.AsyncClient() as http:
        for version in ({}, {"MCP-Protocol-Version": "2026-07-28"}):
            refused = await http.post(f"{served.url}/mcp", content=body, headers=headers | version)
            assert refused.status_code == 400, refused.text


async def test_without_the_sdk_the_path_says_so(monkeypatch):
    """The extra is optional."""
    monkeypatch.setattr(door, "SDK", "a_package_that_nobody_has")
    async with serving(make_world()) as served, httpx2.AsyncClient() as http:
        missing = await http.post(f"{served.url}/mcp", json={})
    assert missing.status_code == 404
    assert "newsintel[mcp]" in missing.json()["detail"]


async def test_a_cursor_follows_what_was_shown():
    """What did not fit comes with the next page."""
    hits = [Hit(evolve(article(number), title="x" * 200), NOW, NOW) for number in range(1, 13)]
    seen, cursor = [], None
    world = World(archive=MemorySearch(hits))
    async with serving(world) as served, Client(f"{served.url}/mcp") as client:
        while len(seen) < 12:
            given = {"query": "x", "limit": 8, "max_bytes": 2_048, "cursor": cursor}
            result = await client.call_tool("archive_search", given)
            assert 0 < len(result.structured_content["results"]) < 8
            seen += [one["id"] for one in result.structured_content["results"]]
            cursor = result.structured_content.get("next_cursor")
    assert seen == [hit.article.id for hit in hits]
    assert cursor is None


async def test_a_bug_in_a_tool_is_logged_and_told(monkeypatch, caplog):
    """The client gets an error of the protocol without the bug's text."""

    def fail(*_):
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(mcp, "build_trend_result", fail)
    async with serving(make_world()) as served, Client(f"{served.url}/mcp") as client:
        with pytest.raises(MCPError) as told:
            await client.call_tool("trending", {})
    assert "secret" not in str(told.value)
    assert "mcp_tool_failed" in caplog.text


@pytest.mark.parametrize(
    "entries", [["guardian"] * 101, ["x"] * 9_000, {str(one): 1 for one in range(101)}]
)
async def test_a_long_list_in_an_argument_is_refused_before_it_is_read(entries, monkeypatch):
    """The library for JSON Schema takes 0.3 s for the longest one, and all others wait."""
    monkeypatch.setattr(server, "Draft202012Validator", None)  # it would fail
    async with serving(make_world()) as served:
        result = await call(served, "search", {"query": "rail", "sources": entries})
    assert result.is_error
    assert result.content[0].text == "sources: must have at most 100 entries"

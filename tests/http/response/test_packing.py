"""The compressed form of answers: the same bytes, with the header lines that say so."""

import gzip
import zlib

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from newsintel.http.application import create_app
from newsintel.http.response import packing
from newsintel.http.response.kept_answer import KeptAnswer
from newsintel.http.response.packing import (
    CHUNK_BYTES,
    describe_packed,
    pack,
    vary_by_encoding,
)
from newsintel.http.response.rendered_search import RenderedSearch
from newsintel.http.routes import finished_search
from newsintel.runtime import turns
from tests.fakes.accounts import browser, program
from tests.http.world import World

ACCEPTING = {"Accept-Encoding": "gzip, deflate, br, zstd"}
"""What browsers send."""


@given(st.binary(max_size=300), st.integers(0, 3 * CHUNK_BYTES // 300))
def test_what_is_packed_is_unpacked_as_it_was(body, times):
    """The judge is Python's gzip. Equal bodies give equal bytes."""
    assert gzip.decompress(pack(body * times)) == body * times
    assert pack(body * times) == pack(body * times)


def test_the_header_lines_name_both_forms():
    """A cache must not give the compressed form to a client that cannot read it."""
    lines = [(b"content-length", b"9"), (b"vary", b"Cookie"), (b"age", b"1")]
    varied = vary_by_encoding(lines)
    assert varied == [lines[0], (b"vary", b"Cookie, Accept-Encoding"), lines[2]]
    assert vary_by_encoding(lines[2:]) == [lines[2], (b"vary", b"Accept-Encoding")]
    assert describe_packed(varied, b"1234") == [
        (b"content-length", b"4"),
        *varied[1:],
        (b"content-encoding", b"gzip"),
    ]


async def test_pages_for_everybody_are_packed_and_those_of_people_are_not():
    """A page with a person's data must not tell about it by its length."""
    world = World()
    client = create_app(world.services).test_client(use_cookies=False)
    for path in ("/", "/?q=flood", "/?q=flood&personal=0", "/search", "/trends"):
        plain = await (await client.get(path)).get_data()
        for _ in range(2):  # from the route, and from memory
            packed = await client.get(path, headers=ACCEPTING)
            assert packed.headers["Content-Encoding"] == "gzip"
            assert packed.headers["Vary"].endswith(", Accept-Encoding")
            assert gzip.decompress(await packed.get_data()) == plain
        for owner in (await browser(world), await program(world)):
            own = await client.get(path, headers=ACCEPTING | owner)
            assert (own.status_code, own.headers.get("Content-Encoding")) == (200, None)


LISTS = (
    "/articles?q=flood",
    *(f"/articles?q=flood&format={name}" for name in ("rss", "jsonfeed", "csv")),
    *("/archive?q=flood", "/archive?q=flood&format=rss", "/archive/timeline?q=flood&bucket=day"),
    *("/archive/facets?q=flood", "/feeds.opml", "/trending", "/searches/related?q=flood"),
)
"""Answers that are the same for everybody."""


@pytest.mark.parametrize("path", LISTS)
async def test_lists_for_everybody_are_packed_for_who_takes_gzip(monkeypatch, path):
    """From the route, and from memory; with one tag for both forms. People get theirs as it is."""
    monkeypatch.setattr(packing, "LEAST_BYTES", 1)
    world = World()
    client = create_app(world.services).test_client(use_cookies=False)
    for _ in range(2):
        packed = await client.get(path, headers=ACCEPTING)
        assert packed.headers["Content-Encoding"] == "gzip"
        assert packed.headers["Vary"].endswith(", Accept-Encoding")
        plain = await client.get(path)
        assert "Content-Encoding" not in plain.headers
        assert plain.headers["Vary"] == packed.headers["Vary"]
        assert gzip.decompress(await packed.get_data()) == await plain.get_data()
        tag = plain.headers["ETag"]
        assert (packed.headers["ETag"], tag[:2]) == (tag, "W/")
        held = await client.get(path, headers=ACCEPTING | {"If-None-Match": tag})
        assert (held.status_code, await held.get_data()) == (304, b"")
        assert "Content-Encoding" not in held.headers  # the caller may hold the plain form
    for owner in (await browser(world), await program(world)):
        own = await client.get(path, headers=ACCEPTING | owner)
        assert (own.status_code, own.headers.get("Content-Encoding")) == (200, None)


async def test_what_nobody_wants_packed_is_not_packed(monkeypatch):
    """Made for a proxy without gzip; short; made for a person."""
    for made, name in ((RenderedSearch, "pack"), (KeptAnswer, "add_packed")):
        monkeypatch.setattr(made, name, None)
    world = World()
    client = create_app(world.services).test_client(use_cookies=False)
    refusing = {"Accept-Encoding": "gzip;q=0, br"}
    for path in ("/articles?q=flood", "/archive?q=flood"):
        for headers in ({}, refusing):
            answer = await client.get(path, headers=headers)
            assert (answer.status_code, "Content-Encoding" in answer.headers) == (200, False)
    monkeypatch.setattr(packing, "LEAST_BYTES", 10**9)
    for path in ("/articles?q=fire", "/archive?q=fire"):
        assert (await client.get(path, headers=ACCEPTING)).status_code == 200


async def test_a_stream_is_not_packed_and_neither_is_the_answer_that_it_keeps(monkeypatch):
    """Both have the same bytes, and a client that takes gzip gets them as they are."""
    monkeypatch.setattr(packing, "LEAST_BYTES", 1)
    client = create_app(World().services).test_client(use_cookies=False)
    stream = await client.get("/articles/stream?q=flood", headers=ACCEPTING)
    assert "Content-Encoding" not in stream.headers
    events = await stream.get_data()
    kept = await client.get("/articles?q=flood", headers=ACCEPTING)
    assert "Content-Encoding" not in kept.headers
    assert b"event: done" in events
    assert await kept.get_data() in events


@pytest.mark.parametrize("path", [*LISTS, "/?q=flood&stream=0", "/trends", "/search?q=flood"])
async def test_a_crowd_has_its_answer_packed_once(monkeypatch, path):
    """One caller compresses, all others wait for it, also where others run after each slice."""
    monkeypatch.setattr(packing, "LEAST_BYTES", 1)
    monkeypatch.setattr(turns, "TURN_S", 0.0)
    packed, compressobj = [], zlib.compressobj

    def count(*given):
        packed.append(given)
        return compressobj(*given)

    world = World()
    client = create_app(world.services).test_client(use_cookies=False)
    monkeypatch.setattr(zlib, "compressobj", count)
    answers = []

    async def ask():
        answers.append(await client.get(path, headers=ACCEPTING))

    async with trio.open_nursery() as crowd:
        for _ in range(20):
            crowd.start_soon(ask)
    assert [answer.headers["Content-Encoding"] for answer in answers] == ["gzip"] * 20
    assert len({await answer.get_data() for answer in answers}) == 1
    assert len(packed) == 1


async def test_a_crowd_has_its_search_rendered_once(monkeypatch):
    """Who waits for the page does not make it too."""
    monkeypatch.setattr(turns, "TURN_S", 0.0)
    made, render = [], finished_search.render_search

    def count(*given, **more):
        made.append(given)
        return render(*given, **more)

    monkeypatch.setattr(finished_search, "render_search", count)
    client = create_app(World().services).test_client(use_cookies=False)
    async with trio.open_nursery() as crowd:
        for _ in range(20):
            crowd.start_soon(client.get, "/articles?q=flood&limit=100")
    assert len(made) == 1


async def test_the_description_is_sent_packed():
    """It has hundreds of kilobytes."""
    client = create_app(World().services).test_client(use_cookies=False)
    packed = await (await client.get("/openapi.json", headers=ACCEPTING)).get_data()
    plain = await (await client.get("/openapi.json")).get_data()
    assert gzip.decompress(packed) == plain
    assert len(packed) < len(plain) / 10

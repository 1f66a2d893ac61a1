"""The compressed form of answers: the same bytes, with the header lines that say so."""

import gzip

from hypothesis import given
from hypothesis import strategies as st

from newsintel.http.application import create_app
from newsintel.http.response.packing import (
    CHUNK_BYTES,
    describe_packed,
    pack,
    vary_by_encoding,
)
from tests.fakes.accounts import browser
from tests.http.world import World


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
    accepting = {"Accept-Encoding": "gzip, deflate, br, zstd"}
    for path in ("/", "/?q=flood", "/search", "/trends"):
        plain = await (await client.get(path)).get_data()
        for _ in range(2):  # from the route, and from memory
            packed = await client.get(path, headers=accepting)
            assert packed.headers["Content-Encoding"] == "gzip"
            assert packed.headers["Vary"].endswith(", Accept-Encoding")
            assert gzip.decompress(await packed.get_data()) == plain
        own = await client.get(path, headers=accepting | await browser(world))
        assert "Content-Encoding" not in own.headers
    assert (
        "Content-Encoding" not in (await client.get("/articles?q=flood", headers=accepting)).headers
    )

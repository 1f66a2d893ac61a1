"""GET /static/…: immutable, compressed for clients that accept it, and not counted."""

import gzip

import pytest

from newsintel.http.application import create_app
from newsintel.http.pages.assets import ASSETS
from newsintel.http.request.accepting import accepts_gzip
from tests.http.world import World


@pytest.mark.parametrize("name", sorted(ASSETS))
async def test_a_file_is_kept_for_ever(name):
    """Its address changes with its content."""
    client, asset = create_app(World().services).test_client(), ASSETS[name]
    plain = await client.get(asset.path)
    assert (plain.status_code, plain.content_type) == (200, asset.media_type)
    assert plain.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert plain.headers["Vary"] == "Accept-Encoding"
    assert plain.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert await plain.get_data() == asset.body
    packed = await client.get(asset.path, headers={"Accept-Encoding": "br, gzip;q=0.8"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(await packed.get_data()) == asset.body
    assert int(packed.headers["Content-Length"]) < len(asset.body)


async def test_another_digest_is_not_found():
    """A page of another version asks for it during an upgrade; it must not be cached for ever."""
    client = create_app(World().services).test_client()
    response = await client.get("/static/page.000000000000.css")
    assert response.status_code == 404
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        (b"gzip", True),
        (b"deflate, GZIP", True),
        (b"gzip;q=0", False),
        (b"identity", False),
        (b"", False),
        (b"gzip" + b" " * 2000, False),
    ],
)
def test_gzip_is_sent_only_to_who_accepts_it(header, accepted):
    """RFC 9110, 12.5.3; a header that is too long is ignored."""
    assert accepts_gzip([(b"accept-encoding", header)]) is accepted
    assert accepts_gzip([]) is False

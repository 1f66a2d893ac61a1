"""The files of the pages through nginx with the shipped configuration: compressed once."""

import gzip

import pytest

from newsintel.http.pages.assets import ASSETS
from tests.http.test_stream_behind_nginx import front
from tests.ops.nginx_front import NGINX

pytestmark = pytest.mark.skipif(
    NGINX is None, reason="nginx is not installed (Debian: apt-get install nginx-light)"
)


async def test_a_hashed_file_is_compressed_once(tmp_path):
    """nginx sends our own compressed form, twice the same, and the plain one to who wants it."""
    async with front(tmp_path) as behind:
        for name, asset in ASSETS.items():
            for _ in range(2):
                request = behind.client.build_request(
                    "GET", asset.path, headers={"Accept-Encoding": "gzip"}
                )
                packed = await behind.client.send(request, stream=True)
                raw = b"".join([part async for part in packed.aiter_raw()])
                encodings = packed.headers.get_list("Content-Encoding")
                assert (name, encodings) == (name, ["gzip"])
                assert gzip.decompress(raw) == asset.body
                check_kept_for_ever(packed)
            plain = await behind.client.get(asset.path, headers={"Accept-Encoding": "identity"})
            assert "Content-Encoding" not in plain.headers
            assert plain.content == asset.body
            check_kept_for_ever(plain)


def check_kept_for_ever(response):
    """A file is immutable, and caches keep its forms apart."""
    assert response.status_code == 200
    assert "immutable" in response.headers["Cache-Control"]
    names = ", ".join(response.headers.get_list("Vary")).split(", ")
    assert set(names) == {"Accept-Encoding"}

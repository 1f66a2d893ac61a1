"""Formats through nginx's shared cache, with the shipped configuration."""

import pytest
import trio

from newsintel.domain.search.outcome import Status
from newsintel.http.bodies.formats import MEDIA_TYPES, Format
from newsintel.http.response import packing
from tests.http.newsroom import NAMES
from tests.http.routes.test_stream import SAME
from tests.http.test_stream_behind_nginx import front
from tests.ops import nginx_front
from tests.ops.nginx_front import CONFIG, NGINX

pytestmark = pytest.mark.skipif(
    NGINX is None, reason="nginx is not installed (Debian: apt-get install nginx-light)"
)


async def test_nginx_keeps_each_format_apart(tmp_path):
    """Each is cached under its own key; a tag of one format is no match for another."""
    async with front(tmp_path) as behind:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(behind.client.get, SAME)
            for name in NAMES:
                await behind.room.report(name, Status.OK, f"Story of {name}")
        tags = {}
        for turn in range(2):
            for format_ in Format:
                answer = await behind.client.get(f"{SAME}&format={format_}")
                assert answer.headers["Content-Type"] == MEDIA_TYPES[format_]
                by_nginx = answer.headers["Cache-Status"].rpartition(", ")[2]
                assert by_nginx == ("nginx; hit" if turn else "nginx; fwd=miss")
                tags[format_] = answer.headers["ETag"]
        for format_ in Format:
            for of, tag in tags.items():
                headers = {"If-None-Match": tag}
                again = await behind.client.get(f"{SAME}&format={format_}", headers=headers)
                assert again.status_code == (304 if of is format_ else 200)
        assert len(set(tags.values())) == len(tags)


async def test_nginx_keeps_one_form_for_clients_of_both_kinds(tmp_path, monkeypatch):
    """Whoever comes first, a client gets a form that it accepts, with the same content."""
    monkeypatch.setattr(packing, "LEAST_BYTES", 1)
    kinds = ("gzip", "identity")
    async with front(tmp_path) as behind:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(behind.client.get, SAME)
            for name in NAMES:
                await behind.room.report(name, Status.OK, *(f"{name} {at}" for at in range(20)))
        for first, second in (kinds, kinds[::-1]):
            bodies = set()
            for coding in (first, second):
                answer = await behind.client.get(
                    f"{SAME}&limit={len(first)}", headers={"Accept-Encoding": coding}
                )
                found = answer.headers.get("Content-Encoding", "identity")
                assert found == coding
                bodies.add(answer.content)
            assert len(bodies) == 1
            assert answer.headers["Cache-Status"].endswith("nginx; hit")


async def test_a_cache_that_obeys_vary_gives_each_client_a_form_that_it_accepts(
    tmp_path, monkeypatch
):
    """Such a cache asks with the client's own codings: nginx with the shipped lines left out."""
    text = CONFIG.read_text()
    for line in ("proxy_ignore_headers Vary;", 'proxy_set_header Accept-Encoding   "";'):
        assert text.count(line) == 1
        text = text.replace(line, "")
    obeying = tmp_path / "obeying.conf"
    obeying.write_text(text.replace("gzip            on;", "gzip            off;"))
    monkeypatch.setattr(nginx_front, "CONFIG", obeying)
    monkeypatch.setattr(packing, "LEAST_BYTES", 1)
    async with front(tmp_path) as behind:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(behind.client.get, SAME)
            for name in NAMES:
                await behind.room.report(name, Status.OK, *(f"{name} {at}" for at in range(20)))
        for limit, codings in ((5, ("gzip", "identity", "br")), (6, ("identity", "gzip", "br"))):
            bodies, found = set(), []
            for coding in codings * 2:
                answer = await behind.client.get(
                    f"{SAME}&limit={limit}", headers={"Accept-Encoding": coding}
                )
                found.append(answer.headers.get("Content-Encoding"))
                assert found[-1] in (None, coding)
                bodies.add(answer.content)
                assert int(answer.headers["Content-Length"]) == answer.num_bytes_downloaded
            assert len(bodies) == 1
            assert ("gzip" in found) == (codings[0] == "gzip")
            assert answer.headers["Cache-Status"].endswith("nginx; hit")

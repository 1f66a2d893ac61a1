"""Faults that are whole, well-formed HTTP responses, wrong in what they say. Those below HTTP are in `sabotage`.

Each is named as the control endpoint knows it and made from the good reply, so that a client gets as far as it can before it notices.
"""

import gzip
import zlib
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import orjson
from attrs import evolve

from newsintel.demo.wire import JSON, Reply

BOMB_CHUNK = b" " * 1_048_576
BOMB_CHUNKS = 200
"""200 MB of blanks, which gzip makes 200 KB of."""
NESTED = 100_000
DIGITS = 5_000
"""Above the 4,300 digits that Python's int() takes from text."""
METADATA_URL = "http://169.254.170.2/v2/credentials"
"""Where ECS keeps a task's credentials: the target of a forged redirect."""
_PAGE = "<!doctype html><html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
_BLOCKED = "<html><body>You've been blocked by network security. To continue, log in or use your developer token.</body></html>"
_BAD_ROW: Mapping[str, Any] = {"url": 17, "title": None, "id": [], "webUrl": {}, "webTitle": None}
"""An article as none of the three APIs would send it."""


def _page(status: int, title: str) -> Callable[[Reply], Reply]:
    return lambda _: Reply.html(status, _PAGE.format(title=title))


def _body(make: Callable[[bytes], bytes], **headers: str) -> Callable[[Reply], Reply]:
    """The good reply with another body."""
    extra = {name.replace("_", "-"): text for name, text in headers.items()}
    return lambda reply: Reply(200, make(reply.body), {"Content-Type": JSON, **extra})


@cache
def _bomb(times: int) -> bytes:
    """A gzip file of 200 MB of blanks, made without holding them: one flushed block, repeated."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = packer.compress(BOMB_CHUNK) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = 0
    for _ in range(BOMB_CHUNKS):
        checksum = zlib.crc32(BOMB_CHUNK, checksum)
    header = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
    end = packer.flush() + checksum.to_bytes(4, "little") + (len(BOMB_CHUNK) * BOMB_CHUNKS).to_bytes(4, "little")
    packed = header + block * BOMB_CHUNKS + end
    return packed if times == 1 else gzip.compress(packed)


def _latin1(_: bytes) -> bytes:
    """JSON in the wrong encoding, with the header still saying UTF-8."""
    return '{"status": "ok", "message": "Déjà vu à Zürich"}'.encode("latin-1")


def _with_bad_row(reply: Reply) -> Reply:
    """The good answer with a broken article put before its first; a refusal stays as it is."""
    if reply.status != 200:
        return reply
    answer = orjson.loads(reply.body)
    inner = answer.get("response") or answer.get("data") or answer
    rows = inner.get("articles", inner.get("results", inner.get("children")))
    if rows is not None:
        rows.insert(0, {"kind": "t3", "data": _BAD_ROW} if "data" in answer else _BAD_ROW)
    return evolve(reply, body=orjson.dumps(answer))


REPLIES: Mapping[str, Callable[[Reply], Reply]] = {
    "403_html": lambda _: Reply.html(403, _BLOCKED),
    "429_html": _page(429, "Too Many Requests"),
    "502": _page(502, "Bad Gateway"),
    "503": _page(503, "Service Unavailable"),
    "html": _page(200, "Please sign in"),
    "redirect": lambda _: Reply.html(302, _PAGE.format(title="Found")).with_headers({"Location": METADATA_URL}),
    "truncated": _body(lambda body: body[: max(1, len(body) // 2)]),
    "zero_bytes": _body(lambda _: b""),
    "error_200": _body(
        lambda _: b'{"status": "error", "code": "apiKeyInvalid", "error": "invalid_grant", "message": "Not with status 4xx"}'
    ),
    "no_token": _body(lambda _: b'{"token_type": "bearer", "expires_in": 86400, "scope": "identity read"}'),
    "nan": _body(lambda _: b'{"status": "ok", "totalResults": NaN, "articles": []}'),
    "big_int": _body(lambda _: b'{"status": "ok", "totalResults": ' + b"9" * DIGITS + b"}"),
    "deep": _body(lambda _: b"[" * NESTED + b"]" * NESTED),
    "bom": _body(lambda body: b"\xef\xbb\xbf" + body),
    "latin1": _body(_latin1),
    "bad_row": _with_bad_row,
    "bad_gzip": _body(lambda body: body, Content_Encoding="gzip"),
    "gzip_bomb": _body(lambda _: _bomb(1), Content_Encoding="gzip"),
    "double_gzip": _body(lambda _: _bomb(2), Content_Encoding="gzip, gzip"),
}
REFUSALS: Mapping[str, int] = {"401": 401, "429": 429, "500": 500}
"""Faults for which each API has words of its own."""

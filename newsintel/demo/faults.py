"""Faults that are complete, well-formed HTTP responses with wrong content.

Faults below HTTP are in `sabotage`. Each fault has the name that the control endpoint uses. It is
made from the good reply, so that a client notices the fault as late as possible.
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
"""200 MB of spaces, about 200 KB after gzip."""
NESTED = 100_000
DIGITS = 5_000
"""Above Python's limit of 4,300 digits for int() from text."""
METADATA_URL = "http://169.254.170.2/v2/credentials"
"""Where ECS serves a task's credentials: the target of a malicious redirect."""
_PAGE = (
    "<!doctype html><html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
)
_BLOCKED = (
    "<html><body>You've been blocked by network security. "
    "To continue, log in or use your developer token.</body></html>"
)
_BAD_ROW: Mapping[str, Any] = {"url": 17, "title": None, "id": [], "webUrl": {}, "webTitle": None}
"""An article that none of the three APIs would send."""


def _make_page_fault(status: int, title: str) -> Callable[[Reply], Reply]:
    return lambda _: Reply.html(status, _PAGE.format(title=title))


def _make_body_fault(make: Callable[[bytes], bytes], **headers: str) -> Callable[[Reply], Reply]:
    """Return a fault that sends status 200 with a body made from the good body."""
    extra = {name.replace("_", "-"): text for name, text in headers.items()}
    return lambda reply: Reply(200, make(reply.body), {"Content-Type": JSON, **extra})


@cache
def _build_bomb(times: int) -> bytes:
    """Build a gzip file of 200 MB of spaces from one flushed block, without 200 MB of memory."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = packer.compress(BOMB_CHUNK) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = 0
    for _ in range(BOMB_CHUNKS):
        checksum = zlib.crc32(BOMB_CHUNK, checksum)
    header = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
    end = (
        packer.flush()
        + checksum.to_bytes(4, "little")
        + (len(BOMB_CHUNK) * BOMB_CHUNKS).to_bytes(4, "little")
    )
    packed = header + block * BOMB_CHUNKS + end
    return packed if times == 1 else gzip.compress(packed)


def _encode_latin1(_: bytes) -> bytes:
    """Return JSON in Latin-1; the header still says UTF-8."""
    return '{"status": "ok", "message": "Déjà vu à Zürich"}'.encode("latin-1")


def _insert_bad_row(reply: Reply) -> Reply:
    """Insert a broken article before the first one of a good reply. A refusal stays unchanged."""
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
    "429_html": _make_page_fault(429, "Too Many Requests"),
    "502": _make_page_fault(502, "Bad Gateway"),
    "503": _make_page_fault(503, "Service Unavailable"),
    "html": _make_page_fault(200, "Please sign in"),
    "redirect": lambda _: Reply.html(302, _PAGE.format(title="Found")).with_headers(
        {"Location": METADATA_URL}
    ),
    "truncated": _make_body_fault(lambda body: body[: max(1, len(body) // 2)]),
    "zero_bytes": _make_body_fault(lambda _: b""),
    "error_200": _make_body_fault(
        lambda _: (
            b'{"status": "error", "code": "apiKeyInvalid", '
            b'"error": "invalid_grant", "message": "Not with status 4xx"}'
        )
    ),
    "no_token": _make_body_fault(
        lambda _: b'{"token_type": "bearer", "expires_in": 86400, "scope": "identity read"}'
    ),
    "nan": _make_body_fault(lambda _: b'{"status": "ok", "totalResults": NaN, "articles": []}'),
    "big_int": _make_body_fault(
        lambda _: b'{"status": "ok", "totalResults": ' + b"9" * DIGITS + b"}"
    ),
    "deep": _make_body_fault(lambda _: b"[" * NESTED + b"]" * NESTED),
    "bom": _make_body_fault(lambda body: b"\xef\xbb\xbf" + body),
    "latin1": _make_body_fault(_encode_latin1),
    "bad_row": _insert_bad_row,
    "bad_gzip": _make_body_fault(lambda body: body, Content_Encoding="gzip"),
    "gzip_bomb": _make_body_fault(lambda _: _build_bomb(1), Content_Encoding="gzip"),
    "double_gzip": _make_body_fault(lambda _: _build_bomb(2), Content_Encoding="gzip, gzip"),
}
REFUSALS: Mapping[str, int] = {"401": 401, "429": 429, "500": 500}
"""Faults for which each API has its own reply."""

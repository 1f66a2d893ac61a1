"""Reads one plain GET or HEAD from raw bytes, or leaves it to the parser.

This reader is for requests whose answer is finished. It knows one shape of request, which nearly
all clients send, and never repairs or refuses anything: on every doubt it returns None, and h11
reads the same bytes. What it accepts has one meaning for every parser. It enforces, by RFC 9112:

- 2.1, 2.2: the head ends with an empty line; each line ends with CRLF and has no other CR or LF. No
  empty line comes before the request line. No byte follows the head: no body, no second request.
- 3: one space between method, target and version; the method is GET or HEAD, the version HTTP/1.1.
- 3.2: exactly one Host.
- 3.2.1: the target is in origin-form, and a path and query as RFC 3986 spells them. The path has no
  percent sign, so it needs no decoding.
- 5, 5.1: a field name is a token with the colon directly behind it. A value is printable ASCII,
  spaces and tabs: no NUL, no other control character, nothing outside ASCII.
- 5.2: no folded line.
- 6: no Content-Length and no Transfer-Encoding, not even of zero, so no body.
- 9.3, 9.6: the connection stays open: Connection is absent or is `keep-alive`, once.
- RFC 9110, 7.8, 10.1.1: no Upgrade and no Expect.

A request with a credential is left to the parser too: its answer may be one person's.
"""

import re

from newsintel.http.asgi import Scope

MAX_BYTES = 8192
"""Half of what the parser accepts. Browsers send 1 to 2 KiB without cookies."""
MAX_FIELDS = 64
"""Half of what the parser accepts."""

_REQUEST_LINE = re.compile(
    rb"(GET|HEAD) (/[A-Za-z0-9._~!$&'()*+,;=:@/-]*+)(?:\?([A-Za-z0-9._~!$&'()*+,;=:@/?%-]*+))?"
    rb" HTTP/1\.1"
)
_FIELD = re.compile(rb"([A-Za-z0-9!#$%&'*+.^_`|~-]++):([\t -~]*+)")
"""A field line; the value still has its optional white space. No part can match in two ways, so
the time is linear in the length."""

_LEFT_TO_THE_PARSER = frozenset(
    {
        *(b"content-length", b"transfer-encoding", b"te", b"trailer"),
        *(b"expect", b"upgrade", b"http2-settings", b"keep-alive", b"proxy-connection"),
        *(b"authorization", b"proxy-authorization", b"cookie"),
    }
)


def read_plain_head(data: bytes, client: tuple[str, int] | None) -> Scope | None:
    """Return the ASGI scope of the request that the bytes are; None = the parser must read them.

    Args:
        data: everything received since the last request.
        client: the client's address and port.
    """
    if len(data) > MAX_BYTES or not data.endswith(b"\r\n\r\n"):
        return None
    first, *lines = data[:-4].split(b"\r\n")
    found = _REQUEST_LINE.fullmatch(first)
    if found is None or len(lines) > MAX_FIELDS:
        return None
    headers = _read_fields(lines)
    if headers is None:
        return None
    method, path, query = found.groups(b"")
    return {
        "type": "http",
        "method": method.decode(),
        "path": path.decode(),
        "raw_path": path,
        "query_string": query,
        "headers": headers,
        "client": client,
        "state": {},
    }


def _read_fields(lines: list[bytes]) -> list[tuple[bytes, bytes]] | None:
    """Return the header lines, names in small letters; None if one is not plain."""
    headers, hosts, connections = [], 0, 0
    for line in lines:
        if (found := _FIELD.fullmatch(line)) is None:
            return None
        name, value = found[1].lower(), found[2].strip(b" \t")
        if name in _LEFT_TO_THE_PARSER:
            return None
        if name == b"connection":
            connections += 1
            if value.lower() != b"keep-alive":
                return None
        hosts += name == b"host"
        headers.append((name, value))
    return headers if hosts == 1 and connections <= 1 else None

"""Requests for the differential test: well-formed, odd and hostile, each with what is special."""

from newsintel.http.pages.assets import ASSETS

HOST = b"Host: localhost\r\n"
PATHS = (
    *(b"/articles?q=a", b"/articles?q=flood&limit=2", b"/articles?q=a&page=2", b"/health"),
    *(*(asset.path.encode() for asset in ASSETS.values()), b"/openapi.json", b"/docs"),
    *(b"/", b"/?q=a", b"/search?q=a", b"/trends"),
    *(b"/archive?q=a", b"/archive/facets", b"/trending", b"/sources", b"/searches/related?q=a"),
)
"""Answers that are finished, once they were asked for."""
MOMENTARY = (b"/health", b"/sources")
"""Those of which there is no compressed form."""
FIRST_PLAIN = (b"/articles?q=a&page=2", b"/archive/facets")
"""Those that a client without gzip asks for first."""

OTHER_PATHS = (
    *(
        b"/?",
        b"/nothing",
        b"/articles",
        b"/articles?",
        b"/articles/",
        b"//articles?q=a",
        b"/sources?x=1",
        b"/archive?q=a&limit=0",
    ),
    *(b"/health/ready", b"/health?", b"/health?x=1", b"/health/", b"/%68ealth", b"/articles%3Fq=a"),
    *(b"/articles?q=a&q=b", b"/articles?q=%61", b"/articles?q=a&", b"/articles?Q=a", b"/me"),
    *(
        b"/articles;x?q=a",
        b"/./health",
        b"/../health",
        b"/health#x",
        b'/articles?q="a"',
        b"/HEALTH",
    ),
    *(b"http://localhost/health", b"http://evil.test/health", b"HTTP://localhost/articles?q=a"),
    *(b"localhost:80", b"*", b"health", b"?q=a", b"/\x00", b"/\xc3\xa4", b"/\x7f", b"/a b"),
)

HARMLESS = (
    *(
        b"User-Agent: curl/8.5.0",
        b"Accept: */*",
        b"Accept-Encoding: gzip, br",
        b"Accept-Encoding: gzip",
        b"accept-encoding:br\r\nACCEPT-ENCODING:\t GZIP;q=0.1 ",
        b"X:",
        b"X: \ta\t b ",
    ),
    *(
        b"Connection: keep-alive",
        b"connection: Keep-Alive",
        b"If-None-Match: *",
        b"Range: bytes=0-9",
    ),
    *(b'If-None-Match: W/"x"', b'If-None-Match: "x"\r\nIf-None-Match: *', b"If-Match: *"),
    *(b"Origin: https://a.example", b"Origin: https://b.example", b"Origin: null", b"Origin:"),
    *(b"Origin: https://b.example\r\nOrigin: https://a.example", b"Sec-Fetch-Site: cross-site"),
    *(b"X-Request-Id: mine-1", b"X-Request-Id: a b", b"X-Request-Id: a\r\nX-Request-Id: b"),
    *(b"X-Forwarded-For: 203.0.113.7", b"X-Forwarded-For: x, 203.0.113.8, 10.0.0.1"),
    *(b"X-Forwarded-Host: evil.test", b"Forwarded: host=evil.test", b"Cache-Control: no-cache"),
    *(b"X-HTTP-Method-Override: POST", b"X-Original-URL: /me", b"Via: 1.1 a", b"Max-Forwards: 0"),
    *(b"Accept-Encoding: gzip;q=0", b"Accept-Encoding: *", b"Accept-Encoding: identity;q=0"),
    *(b"Accept-Encoding: gzip\r\nAccept-Encoding: gzip;q=0", b"Accept-Encoding: x-gzip"),
    *(b"Accept-Encoding: gzip;q=0.1, identity", b"Accept-Encoding:", b"Accept-Encoding: gzip;q=x"),
    *(b"Access-Control-Request-Method: GET", b"Accept: application/json;q=0", b"DNT: 1"),
)

CREDENTIALS = (
    *(b"Authorization: Bearer ni_wrong", b"Authorization: Basic YTpi", b"Authorization:"),
    *(b"Cookie: newsintel_dev=x", b"Cookie: a=b", b"cookie:", b"Proxy-Authorization: Basic x"),
)

FRAMING = (
    *(b"Content-Length: 0", b"Content-Length: 3", b"Content-Length: 3, 3", b"Content-Length: x"),
    *(b"Content-Length: -1", b"Content-Length: +3", b"Content-Length: 99999999999"),
    *(
        b"Content-Length: 3\r\nContent-Length: 4",
        b"Content-Length: 3\r\nTransfer-Encoding: chunked",
    ),
    *(
        b"Transfer-Encoding: chunked",
        b"Transfer-Encoding: xchunked",
        b"Transfer-Encoding: identity",
    ),
    *(b"Transfer-Encoding: chunked, chunked", b"Transfer-Encoding: gzip, chunked"),
    *(
        b"Transfer-Encoding : chunked",
        b"Transfer-Encoding\t: chunked",
        b"Transfer-Encoding:\x0bchunked",
    ),
    *(
        b"Transfer-Encoding:\r\n chunked",
        b"X: y\r\nTransfer-Encoding: chunked\r\n",
        b"TE: trailers",
    ),
    *(b"X: y\nTransfer-Encoding: chunked", b"X: y\rContent-Length: 3", b"Content_Length: 3"),
    *(b"Trailer: Host", b"Content-Encoding: gzip"),
)

CONNECTION = (
    *(b"Connection: close", b"Connection: CLOSE", b"Connection:", b"Connection: keep-alive, close"),
    *(b"Connection: close, keep-alive", b"Connection: keep-alive\r\nConnection: close"),
    *(b"Connection: keep-alive\r\nConnection: keep-alive", b"Connection: x-foo", b"Connection: ,"),
    *(b"Connection: Host", b"Connection: Transfer-Encoding", b"Keep-Alive: timeout=1, max=1"),
    *(b"Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__", b"Upgrade: h2c"),
    *(b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x", b"Upgrade: TLS/1.0"),
    *(b"Expect: 100-continue", b"Expect: x", b"Expect: 100-continue\r\nContent-Length: 3"),
    *(b"Proxy-Connection: close", b"Connection: keep-alive\x0b", b'Connection: "close"'),
)

MALFORMED = (
    *(
        b" X: y",
        b"\tX: y",
        b"X: y\r\n folded",
        b"X:\r\n\tfolded",
        b"X",
        b": y",
        b"X : y",
        b"X y: z",
    ),
    *(
        b"X: \x00",
        b"X\x00: y",
        b"X: a\x01b",
        b"X: \x7f",
        b"X: \x80\xff",
        b"\xff: y",
        b"X: y\n",
        b"X: y\r",
    ),
    *(b"X: y\nY: z", b"X: y\rY: z", b"\r\n", b"\n", b"GET / HTTP/1.1", b"Host", b"X: y\r\n\x00"),
)

HOSTS = (
    *(
        b"",
        b"Host:\r\n",
        b"Host: localhost:80\r\n",
        b"HOST: LOCALHOST\r\n",
        b"Host: localhost.\r\n",
    ),
    *(
        b"Host:localhost\r\n",
        b"Host:\t localhost \r\n",
        b"Host: evil.test\r\n",
        b"Host: 127.0.0.1\r\n",
    ),
    *(
        HOST * 2,
        HOST + b"Host: evil.test\r\n",
        b"Host: localhost, evil.test\r\n",
        b"Host: [::1]\r\n",
    ),
    *(
        b"Host: a@localhost\r\n",
        b"Host : localhost\r\n",
        b"Host: localhost\x00\r\n",
        b"Host: a..b\r\n",
    ),
    *(b"Host: local\r\n host\r\n", b"Host: localhost:x\r\n", b"Host: localhost/\r\n"),
)

VERSIONS = (
    *(b"HTTP/1.0", b"HTTP/1.2", b"HTTP/1.9", b"HTTP/0.9", b"HTTP/2.0", b"HTTP/3.0", b"http/1.1"),
    *(
        b"HTTP/1.1 ",
        b"HTTP/1.11",
        b"HTTP/11",
        b"HTTP/1,1",
        b"HTTP/ 1.1",
        b"",
        b"\x00",
        b"HTTP/1.1\x0b",
    ),
)

METHODS = (
    *(b"POST", b"PUT", b"DELETE", b"OPTIONS", b"TRACE", b"CONNECT", b"PATCH", b"PROPFIND", b"PRI"),
    *(
        b"get",
        b"Get",
        b"G",
        b"GET ",
        b" GET",
        b"GET\t",
        b"GET\x00",
        b"GET\r\n",
        b"\r\nGET",
        b"\nGET",
    ),
)

ENDS = (b"\n", b"\r", b"\r\r\n", b"\r\n\r\n", b" \r\n", b"\x00\r\n", b"\r\n\x00")
"""Line ends that are not CRLF."""

AFTER = (
    *(b"abc", b"\r\n", b"\n", b"0\r\n\r\n", b"3\r\nabc\r\n0\r\n\r\n", b"\x00", b"x" * 5_000),
    *(
        b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /sources HTTP/1.1\r\nHost: evil.test\r\n\r\n",
    ),
    *(
        b"GET /articles?q=a HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ),
    *(b"GET /me HTTP/1.1\r\nHost: localhost\r\nX: ", b"HEAD /health HTTP/1.1\r\nHo"),
)
"""What may follow a head: a body, a second request, a part of one, rubbish."""

LONG = (
    b"X: " + b"a" * 8_000,
    b"X: " + b"a" * 8_192,
    b"X: " + b"a" * 16_384,
    b"X: " + b"a" * 70_000,
    b"\r\n".join([b"X: y"] * 63),
    b"\r\n".join([b"X: y"] * 64),
    b"\r\n".join([b"X: y"] * 129),
    b"X" * 9_000 + b": y",
    b"X:" + b" " * 7_000 + b"y",
    b"X: " + b"a \t" * 2_000,
)


def build(*, method, path, version, host, fields, end=b"\r\n"):
    """Return the bytes of a request."""
    lines = b"".join(field + end for field in fields)
    return method + b" " + path + (b" " + version if version else b"") + end + host + lines + end


def make_plain(dice):
    """Return a request that most clients could send."""
    fields = dice.sample(HARMLESS, dice.choice((0, 0, 1, 2, 4)))
    method = dice.choice((b"GET", b"GET", b"GET", b"HEAD"))
    host = dice.choice((HOST, HOST, HOST, b"Host: localhost:8000\r\n", b"hOST:127.0.0.1\r\n"))
    path = dice.choice(PATHS)
    return build(method=method, path=path, version=b"HTTP/1.1", host=host, fields=fields)


def make_odd(dice):
    """Return a request with one to three special parts."""
    part = {"method": b"GET", "path": dice.choice(PATHS), "version": b"HTTP/1.1", "host": HOST}
    fields, end, after = dice.sample(HARMLESS, dice.choice((0, 0, 1, 2))), b"\r\n", b""
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        match dice.randrange(8):
            case 0:
                part["method"] = dice.choice(METHODS)
            case 1:
                part["path"] = dice.choice(OTHER_PATHS)
            case 2:
                part["version"] = dice.choice(VERSIONS)
            case 3:
                part["host"] = dice.choice(HOSTS)
            case 4 | 5:
                kinds = (CREDENTIALS, FRAMING, FRAMING, CONNECTION, CONNECTION, MALFORMED, LONG)
                fields.insert(dice.randrange(len(fields) + 1), dice.choice(dice.choice(kinds)))
            case 6:
                after = dice.choice(AFTER)
            case 7:
                end = dice.choice((b"\r\n", b"\r\n", b"\n", dice.choice(ENDS)))
    return build(**part, fields=fields, end=end) + after


def make_broken(dice):
    """Return a request with random bytes replaced, added or removed."""
    data = bytearray(dice.choice((make_plain, make_odd))(dice))
    for _ in range(dice.choice((1, 1, 2, 5))):
        at = dice.randrange(len(data) + 1)
        match dice.randrange(4):
            case 0:
                data[at:at] = dice.choice(
                    (b"\x00", b"\r", b"\n", b" ", b"\t", b":", b"\xff", b"%00")
                )
            case 1:
                del data[at : at + dice.choice((1, 1, 2, 9))]
            case 2:
                data[at : at + 1] = bytes([dice.randrange(256)])
            case 3:
                data[at:] = b""
    return bytes(data)


def make_connection(dice):
    """Return the parts that one client sends, in order."""
    parts = []
    for _ in range(dice.choice((1, 2, 3, 6))):
        made = dice.choices((make_plain, make_odd, make_broken), (5, 4, 2))[0](dice)
        cuts = sorted(dice.randrange(len(made) + 1) for _ in range(dice.choice((0, 0, 0, 1, 3))))
        parts += [made[a:b] for a, b in zip([0, *cuts], [*cuts, len(made)], strict=True)]
    return [part for part in parts if part]

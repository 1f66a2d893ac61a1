"""The reader of plain requests, judged by h11: it must never read something else than h11 does."""

import h11
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from newsintel.http.request.plain_head import MAX_BYTES, MAX_FIELDS, read_plain_head

CLIENT = ("192.0.2.1", 50_000)
HOST = b"Host: localhost\r\n"


def read_with_h11(data):
    """Return method, target and headers; fail unless h11 reads one request, no body, no rest."""
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(data)
    request = connection.next_event()
    assert isinstance(request, h11.Request)
    assert isinstance(connection.next_event(), h11.EndOfMessage)
    assert connection.trailing_data == (b"", False)
    assert connection.their_state is h11.DONE  # not MUST_CLOSE: the connection is kept alive
    assert not connection.they_are_waiting_for_100_continue
    assert request.http_version == b"1.1"
    return request.method, request.target, list(request.headers)


def agrees_with_h11(data):
    """Return whether the reader accepts the bytes; fail if h11 reads them differently."""
    scope = read_plain_head(data, CLIENT)
    if scope is None:
        return False
    method, target, headers = read_with_h11(data)
    path, _, query = target.partition(b"?")
    assert scope == {
        "type": "http",
        "method": method.decode(),
        "path": path.decode(),
        "raw_path": path,
        "query_string": query,
        "headers": headers,
        "client": CLIENT,
        "state": {},
    }
    return True


CLIENTS = {
    "RFC 9112, 3.2.1": b"GET /where?q=now HTTP/1.1\r\nHost: www.example.org\r\n\r\n",
    "wrk 4.2": b"GET /articles?q=a HTTP/1.1\r\nHost: localhost:8000\r\n\r\n",
    "curl 8": b"GET /articles?q=%22sea%20level%22 HTTP/1.1\r\nHost: localhost:8000\r\n"
    b"User-Agent: curl/8.5.0\r\nAccept: */*\r\n\r\n",
    "curl -I": b"HEAD /health HTTP/1.1\r\nHost: localhost:8000\r\nUser-Agent: curl/8.5.0\r\n"
    b"Accept: */*\r\n\r\n",
    "httpx 0.28": b"GET /articles?q=a&limit=2 HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n"
    b"Accept: */*\r\nAccept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\n"
    b"User-Agent: python-httpx/0.28.1\r\n\r\n",
    "Firefox": b"GET /articles?q=a HTTP/1.1\r\nHost: localhost:8000\r\n"
    b"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
    b"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
    b"Accept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n"
    b"Connection: keep-alive\r\nUpgrade-Insecure-Requests: 1\r\nSec-Fetch-Dest: document\r\n"
    b"Sec-Fetch-Mode: navigate\r\nSec-Fetch-Site: none\r\nSec-Fetch-User: ?1\r\n"
    b'If-None-Match: W/"0123456789abcdef"\r\nPriority: u=0, i\r\n\r\n',
    "nginx with keep-alive to us": b"GET /articles?q=a HTTP/1.1\r\nX-Real-IP: 192.0.2.7\r\n"
    b"X-Forwarded-For: 203.0.113.9, 192.0.2.7\r\nX-Forwarded-Proto: https\r\n"
    b"Host: news.example.org\r\n\r\n",
    "odd, but one meaning": b"GET /a HTTP/1.1\r\nhOST:localhost\r\nX:\r\nY: \t a  b\tc \t\r\n"
    b"Connection: Keep-Alive\r\n\r\n",
}


@pytest.mark.parametrize("data", CLIENTS.values(), ids=CLIENTS)
def test_the_requests_of_usual_clients_are_read(data):
    """These are the bytes that the clients send, and h11 reads them alike."""
    assert agrees_with_h11(data)


def with_line(line):
    """Return a plain request with one more header line."""
    return b"GET /a HTTP/1.1\r\n" + HOST + line + b"\r\n\r\n"


def with_first_line(line):
    """Return a plain request with another request line."""
    return line + b"\r\n" + HOST + b"\r\n"


PLAIN = with_line(b"X: y")
LEFT = (
    {
        "nothing": b"",
        "an empty line": b"\r\n\r\n",
        "an empty line before": b"\r\n" + PLAIN,
        "no end": PLAIN[:-2],
        "a byte more": PLAIN + b"x",
        "two requests": PLAIN * 2,
        "a body without a length": PLAIN + b"hello\r\n\r\n",
        "an HTTP/0.9 request": b"GET /a\r\n\r\n",
        "no Host": b"GET /a HTTP/1.1\r\nX: y\r\n\r\n",
        "two Hosts": with_line(b"Host: localhost"),
        "two Hosts, other case": with_line(b"hOsT: evil.test"),
        "a bare LF": PLAIN.replace(b"\r\n", b"\n"),
        "a bare LF in the middle": with_line(b"X: y\nZ: z"),
        "a bare CR": with_line(b"X: y\rZ: z"),
        "CR CR LF": with_line(b"X: y\r"),
        "a head that ends in bare LF": PLAIN[:-4] + b"\n\n",
        "too long": with_line(b"X: " + b"y" * MAX_BYTES),
        "too many fields": with_line(b"\r\n".join([b"X: y"] * MAX_FIELDS)),
    }
    | {
        f"request line {line!r}": with_first_line(line)
        for line in (
            *(b"POST /a HTTP/1.1", b"OPTIONS /a HTTP/1.1", b"get /a HTTP/1.1", b"GETT /a HTTP/1.1"),
            *(b"GET /a HTTP/1.0", b"GET /a HTTP/1.2", b"GET /a HTTP/2.0", b"GET /a http/1.1"),
            *(b"GET /a HTTP/1.1 ", b"GET /a HTTP/1.11", b"GET  /a HTTP/1.1", b"GET /a  HTTP/1.1"),
            *(b" GET /a HTTP/1.1", b"GET\t/a HTTP/1.1", b"GET /a\tHTTP/1.1", b"GET /a b HTTP/1.1"),
            *(b"GET http://localhost/a HTTP/1.1", b"GET localhost:80 HTTP/1.1", b"GET * HTTP/1.1"),
            *(
                b"GET a HTTP/1.1",
                b"GET ?q=a HTTP/1.1",
                b"GET /a#b HTTP/1.1",
                b"GET /a?b#c HTTP/1.1",
            ),
            *(
                b"GET /%61 HTTP/1.1",
                b"GET /a%00 HTTP/1.1",
                b"GET /\xc3\xa4 HTTP/1.1",
                b"GET /a\x00",
            ),
            *(b'GET /a?q="b" HTTP/1.1', b"GET /a?q=\xff HTTP/1.1", b"GET /a?q=\\ HTTP/1.1"),
            *(b"GET /a?q=<b> HTTP/1.1", b"GET /a?q={b} HTTP/1.1", b"GET /a?q=[b] HTTP/1.1"),
        )
    }
    | {
        f"line {line!r}": with_line(line)
        for line in (
            *(
                b"Content-Length: 0",
                b"content-length: 5",
                b"Content-Length: 5, 5",
                b"Content-Length:",
            ),
            *(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity", b"transfer-encoding:"),
            *(b"Transfer-Encoding : chunked", b"Transfer-Encoding\t: chunked", b"TE: trailers"),
            *(b"Trailer: X", b"Expect: 100-continue", b"Expect:", b"Upgrade: h2c", b"Upgrade:"),
            *(b"Upgrade: websocket\r\nConnection: upgrade", b"HTTP2-Settings: AAA"),
            *(
                b"Connection: close",
                b"Connection: Close",
                b"Connection:",
                b"Connection: keep-alive,",
            ),
            *(b"Connection: keep-alive, close", b"Connection: keep-alive\r\nConnection: close"),
            *(b"Connection: keep-alive\r\nConnection: keep-alive", b"Connection: Host"),
            *(b"Keep-Alive: timeout=5", b"Proxy-Connection: close"),
            *(b"Cookie: a=b", b"cookie:", b"Authorization: Bearer ni_x", b"AUTHORIZATION:"),
            *(b"Proxy-Authorization: Basic x",),
            *(b" folded", b"\tfolded", b"X: y\r\n z", b"X:\r\n\ty"),
            *(
                b"X",
                b": y",
                b"X : y",
                b"X\t: y",
                b" X: y",
                b"X y: z",
                b"X(: y",
                b"\x80: y",
                b"X\x00: y",
            ),
            *(
                b"X: \x00",
                b"X: a\x00b",
                b"X: \x01",
                b"X: \x7f",
                b"X: \x80",
                b"X: \xc3\xa4",
                b"X: \x0b",
            ),
            *(b"X: \x1f", b"X: \x0c", b'"X": y', b"X@: y", b"[X]: y"),
        )
    }
)
"""Requests that the parser must read, by what is not plain about them."""


@pytest.mark.parametrize("data", LEFT.values(), ids=LEFT)
def test_what_is_not_plain_is_left_to_the_parser(data):
    """Some of these h11 reads and some it refuses: the reader decides neither."""
    assert read_plain_head(data, CLIENT) is None


def test_the_limits_are_exact():
    """The longest head and the most fields are still read, and h11 reads them alike."""
    rest = MAX_BYTES - len(with_line(b"X: "))
    assert agrees_with_h11(with_line(b"X: " + b"y" * rest))
    assert read_plain_head(with_line(b"X: " + b"y" * (rest + 1)), CLIENT) is None
    assert agrees_with_h11(with_line(b"\r\n".join([b"X: y"] * (MAX_FIELDS - 1))))


@pytest.mark.parametrize("data", CLIENTS.values(), ids=CLIENTS)
def test_a_part_of_a_request_is_never_read(data):
    """A head that was cut anywhere is not complete."""
    for end in range(len(data)):
        assert read_plain_head(data[:end], CLIENT) is None


@pytest.mark.parametrize("data", CLIENTS.values(), ids=CLIENTS)
def test_each_byte_in_each_place_is_read_as_h11_reads_it(data):
    """One byte is replaced, added or removed: the reader agrees with h11 or leaves the request."""
    for at in range(len(data)):
        without = agrees_with_h11(data[:at] + data[at + 1 :])
        assert not (without and data[at : at + 1] in (b"\r", b"\n"))
        for byte in b'\x00\t\n\r "#%:,/?@H\x7f\x80\xff':
            agrees_with_h11(data[:at] + bytes([byte]) + data[at + 1 :])
            agrees_with_h11(data[:at] + bytes([byte]) + data[at:])


NAMES = st.sampled_from(
    [b"Host", b"X", b"Accept", b"Connection", b"connection", b"Content-Length", b"Cookie", b"TE"]
    + [b"Transfer-Encoding", b"If-None-Match", b"Origin", b"X-Request-Id", b"Expect", b"Upgrade"]
) | st.from_regex(rb"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,9}", fullmatch=True)
VALUES = st.sampled_from(
    [b"localhost", b"keep-alive", b"close", b"0", b"5", b"chunked", b"*", b"", b"100-continue"]
) | st.binary(max_size=12)
SPACES = st.sampled_from([b"", b" ", b"  ", b"\t", b" \t"])
ENDS = st.sampled_from([b"\r\n"] * 12 + [b"\n", b"\r", b"\r\r\n", b"\r\n ", b"\r\n\r\n", b""])
TARGETS = st.from_regex(rb"/[a-z]{0,5}(\?[a-z=&%0-9+]{0,9})?", fullmatch=True) | st.binary(
    max_size=12
)
METHODS = st.sampled_from([b"GET", b"HEAD", b"GET", b"HEAD", b"POST", b"get", b"G"])
VERSIONS = st.sampled_from([b"HTTP/1.1"] * 6 + [b"HTTP/1.0", b"HTTP/2.0", b"http/1.1", b""])
FIELDS = st.tuples(NAMES, st.just(b":"), SPACES, VALUES, SPACES, ENDS).map(b"".join)
REQUESTS = st.tuples(
    st.tuples(METHODS, TARGETS, VERSIONS).map(b" ".join),
    ENDS,
    st.sampled_from([HOST, HOST, HOST, b""]),
    st.lists(FIELDS, max_size=4).map(b"".join),
    st.sampled_from([b"\r\n"] * 6 + [b"\n", b"", b"\r\n\r\n", b"\r\nGET / HTTP/1.1\r\n\r\n"]),
).map(b"".join)


@settings(max_examples=500, deadline=None)
@given(REQUESTS)
def test_what_it_accepts_h11_reads_alike(data):
    """Built from valid and invalid pieces, so that both happen."""
    event("accepted" if agrees_with_h11(data) else "left")


PLAIN_FIELDS = st.tuples(
    st.from_regex(rb"X-[A-Za-z0-9!#$%&'*+.^_`|~-]{1,9}", fullmatch=True),
    st.just(b":"),
    SPACES,
    st.from_regex(rb"[\t -~]{0,20}", fullmatch=True),
    st.just(b"\r\n"),
).map(b"".join)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from([b"GET", b"HEAD"]),
    st.from_regex(rb"/[A-Za-z0-9._~!$&'()*+,;=:@/-]{0,20}", fullmatch=True),
    st.from_regex(rb"(\?[A-Za-z0-9._~!$&'()*+,;=:@/?%-]{0,20})?", fullmatch=True),
    st.lists(PLAIN_FIELDS, max_size=5),
)
def test_every_plain_request_is_read(method, path, query, fields):
    """Otherwise the test above could pass by accepting nothing."""
    data = method + b" " + path + query + b" HTTP/1.1\r\n" + HOST + b"".join(fields) + b"\r\n"
    assert agrees_with_h11(data)

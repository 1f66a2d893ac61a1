"""Damaged input of callers: each reader gives a value or one of its declared errors.

The work is in proportion to the input: counted in calls, not in time.
"""

import re
from urllib.parse import quote_from_bytes, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.exceptions import NotFound

from newsintel.config.values import Secret
from newsintel.domain.archive.query import build_archive_query
from newsintel.domain.paging import CURSOR_PURPOSE, Cursors, Position
from newsintel.domain.personal.saved_query import parse_saved_query
from newsintel.domain.search.query import build_query, translate_clauses
from newsintel.domain.security.keys import Signer
from newsintel.errors import InvalidParameterError
from newsintel.http.request.client_address import find_client_address
from newsintel.http.request.credentials import find_cookie, read_bearer
from newsintel.http.request.plain_head import read_plain_head
from newsintel.http.request.query_string import parse_path, parse_query
from newsintel.http.response.page_cache import PageCache
from newsintel.http.routes import archive, articles, auth
from newsintel.http.routes.ids import FEED_TOKEN
from tests.fuzzing import count_calls, mutate_bytes
from tests.http.request.test_plain_head import CLIENTS, agrees_with_h11
from tests.http.world import settings as read_settings

CALLS, CALLS_PER_BYTE = 1_000, 60
"""The work that an input may cost: words of a query are split, spelled and folded in many ways.
The densest query of these tests needs 41 calls a byte."""

QUERIES = [
    text.encode()
    for text in (
        *("storm", "Straße OR STRASSE", '"sea level" -film', "a OR b OR c OR d", "(a OR b) -c"),
        *('title:"high tide" source:guardian', "before:2026-01-01 after:2025-01-01 flood"),
        *(
            "publisher:bbc author:doe -title:x",
            "气候变化 OR 氣候變化",
            "تغير المناخ",
            "הַקְּרָב",
            "ﬁnance",
        ),
        *(
            "“curly quotes” ‘single’",
            "don't C++ .NET #tag @name",
            "٣٤٥ ８９",
            "x" * 250,
            "a " * 120,
        ),
        *(
            "👩‍👩‍👧 flag 🏳️‍🌈",
            "e\u0301te\u0301",
            "OR OR OR",
            "- - -",
            "--a",
            '"""',
            "title:",
            "%&=+",
        ),
    )
]
STRINGS = [
    b"q=storm&limit=20&page=2&sources=newsapi,guardian&from=2026-01-01&to=2026-01-31&explain=1",
    b"q=%22sea%20level%22+OR+flood&sort=newest&dedupe=strict&format=rss&language=en",
    b"cursor=AAAA&limit=100&publisher=BBC%20News&from=2026-01-01T00:00:00%2B02:00",
    b"state=abc&code=def&error=access_denied&next=%2Fme&bucket=day",
    b"",
]
SETTINGS = read_settings()
TABLES = [
    (articles.build_routes(SETTINGS, PageCache())[0].takes, False),
    *((route.takes, False) for route in archive.build_routes(SETTINGS)),
    (auth.RETURNED, True),
]
CURSORS = Cursors(Signer((Secret("A" * 43),), CURSOR_PURPOSE))
CURSOR = CURSORS.write(Position(("2026-03-01T12:00:00+00:00", 0.5, 7)), "q")
TOKEN = "q8d" * 14 + "_"
COOKIE = f"theme=dark; newsintel_dev={TOKEN}; _ga=GA1.1.1"
HEADERS = [
    (b"cookie", COOKIE.encode()),
    (b"authorization", f"Bearer ni_{TOKEN}".encode()),
    (b"authorization", b"Basic dXNlcjpwdw=="),
    (b"x-forwarded-for", b"203.0.113.9, 192.0.2.7, [2001:db8::1]:443"),
]


def work_on(data, work):
    """Do some work on an input; fail if it makes too many calls."""
    found, calls = count_calls(work)
    assert calls <= CALLS + CALLS_PER_BYTE * len(data), data
    return found


def expecting(errors, work):
    """Wrap work so that its declared errors are a result; groups of them too."""

    def run():
        try:
            return work()
        except errors:
            return None
        except ExceptionGroup as group:
            assert group.split(errors)[1] is None
            return None

    return run


@settings(max_examples=150)
@given(data=st.data())
def test_odd_queries(data):
    """All three grammars; a query of the live search fits every source."""
    raw = mutate_bytes(data.draw, QUERIES)
    text = raw.decode("utf-8", "replace")
    refused = InvalidParameterError
    work_on(raw, expecting(refused, lambda: build_archive_query(text)))
    work_on(raw, expecting(refused, lambda: parse_saved_query(text)))
    live = work_on(raw, expecting(refused, lambda: build_query(text, sources=("guardian",))))
    if live is not None:
        sent = work_on(raw, lambda: translate_clauses(live.clauses, max_chars=500))
        assert 0 < len(sent) <= 500
        assert build_query(live.text, sources=("guardian",)).key == live.key


@settings(max_examples=150)
@given(data=st.data())
def test_odd_query_strings(data):
    """Each parameter is read, or named in an error; nothing else is raised."""
    raw = mutate_bytes(data.draw, STRINGS)
    takes, foreign = data.draw(st.sampled_from(TABLES))
    values = work_on(
        raw, expecting(InvalidParameterError, lambda: parse_query(takes, raw, foreign=foreign))
    )
    if values is not None:
        assert set(values) == {one.name for one in takes}
        assert "\x00" not in "".join(value for value in values.values() if type(value) is str)


@settings(max_examples=150)
@given(data=st.data())
def test_odd_cursors(data):
    """Only the cursor itself is read, and only for its own query."""
    raw = mutate_bytes(data.draw, [CURSOR.encode(), CURSOR[:40].encode(), b"AAAA"])
    text = raw.decode("utf-8", "replace")
    found = work_on(raw, expecting(InvalidParameterError, lambda: CURSORS.read(text, "q")))
    # The last character holds bits that base64 does not use.
    assert found is None or (text[:-1], len(text)) == (CURSOR[:-1], len(CURSOR))
    assert found is not None or text != CURSOR
    assert work_on(raw, expecting(InvalidParameterError, lambda: CURSORS.read(text, "p"))) is None


@settings(max_examples=150)
@given(data=st.data())
def test_odd_credentials(data):
    """A cookie, a key and a forwarded address never raise; two of a kind are none."""
    headers = [
        (name, mutate_bytes(data.draw, [value]))
        for name, value in data.draw(st.lists(st.sampled_from(HEADERS), max_size=4))
    ]
    raw = b"".join(value for _, value in headers)
    session = work_on(raw, lambda: find_cookie(headers, "newsintel_dev"))
    lines = b";".join(value for name, value in headers if name == b"cookie").decode("latin-1")
    names = [pair.partition("=")[0].strip(" \t") for pair in lines.split(";")]
    assert session is None or names.count("newsintel_dev") == 1
    bearer = work_on(raw, lambda: read_bearer(headers))
    keys = [value for name, value in headers if name == b"authorization"]
    assert bearer is None or bearer == "" or len(keys) == 1
    scope = {"client": ("192.0.2.7", 1), "headers": headers}
    trusted = read_settings(NEWSINTEL_TRUSTED_PROXIES="192.0.2.0/24,2001:db8::/32").trusted_proxies
    assert work_on(raw, lambda: find_client_address(scope, trusted))


@settings(max_examples=150)
@given(data=st.data())
def test_odd_addresses_of_private_feeds(data):
    """A token has its exact form; bytes that are not text are a 400, other text a 404."""
    raw = mutate_bytes(data.draw, [TOKEN.encode(), TOKEN.lower().encode(), b"A" * 43])
    text = unquote(quote_from_bytes(raw), errors="replace")
    errors = (InvalidParameterError, NotFound)
    found = work_on(
        raw, expecting(errors, lambda: parse_path({"token": FEED_TOKEN}, {"token": text}))
    )
    assert (found is not None) == bool(re.fullmatch(r"[A-Za-z0-9_-]{43}", text, re.ASCII))


@settings(max_examples=250)
@given(data=st.data())
def test_odd_heads_on_the_wire(data):
    """What the reader of plain requests accepts h11 reads alike; the rest it leaves."""
    raw = mutate_bytes(data.draw, [*CLIENTS.values()])
    work_on(raw, lambda: read_plain_head(raw, ("192.0.2.1", 1)))
    agrees_with_h11(raw)


@pytest.mark.parametrize("query", QUERIES)
def test_the_corpus_itself_is_within_the_bound(query):
    """Each of the queries, at the greatest length that a query may have."""
    long = (query.decode() * 256)[:256]
    refused = InvalidParameterError
    work_on(long.encode(), expecting(refused, lambda: build_archive_query(long)))
    work_on(long.encode(), expecting(refused, lambda: build_query(long, sources=("guardian",))))

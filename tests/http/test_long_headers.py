"""No reader of the framework gets a long header.

Some readers take time that grows with the square of the length, which blocks every request.
"""

import inspect
import re
import sys

import pytest
import werkzeug.http
from hypothesis import given
from hypothesis import strategies as st
from quart import Quart, request
from werkzeug.datastructures import Authorization

from newsintel.http.application import create_app
from newsintel.http.request.form import FORM
from newsintel.http.request.json_body import MAX_TYPE_CHARS
from newsintel.http.response.conditional import has_tag
from newsintel.http.routes import alert_stream
from tests.fakes.accounts import browser
from tests.http.world import World, settings

LONG = 15_500
"""Length of a header value that fits into the 16 KiB of a request's head."""

NASTY = {
    "Accept": "a" + " " * LONG + "b,",
    "Accept-Charset": "a" + " " * LONG + "b,",
    "Accept-Encoding": "a" + "\t" * LONG + "b,",
    "Accept-Language": "a;" * (LONG // 2),
    "Authorization": "Digest " + 'a="b", ' * (LONG // 7),
    "Cache-Control": 'a="b", ' * (LONG // 7),
    "Content-Type": "application/json" + ";a=b " * (LONG // 5),
    "Cookie": 'a="\\101";' * (LONG // 9),
    "Date": "1" * LONG,
    "If-Match": '"a",' * (LONG // 4),
    "If-Modified-Since": "1" * LONG,
    "If-None-Match": "," * LONG,
    "If-Range": '"' + "a" * LONG,
    "If-Unmodified-Since": "1" * LONG,
    "Max-Forwards": "1" * LONG,
    "Origin": "http://" + "a." * (LONG // 2),
    "Pragma": "," * LONG,
    "Range": "bytes=" + "1-2," * (LONG // 4),
    "Referer": "http://" + "a/" * (LONG // 2),
    "Sec-Fetch-Site": "a" * LONG,
    "User-Agent": "a/b " * (LONG // 4),
    "X-Forwarded-For": "1," * (LONG // 2),
    "X-Request-Id": "a" * LONG,
}


@pytest.fixture(autouse=True)
def watched(monkeypatch):
    """Make every header reader of werkzeug, under each of its names, fail at a long value."""
    readers = {
        one
        for name, one in inspect.getmembers(werkzeug.http, inspect.isfunction)
        if name.startswith("parse_")
    }

    def short_alone(reader):
        def reading(value=None, *args, **kwargs):
            assert value is None or len(value) <= MAX_TYPE_CHARS, (
                f"{reader.__name__} was given {len(value)} characters"
            )
            return reader(value, *args, **kwargs)

        return reading

    stand_ins = {reader: short_alone(reader) for reader in readers}
    for module in [
        found
        for name, found in sys.modules.items()
        if name.startswith(("werkzeug.", "quart.", "newsintel."))
    ]:
        for name, value in list(vars(module).items()):
            if inspect.isfunction(value) and value in stand_ins:
                monkeypatch.setattr(module, name, stand_ins[value])
    monkeypatch.setattr(Authorization, "from_header", short_alone(Authorization.from_header))


async def test_the_framework_reader_of_accept_is_watched():
    """Otherwise the other tests could not fail."""
    app = Quart(__name__)
    app.add_url_rule("/", view_func=lambda: str(request.accept_mimetypes))
    async with app.test_request_context("/", headers={"Accept": NASTY["Accept"]}):
        with pytest.raises(AssertionError, match="parse_accept_header"):
            _ = request.accept_mimetypes


@pytest.mark.slow
@pytest.mark.parametrize("name", NASTY)
async def test_no_route_reads_a_long_header(name, monkeypatch):
    """It covers all routes and methods, with and without a session. Streams end at once."""
    monkeypatch.setattr(alert_stream, "LIFE_S", 0.0)
    world = World(settings=settings(NEWSINTEL_METRICS_TOKEN="t" * 43))
    app = create_app(world.services)
    client, mine = app.test_client(use_cookies=False), await browser(world)
    for rule in app.url_map.iter_rules():
        path = re.sub("<[a-z_]+>", "a_aaaaaaaaaaaaaaaaaaaa", rule.rule) + (
            "?q=a" if rule.rule.endswith(("articles", "related")) else ""
        )
        for headers in ({}, mine):
            for method in rule.methods:
                given = {"Content-Type": "application/json", **headers, name: NASTY[name]}
                response = await client.open(
                    path,
                    method=method,
                    headers=given,
                    data=b"{}" if method in ("PUT", "POST") else None,
                )
                assert response.status_code < 500, (method, path, response.status_code)
                if method == "DELETE" or path == "/auth/logout":
                    mine = await browser(world)


async def test_a_content_type_over_the_limit_is_refused():
    """A type with a few parameters is read; one over the limit is refused unread."""
    world = World()
    client, mine = create_app(world.services).test_client(use_cookies=False), await browser(world)
    for extra, status in ((0, 201), (1, 415)):
        kind = "application/json; charset=utf-8;a=".ljust(MAX_TYPE_CHARS + extra, "b")
        response = await client.put(
            f"/me/preferences/k{extra}", data=b'{"value": 1}', headers=mine | {"Content-Type": kind}
        )
        assert response.status_code == status


async def test_a_content_type_over_the_limit_is_refused_for_forms_too():
    """The page says so; the form is not read, and its person is not signed out."""
    world = World()
    client, mine = create_app(world.services).test_client(use_cookies=False), await browser(world)
    for extra, status in ((0, 303), (1, 415)):
        kind = f"{FORM};a=".ljust(MAX_TYPE_CHARS + extra, "b")
        headers = mine | {"Content-Type": kind}
        body = b"do=set_preferences"
        response = await client.post("/me/page", data=body, headers=headers)
        assert response.status_code == status
        if status == 415:
            assert response.content_type == "text/html; charset=utf-8"
    assert (await client.get("/me", headers=mine)).status_code == 200


TAGS = st.text(st.sampled_from("ab*W/-"), min_size=1, max_size=3).map(lambda tag: f'"{tag}"')


@given(
    st.lists(st.one_of(TAGS, TAGS.map(lambda tag: "W/" + tag)), max_size=4).map(", ".join),
    st.sampled_from(["a", "b", "ab", "*"]),
)
def test_matching_etags_agrees_with_werkzeug(header, tag):
    """The tags are weak or strong, in every valid list."""
    assert has_tag(header, tag) == werkzeug.http.parse_etags(header).contains_weak(tag)


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("*", True),
        (" * ", True),
        ('"x", *', False),
        ('"a', False),
        ("a", False),
        ('""a"', False),
        ("", False),
    ],
)
def test_invalid_etags_do_not_match(header, found):
    """`*` matches only if it is the whole value; a value without quotes is no tag."""
    assert has_tag(header, "a") is found

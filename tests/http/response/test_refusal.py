"""Refusals of middleware: a person in a browser gets a page, a program problem+json."""

import re

import pytest

from newsintel.http.application import create_app
from newsintel.http.response.problems import find_form
from tests.fakes.accounts import browser
from tests.http.middleware.test_rate_limits import limited
from tests.http.pages.parsed_page import get_page

ID = "a_aaaaaaaaaaaaaaaaaaaa"


async def describe(client):
    """Return the described operations: path, method, and the media types of a 200 or 303."""
    paths = (await (await client.get("/openapi.json")).get_json())["paths"]
    return [
        (path, method, "text/html" in operation["responses"]["500"]["content"])
        for path, methods in paths.items()
        for method, operation in methods.items()
    ]


async def test_every_address_is_refused_in_its_own_format():
    """The description says which addresses are pages. Exempt ones are not refused."""
    world = limited(calls=1)
    client = create_app(world.services).test_client()
    await client.get("/sources")
    seen = set()
    for path, method, is_page in await describe(client):
        address = re.sub(r"\{\w+\}", ID, path)
        response = await client.open(address, method=method.upper())
        if response.status_code == 429:
            media = "text/html; charset=utf-8" if is_page else find_form(path).media_type
            assert (path, response.content_type) == (path, media)
            assert response.headers["Retry-After"] == "60"
            seen.add((path, is_page))
    assert {("/", True), ("/story/{id}", True), ("/saved", True), ("/articles", False)} <= seen


@pytest.mark.parametrize("path", ["/", "/?q=climate", f"/story/{ID}", "/search", "/me/page"])
async def test_the_page_says_what_to_do(path):
    """It has the policy of pages, and works behind a path prefix as every page does."""
    world = limited(calls=1)
    client = create_app(world.services).test_client()
    await client.get("/sources")
    page, response = await get_page(client, path)
    assert (response.status_code, page.texts("h1")) == (429, ["Too many requests"])
    assert response.headers["X-Request-Id"] in page.texts(".hint")[0]
    assert response.headers["Cache-Control"] == "no-store"
    assert "trusted-types 'none'" in response.headers["Content-Security-Policy"]
    [style] = page.attributes("link[rel=stylesheet]", "href")
    assert style.startswith("../static/" if path.count("/") > 1 else "./static/")


async def test_a_form_is_refused_with_a_page():
    """A signed-in person over the limit."""
    world = limited(calls=1)
    client = create_app(world.services).test_client(use_cookies=False)
    mine = await browser(world)
    await client.get("/sources", headers=mine)
    response = await client.post(f"/story/{ID}", headers=mine, form={"do": "save"})
    assert (response.status_code, response.content_type) == (429, "text/html; charset=utf-8")

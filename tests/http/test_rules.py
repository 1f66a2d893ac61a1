"""The rules of the router, and of the numbers that its routes take."""

import pytest
from werkzeug.exceptions import MethodNotAllowed

from newsintel.http import application
from newsintel.http.application import create_app
from newsintel.http.paths import FRONT, SEARCH
from newsintel.http.response.page_cache import PageCache
from newsintel.http.route import Method
from newsintel.http.routes.mcp.inner_calls import InnerCalls
from tests.http.world import World


async def describe(app):
    """Return the methods of each described path."""
    document = await (await app.test_client().get("/openapi.json")).get_json()
    return {path: {name.upper() for name in methods} for path, methods in document["paths"].items()}


async def test_a_fixed_path_has_only_its_own_methods():
    """Every other one is a 405 that names them, also where a parameter could stand for the path."""
    app = create_app(World().services)
    paths = {path: own for path, own in (await describe(app)).items() if "{" not in path}
    assert {"/me/searches/preview", "/me/searches/stream"} < paths.keys()
    for path, own in paths.items():
        for method in {*Method} - own:
            refused = await app.test_client().open(path, method=method)
            assert (path, method, refused.status_code) == (path, method, 405)
            assert set(refused.headers["Allow"].split(", ")) - {"HEAD", "OPTIONS"} == own


async def test_no_path_is_redirected_to_its_slash():
    """The framework would name the host that it was told, which is always `localhost`."""
    app = create_app(World().services)
    client = app.test_client()
    for path, own in (await describe(app)).items():
        other = path.rstrip("/") if path.endswith("/") else f"{path}/"
        for method in own:
            answer = await client.open(other or "/", method=method)
            assert (path, answer.status_code) != (path, 308)


def test_addresses_are_not_built():
    """The rules have no code for it."""
    routes = create_app(World().services).url_map.bind("localhost")
    assert routes.match("/articles", method="GET")
    with pytest.raises(MethodNotAllowed):
        routes.match("/articles", method="PUT")
    with pytest.raises(RuntimeError, match=r"newsintel\.http\.paths"):
        routes.build("GET /articles")


def list_numbers():
    """Return the parameters and fields of all routes that are whole numbers, by route and name."""
    world = World()
    caches = {path: PageCache() for path in (SEARCH, FRONT)}
    table = application._build_table(world.services, caches, InnerCalls())
    return {
        f"{route.method} {route.path} {one.name}": one.kind
        for route in table
        for one in (*route.takes, *route.form)
        if one.kind.schema.get("type") == "integer"
    }


def test_a_number_is_taken_up_to_its_described_bounds():
    """And refused beyond them."""
    numbers = list_numbers()
    assert len(numbers) > 20
    for name, kind in numbers.items():
        low, high = kind.schema["minimum"], kind.schema["maximum"]
        assert [kind.parse(str(low)), kind.parse(str(high))] == [low, high], name
        for beyond in (low - 1, high + 1):
            with pytest.raises(ValueError, match="must be"):
                kind.parse(str(beyond))

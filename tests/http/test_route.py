"""The rows of the route table: what each view takes is what its requests give."""

from datetime import UTC, date
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from newsintel.http import application
from newsintel.http.application import create_app
from newsintel.http.request.json_body import Member
from newsintel.http.request.json_kinds import string
from newsintel.http.request.query_kinds import free_text
from newsintel.http.request.query_string import Parameter
from newsintel.http.response.browser_page import with_error_pages
from newsintel.http.route import Route, name_field
from tests.http.world import World, settings


@frozen
class IdParameters:
    """One value."""

    id: str


@frozen
class AllParameters(IdParameters):
    """A value from each part of a request, one of them a keyword."""

    from_: str | None
    name: str


async def plain(_services):
    """A view without values."""


async def by_id(_services, _given: IdParameters):
    """A view with one value."""


async def by_all(_services, given: AllParameters):
    """A view that shows its values."""
    return given


async def untold(_services, _given):
    """A view that does not say what it takes."""


async def of_a_number(_services, _given: int):
    """A view that takes something else."""


ID, FROM, NAME = (
    {"id": free_text(9)},
    (Parameter("from", free_text(9), ""),),
    (Member("name", string(1, 9), ""),),
)


@pytest.mark.parametrize("view", [by_all, with_error_pages("/a", by_all)])
async def test_a_view_gets_the_values_of_path_query_and_body(view):
    """As one object; a keyword of Python has an underscore. A wrapped view is no different."""
    route = Route("/a/{id}", view, "", {}, in_path=ID, takes=FROM, body=NAME)
    values = {"id": "1", "from": None, "name": "n"}
    assert await route.answer(None, values) == AllParameters(id="1", from_=None, name="n")


@pytest.mark.parametrize(
    ("path", "view", "values"),
    [
        ("/a", plain, {"takes": FROM}),
        ("/a/{id}", plain, {"in_path": ID}),
        ("/a", by_id, {}),
        ("/a", by_id, {"takes": FROM}),
        ("/a/{id}", by_id, {"in_path": ID, "body": NAME}),
        ("/a/{id}", by_all, {"in_path": ID, "takes": FROM}),
        ("/a/{id}", with_error_pages("/a", by_all), {"in_path": ID}),
    ],
)
def test_other_fields_than_values_are_a_bug(path, view, values):
    """One too many or too few, wherever it comes from."""
    with pytest.raises(ValueError, match=r"takes .*, its view \["):
        Route(path, view, "", {}, **values)


@pytest.mark.parametrize("view", [untold, of_a_number])
def test_a_view_names_an_attrs_class(view):
    """Nothing else has fields."""
    with pytest.raises(Exception, match="is not an attrs-decorated class"):
        Route("/a/{id}", view, "", {}, in_path=ID)


def test_a_path_without_a_kind_and_two_values_of_one_name_are_bugs():
    """What nobody checks would reach the view; the two would in one field."""
    with pytest.raises(ValueError, match="what its path may hold"):
        Route("/a/{id}", by_id, "", {})
    with pytest.raises(ValueError, match="two values of one name"):
        Route("/a/{id}", by_id, "", {}, in_path=ID, body=(Member("id", string(1, 2), ""),))


def table():
    """Every route of the service, those for development included."""
    found, real = [], application.openapi.describe_api
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            application.openapi,
            "describe_api",
            lambda rows, *rest: found.extend(rows) or real(rows, *rest),
        )
        create_app(World(settings=settings(NEWSINTEL_DEV_SIGN_IN="1")).services)
    return found


FORMATS = {
    "date": st.dates(date(2000, 1, 1), date(2100, 1, 1)).map(str),
    "date-time": st.datetimes(timezones=st.just(UTC)).map(
        lambda at: at.replace(year=2026, day=1).isoformat()
    ),
    "iana-time-zone": st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu"]),
    "date-time-local": st.datetimes().map(
        lambda at: at.replace(year=2026, day=1, microsecond=0).isoformat()
    ),
}
TYPES = {
    "boolean": lambda _schema: st.booleans(),
    "object": lambda schema: st.fixed_dictionaries(
        {name: sent(one, in_json=True) for name, one in schema["properties"].items()}
    ),
    "integer": lambda schema: st.integers(schema["minimum"], schema["maximum"]).map(str),
    "null": lambda _schema: st.none(),
    "string": lambda schema: st.text(
        min_size=schema.get("minLength", 0), max_size=min(schema.get("maxLength", 50), 50)
    ),
}
SENT = {
    "anyOf": lambda schema: st.one_of(map(sent, schema["anyOf"])),
    "enum": lambda schema: st.sampled_from(schema["enum"]),
    "pattern": lambda schema: st.from_regex(schema["pattern"], fullmatch=True),
    "format": lambda schema: FORMATS[schema["format"]],
    "items": lambda schema: st.lists(sent(schema["items"]), min_size=1).map(",".join),
    "type": lambda schema: TYPES[schema["type"]](schema),
}
ANYTHING = st.none() | st.integers() | st.text() | st.lists(st.integers())


def sent(schema, *, in_json=False):
    """What a client may send: text in the query string or path, plain values in JSON."""
    if in_json and "items" in schema:
        sizes = {"min_size": schema["minItems"], "max_size": min(schema["maxItems"], 5)}
        return st.lists(sent(schema["items"], in_json=True), **sizes)
    if in_json and "anyOf" in schema:
        return st.one_of(sent(one, in_json=True) for one in schema["anyOf"])
    return next((make(schema) for key, make in SENT.items() if key in schema), ANYTHING)


def fits(value, hint):
    """Whether a value is what an annotation says; an enum's word as mere text is not."""
    if hint is Any:
        return True
    if get_origin(hint) is UnionType:
        return any(fits(value, one) for one in get_args(hint))
    if get_origin(hint) is tuple:
        return type(value) is tuple and all(fits(one, get_args(hint)[0]) for one in value)
    return type(value) is (NoneType if hint is None else hint)


@pytest.mark.parametrize(
    "route", [one for one in table() if one.parameters], ids=lambda one: f"{one.method} {one.path}"
)
@examples(max_examples=20)
@given(data=st.data())
def test_each_value_has_the_type_of_its_field(route, data):
    """Read or left out: mypy believes what the class says."""
    hints = get_type_hints(route.parameters)
    declared = (*route.takes, *route.body, *route.form)
    kinds = route.in_path | {one.name: one.kind for one in declared}
    in_json = {one.name for one in route.body}
    values = {
        name: kind.parse(data.draw(sent(kind.schema, in_json=name in in_json), name))
        for name, kind in kinds.items()
    }
    values |= {one.name: (values[one.name],) for one in declared if getattr(one, "many", False)}
    absent = {one.name: one.default for one in declared if not one.required}
    for name, value in (*values.items(), *absent.items()):
        assert fits(value, hints[name_field(name)]), (name, value)

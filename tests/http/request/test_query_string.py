"""Reading query strings: which input is refused, and how the error names it."""

from datetime import UTC, datetime

import pytest

from newsintel.errors import InvalidParameterError
from newsintel.http.application import create_app
from newsintel.http.request.query_kinds import choice, date_or_time, whole_number
from newsintel.http.request.query_string import MAX_ERRORS, MAX_PARAMETERS, Parameter, parse_query
from tests.http.world import World

BAD = [
    ("", "q", "required"),
    ("q=", "q", None),
    ("q", "q", None),
    ("q=%20%09", "q", None),
    ("q=" + "x" * 257, "q", None),
    ("q=a%00b", "q", "encoding"),
    ("q=%ff", "q", "encoding"),
    ("q=%ED%A0%80", "q", "encoding"),
    ("q=100%", "q", "encoding"),
    ("q=%zz", "q", "encoding"),
    ("q=a&q=b", "q", "repeated"),
    ("q=a&q=a", "q", "repeated"),
    ("q=a&Q=b", "Q", "unknown"),
    ("q=a&format=atom", "format", "invalid"),
    ("q=a&%ff=1", "%ff", "encoding"),
    ("q=a&x%00=1", "x%00", "encoding"),
    ("q=a&=1", "", "unknown"),
    ("q=a&limit=1_000", "limit", "invalid"),
    ("q=a&limit=%EF%BC%99", "limit", "invalid"),
    ("q=a&limit=-1", "limit", "invalid"),
    ("q=a&limit=+5", "limit", "invalid"),
    ("q=a&limit=%2B5", "limit", "invalid"),
    ("q=a&limit=1e1", "limit", "invalid"),
    ("q=a&limit=", "limit", "invalid"),
    ("q=a&limit=5%0A", "limit", "invalid"),
    ("q=a&limit=0", "limit", "invalid"),
    ("q=a&limit=101", "limit", "invalid"),
    ("q=a&limit=" + "9" * 5000, "limit", "invalid"),
    ("q=a&page=0", "page", "invalid"),
    ("q=a&page=1001", "page", "invalid"),
    ("q=a&sources=", "sources", "invalid"),
    ("q=a&sources=bbc", "sources", "invalid"),
    ("q=a&sources=guardian,", "sources", "invalid"),
    ("q=a&sources=Guardian", "sources", "invalid"),
    ("q=a&from=yesterday", "from", "invalid"),
    ("q=a&from=2026-02-30", "from", "invalid"),
    ("q=a&from=2026-1-1", "from", "invalid"),
    ("q=a&from=20260101", "from", "invalid"),
    ("q=a&from=2026-W01-1", "from", "invalid"),
    ("q=a&from=2026-01-01T00:00:00", "from", "invalid"),
    ("q=a&from=2026-01-01T00:00:00+02:00", "from", "invalid"),
    ("q=a&from=2026-01-01T25:00:00Z", "from", "invalid"),
    ("q=a&from=0000-01-01", "from", "invalid"),
    ("q=a&from=0001-01-01T00:00:00%2B14:00", "from", "invalid"),
    ("q=a&to=9999-12-31T23:59:59-14:00", "to", "invalid"),
    ("q=a&to=%D9%A2026-01-01", "to", "invalid"),
    ("q=a&from=2026-01-02&to=2026-01-01", "from", "after_to"),
    ("q=a&language=eng", "language", "invalid"),
    ("q=a&language=%C3%A9e", "language", "invalid"),
    ("q=a&sort=best", "sort", "invalid"),
    ("q=a&sort=NEWEST", "sort", "invalid"),
    ("q=a&dedupe=yes", "dedupe", "invalid"),
    ("q=a&explain=true", "explain", "invalid"),
    ("q=a&personal=2", "personal", "invalid"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("query", "field", "code"), BAD)
async def test_bad_input_is_a_400_that_names_the_parameter(query, field, code):
    """The answer is never a 500 and always problem+json; the desk is not asked."""
    world = World()
    response = await create_app(world.services).test_client().get(f"/articles?{query}")
    body = await response.get_json()
    assert (response.status_code, body["code"], response.content_type) == (
        400,
        "invalid_parameter",
        "application/problem+json",
    )
    assert [error["field"] for error in body["errors"]] == [field]
    assert code in (None, body["errors"][0]["code"])
    assert body["errors"][0]["message"] in body["detail"]
    assert world.desk.asked == []


GOOD = [
    "q=a",
    "q=100%25",
    "q=caf%C3%A9+%F0%9F%91%A9%E2%80%8D%F0%9F%9A%80",
    "&q=a&&",
    "q=a&limit=007",
    "q=a&limit=100&page=1000",
    "q=a&from=2026-01-01&to=2026-01-01",
    "q=a&from=2026-01-01t00:00:00.123456789z&to=2026-01-01T02:00:00%2B01:00",
    "q=a&from=0001-01-01&to=9999-12-31",
    "q=a&sources=guardian",
    "q=a&language=De",
    "q=" + "x" * 256,
]


@pytest.mark.parametrize("query", GOOD)
async def test_good_input_is_accepted(query):
    """This includes the limits of each range."""
    assert (
        await create_app(World().services).test_client().get(f"/articles?{query}")
    ).status_code == 200


async def test_all_errors_are_reported_at_once():
    """One answer names every bad parameter."""
    response = (
        await create_app(World().services).test_client().get("/articles?limit=x&page=y&foo=1&foo=2")
    )
    errors = (await response.get_json())["errors"]
    assert {(error["field"], error["code"]) for error in errors} == {
        ("q", "required"),
        ("limit", "invalid"),
        ("page", "invalid"),
        ("foo", "repeated"),
    }


@pytest.mark.parametrize(
    "path", ["/sources", "/health", "/health/ready", "/openapi.json", "/problems/busy"]
)
async def test_routes_without_parameters_refuse_any(path):
    """A parameter without effect is a mistake, so the caller should learn of it."""
    response = await create_app(World().services).test_client().get(f"{path}?verbose=1")
    assert (response.status_code, (await response.get_json())["errors"][0]["field"]) == (
        400,
        "verbose",
    )


def test_the_list_of_errors_is_bounded():
    """A query with many unknown names does not cause as many errors."""
    with pytest.raises(ExceptionGroup) as raised:
        parse_query((), b"&".join(b"x%d=1" % number for number in range(MAX_PARAMETERS)))
    assert len(raised.value.exceptions) == MAX_ERRORS


def test_an_absent_parameter_gets_its_default():
    """The default is the value itself, not text to parse."""
    assert parse_query(
        (Parameter("limit", whole_number(1, 9), "", 5), Parameter("sort", choice("a", "b"), "")),
        b"",
    ) == {
        "limit": 5,
        "sort": None,
    }


def test_a_bare_date_is_the_whole_day():
    """A start is the day's first moment, an end its last, in UTC."""
    assert date_or_time().parse("2026-01-31") == datetime(2026, 1, 31, tzinfo=UTC)
    assert date_or_time(end=True).parse("2026-01-31") == datetime(
        2026, 1, 31, 23, 59, 59, 999999, tzinfo=UTC
    )


def test_an_offset_is_converted_to_utc():
    """The parsed date-time is in UTC."""
    assert date_or_time().parse("2026-01-31T01:30:00+02:00") == datetime(
        2026, 1, 30, 23, 30, tzinfo=UTC
    )


def test_too_many_parameters_are_one_error():
    """The reader looks at none of them."""
    for query_string in (
        b"x=1&" * MAX_PARAMETERS + b"x",
        b"&".join(b"%d=%%zz" % number for number in range(3000)),
    ):
        with pytest.raises(InvalidParameterError, match="at most 100 parameters"):
            parse_query((), query_string)

"""Exceptions of routes: each leaf of a group is logged, and the caller gets one problem."""

import json

import pytest
import trio
from quart import Quart

from newsintel.errors import (
    BusyError,
    InvalidParameterError,
    OverloadedError,
    PoisonedBatchError,
    UnavailableError,
)
from newsintel.http.application import create_app
from newsintel.http.response.errors import handle_errors
from newsintel.http.response.problems import PROBLEMS
from tests.http.world import World


async def answer_to(error):
    """Return the status and body of a route that raises this error."""

    async def failing():
        raise error

    app = create_app(World().services)
    app.add_url_rule("/failing", view_func=handle_errors(failing))
    response = await app.test_client().get("/failing")
    return response.status_code, await response.get_json()


def tracebacks(caplog):
    """Return the types of the exceptions that were logged with a traceback."""
    return sorted(record.exc_info[0].__name__ for record in caplog.records if record.exc_info)


def reasons(caplog):
    """Return level, problem and reason of each line without a traceback."""
    fields = [(record.levelname, record.fields) for record in caplog.records if not record.exc_info]
    return sorted((level, line["code"], line["reason"]) for level, line in fields)


async def test_a_bug_beside_an_expected_failure_is_a_500_and_both_are_logged(caplog):
    """Neither may hide the other."""
    group = ExceptionGroup(
        "both",
        [
            UnavailableError("away"),
            ExceptionGroup("inner", [KeyError("planted"), ZeroDivisionError()]),
        ],
    )
    status, body = await answer_to(group)
    assert (status, body["code"]) == (500, "internal")
    assert tracebacks(caplog) == ["KeyError", "ZeroDivisionError"]
    assert reasons(caplog) == [("ERROR", "archive_timeout", "away")]
    assert "planted" not in json.dumps(body)


async def test_leaves_with_one_code_are_one_problem():
    """All leaves map to the same problem code."""
    status, body = await answer_to(ExceptionGroup("agree", [OverloadedError("a"), BusyError("b")]))
    assert (status, body["code"]) == (503, "busy")


async def test_a_value_that_postgresql_refuses_is_a_400(caplog):
    """No check of ours caught the value.

    The log names the reason; the caller learns nothing about the table.
    """
    status, body = await answer_to(
        PoisonedBatchError("PostgreSQL refused the content (CheckViolationError)")
    )
    assert (status, body["code"]) == (400, "invalid_body")
    assert reasons(caplog) == [
        ("WARNING", "invalid_body", "PostgreSQL refused the content (CheckViolationError)")
    ]
    assert "PostgreSQL" not in json.dumps(body)


async def test_leaves_with_different_codes_are_a_500(caplog):
    """It is not clear which one answers the request."""
    status, _ = await answer_to(
        ExceptionGroup("differ", [BusyError("one"), InvalidParameterError("q", "x", "two")])
    )
    assert status == 500
    assert reasons(caplog) == [("ERROR", "busy", "one"), ("ERROR", "invalid_parameter", "two")]


async def test_a_cancel_is_passed_on_and_an_exception_beside_it_is_logged(caplog):
    """The request's cancel must reach its scope, but a bug during the cancel is still reported."""
    done = False

    begun = []

    async def bug():
        try:
            begun[0].cancel()
            await trio.sleep_forever()
        finally:
            raise KeyError

    async def route():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bug)
            await trio.sleep_forever()

    async with Quart("x").test_request_context("/"):
        with trio.CancelScope() as scope:
            begun.append(scope)
            await handle_errors(route)()
            done = True
    assert scope.cancelled_caught
    assert not done
    assert tracebacks(caplog) == ["KeyError"]


async def test_a_bug_outside_any_route_is_a_problem_too(caplog):
    """Failures of the framework itself become problems by the same table."""
    app = create_app(World().services)
    app.config["PROPAGATE_EXCEPTIONS"] = False

    @app.before_request
    async def fail():
        raise ZeroDivisionError

    response = await app.test_client().get("/sources")
    assert (response.status_code, response.content_type) == (500, "application/problem+json")
    assert tracebacks(caplog) == ["ZeroDivisionError"]


@pytest.mark.parametrize("code", PROBLEMS)
async def test_every_problem_has_a_page(code):
    """The `type` of a problem is a link to a text with its title and meaning."""
    response = await create_app(World().services).test_client().get(f"/problems/{code}")
    text = await response.get_data(as_text=True)
    assert (response.status_code, response.content_type) == (200, "text/plain; charset=utf-8")
    assert PROBLEMS[code].title in text
    assert PROBLEMS[code].meaning in text


async def test_an_unknown_problem_has_no_page():
    """The page is a 404 like any other."""
    assert (
        await create_app(World().services).test_client().get("/problems/nope")
    ).status_code == 404

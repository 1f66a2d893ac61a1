"""Strict reader of HTML forms (application/x-www-form-urlencoded), for pages without scripts."""

from collections.abc import Sequence
from typing import Any, cast

from quart import Request
from werkzeug.exceptions import UnsupportedMediaType

from newsintel.errors import InvalidBodyError, InvalidParameterError
from newsintel.http.request.json_body import read_media_type
from newsintel.http.request.query_string import Parameter, parse_query

FORM = "application/x-www-form-urlencoded"


async def read_form(
    fields: Sequence[Parameter], request: Request, *, foreign: bool = False
) -> dict[str, Any]:
    """Read a request's body by the fields that its route declares; an empty field is absent.

    With `foreign`, unknown fields are ignored, and those that the body does not have may stand in
    the query string: the servers whose APIs we speak read both.

    Raises:
        UnsupportedMediaType: the body is not a form.
        ExceptionGroup: InvalidBodyErrors, one for each field that is unknown, repeated, missing or
            invalid.
        RequestEntityTooLarge, RequestTimeout: from the framework, over its limits of size and time.
    """
    is_form = read_media_type(request) == FORM
    body = cast(bytes, await request.get_data(cache=False)) if is_form or foreign else b""
    if not is_form and (body or not foreign):
        raise UnsupportedMediaType(f"The body must be sent as Content-Type: {FORM}.")
    if foreign:
        body = _add_query(body, request.query_string)
    try:
        return parse_query(fields, body, foreign=foreign, blank_is_absent=True)
    except InvalidParameterError as error:
        raise _blame_body(error) from None
    except ExceptionGroup as group:
        errors = [one for one in group.exceptions if isinstance(one, InvalidParameterError)]
        raise ExceptionGroup("the form cannot be used", list(map(_blame_body, errors))) from None


def _add_query(body: bytes, query_string: bytes) -> bytes:
    """Return a form with those pairs of the query string whose names it does not have."""
    own = {pair.partition(b"=")[0] for pair in body.split(b"&")}
    further = (pair for pair in query_string.split(b"&") if pair.partition(b"=")[0] not in own)
    return b"&".join((body, *further))


def _blame_body(error: InvalidParameterError) -> InvalidBodyError:
    return InvalidBodyError(error.field, error.code, error.message)

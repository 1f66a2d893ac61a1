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

    With `foreign`, unknown fields are ignored.

    Raises:
        UnsupportedMediaType: the body is not a form.
        ExceptionGroup: InvalidBodyErrors, one for each field that is unknown, repeated, missing or
            invalid.
        RequestEntityTooLarge, RequestTimeout: from the framework, over its limits of size and time.
    """
    if read_media_type(request) != FORM:
        raise UnsupportedMediaType(f"The body must be sent as Content-Type: {FORM}.")
    body = cast(bytes, await request.get_data(cache=False))
    try:
        return parse_query(fields, body, foreign=foreign, blank_is_absent=True)
    except InvalidParameterError as error:
        raise _blame_body(error) from None
    except ExceptionGroup as group:
        errors = [one for one in group.exceptions if isinstance(one, InvalidParameterError)]
        raise ExceptionGroup("the form cannot be used", list(map(_blame_body, errors))) from None


def _blame_body(error: InvalidParameterError) -> InvalidBodyError:
    return InvalidBodyError(error.field, error.code, error.message)

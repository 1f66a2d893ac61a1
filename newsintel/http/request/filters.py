"""The parameters that live searches and archive searches share."""

from datetime import datetime

from newsintel.errors import InvalidParameterError
from newsintel.http.request.query_kinds import language, moment
from newsintel.http.request.query_string import Given, Parameter

BOUNDS = (
    Parameter("from", moment(), "The first moment wanted; a bare date is the whole day in UTC."),
    Parameter("to", moment(end=True), "The last moment wanted; a bare date is the whole day in UTC."),
)
LANGUAGE = Parameter("language", language(), "Articles known to be in another language are left out.")


def bounds(given: Given) -> tuple[datetime | None, datetime | None]:
    """Return the values of BOUNDS.

    Raises:
        InvalidParameterError: `from` is later than `to`.
    """
    start, end = given["from"], given["to"]
    if start and end and start > end:
        raise InvalidParameterError("from", "after_to", "from must not be later than to")
    return start, end

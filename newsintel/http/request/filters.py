"""The parameters that several lists of articles share."""

from datetime import datetime

from attrs import evolve, frozen

from newsintel.errors import InvalidParameterError
from newsintel.http.bodies.formats import Format
from newsintel.http.request.query_kinds import choice, date_or_time, language_code
from newsintel.http.request.query_string import Parameter

BOUNDS = (
    Parameter(
        "from", date_or_time(), "The first moment wanted; a bare date is the whole day in UTC."
    ),
    Parameter(
        "to", date_or_time(end=True), "The last moment wanted; a bare date is the whole day in UTC."
    ),
)
LANGUAGE = Parameter(
    "language", language_code(), "Articles known to be in another language are left out."
)

FORMAT = Parameter(
    "format",
    choice(*Format),
    "The format: json, a feed (rss, jsonfeed), or a table (csv). Errors are always JSON.",
    Format.JSON,
)

FORMAT_OF_FEED = evolve(FORMAT, default=Format.RSS)
"""The same for what is a feed in the first place."""


@frozen
class FilterParameters:
    """The values of BOUNDS and LANGUAGE."""

    from_: datetime | None
    to: datetime | None
    language: str | None


def check_bounds(start: datetime | None, end: datetime | None) -> None:
    """Raise an InvalidParameterError if the values of BOUNDS are in the wrong order."""
    if start and end and start > end:
        raise InvalidParameterError("from", "after_to", "from must not be later than to")

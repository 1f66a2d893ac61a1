"""What a source is: its options, and pure functions from a query to a request and from a response to a page."""

from collections.abc import Callable, Mapping
from datetime import datetime

from attrs import field, frozen

from newsintel.config.settings import SourceSettings
from newsintel.config.values import SourceOptions
from newsintel.domain.bounds.slices import Sliced, whole
from newsintel.domain.search.outcome import Page, Refusal
from newsintel.domain.search.query_model import Query


@frozen
class Request:
    """One GET.

    Attributes:
        path: below the source's base URL; starts with "/".
        params: the query string, unencoded. Hidden from repr like the headers: either may hold a key.
    """

    path: str
    params: tuple[tuple[str, str], ...] = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@frozen
class Response:
    """What came back.

    Attributes:
        headers: by lower-case name.
        body: whole, its content coding undone.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@frozen
class Source:
    """One upstream.

    Attributes:
        options: what it reads from the environment.
        request: the one call that answers a query, given an API key, or a bearer token where `uses_token`, and the time now.
        reading: reads a response as articles or as a refusal, given the time now (aware UTC), in slices; never raises.
        ignored: the query's parameters that neither this source nor we afterwards can apply.
        uses_token: the source takes an app-only OAuth token, which is fetched elsewhere, instead of a key.
    """

    options: SourceOptions
    request: Callable[[Query, SourceSettings, str, datetime], Request]
    reading: Callable[[Response, Query, datetime], Sliced[Page | Refusal]]
    ignored: Callable[[Query], tuple[str, ...]]
    uses_token: bool = False

    def read(self, response: Response, query: Query, now: datetime) -> Page | Refusal:
        """Likewise, at one go."""
        return whole(self.reading(response, query, now))

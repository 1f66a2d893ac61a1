"""The definition of a source: its options, and pure functions for its requests and replies."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from attrs import field, frozen

from newsintel.config.settings import SourceSettings
from newsintel.config.values import SourceOptions
from newsintel.domain.bounds.slices import Sliced, run_all
from newsintel.domain.search.outcome import Refusal, SourcePage
from newsintel.domain.search.query_model import Query


@frozen
class Request:
    """One GET.

    Attributes:
        path: below the source's base URL; starts with "/".
        params: the query string, unencoded. Like the headers it is hidden from repr, since either
            may contain a key.
    """

    path: str
    params: tuple[tuple[str, str], ...] = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@frozen
class Response:
    """A source's HTTP response.

    Attributes:
        headers: by lower-case name.
        body: the complete body, with its content coding removed.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@frozen
class PolledFeeds:
    """The source `feeds`. When it is asked it calls nobody: the archive has what was polled."""

    options: SourceOptions


@frozen
class Recheck:
    """How to ask a source again for items that it gave, because its terms require it.

    Attributes:
        build_request: builds the call that asks for items by their ids. Its arguments are the ids,
            the settings and the credential. The reply has the form of a search's.
        id_pattern: of the ids that the source knows; an import may have brought others.
        most_ids: in one call.
        every_s: the pause between calls.
    """

    build_request: Callable[[Sequence[str], SourceSettings, str], Request]
    id_pattern: str
    most_ids: int
    every_s: float


@frozen
class Source:
    """One upstream.

    Attributes:
        options: its settings in the environment.
        build_request: builds the call that answers a query, or refuses a query that the source
            cannot answer. Its arguments are the query, the settings, an API key (a bearer token if
            `uses_token`, "" without either) and the current time.
        read_slices: reads a response as articles or as a refusal, in slices, given the current
            time (aware UTC); never raises.
        list_ignored_parameters: returns the query's parameters that neither this source nor our
            code can apply.
        recheck: how its archived articles are checked; None = its terms do not require it.
        uses_token: the source takes an app-only OAuth token instead of a key; `oauth` fetches it.
    """

    options: SourceOptions
    build_request: Callable[[Query, SourceSettings, str, datetime], Request | Refusal]
    read_slices: Callable[[Response, Query, datetime], Sliced[SourcePage | Refusal]]
    list_ignored_parameters: Callable[[Query], tuple[str, ...]]
    uses_token: bool = False
    recheck: Recheck | None = None

    def read(self, response: Response, query: Query, now: datetime) -> SourcePage | Refusal:
        """Read a response like `read_slices`, but without pauses."""
        return run_all(self.read_slices(response, query, now))

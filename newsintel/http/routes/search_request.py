"""A search as one request asks for it: its parameters, and what they mean for this caller."""

from typing import Any

from attrs import evolve, frozen
from quart import request

from newsintel.domain.accounts.model import Caller
from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.search.harvest import Answer
from newsintel.domain.search.query import build_query
from newsintel.domain.search.query_model import Dedupe, Query, Sort
from newsintel.http.bodies.formats import Format
from newsintel.http.bodies.search import MAX_PAGE, View, render_in_slices
from newsintel.http.request.access import get_current_caller
from newsintel.http.request.filters import BOUNDS, LANGUAGE, FilterParameters, check_bounds
from newsintel.http.request.query_kinds import choice, free_text, known_names, whole_number
from newsintel.http.request.query_string import Parameter
from newsintel.http.routes.personal_search import PersonalSearch, decide_personal
from newsintel.http.services import Services


@frozen
class SearchParameters(FilterParameters):
    """The values of GET /articles and GET /articles/stream."""

    q: str
    limit: int
    page: int
    sources: tuple[str, ...]
    sort: Sort
    dedupe: Dedupe
    explain: str
    personal: str


def declare_parameters(sources: tuple[str, ...]) -> tuple[Parameter, ...]:
    """Return the parameters of a search, given the names of all sources."""
    words = (
        'Words that must all occur; `OR` in capitals between alternatives, "a phrase" in the '
        "quotes of any language, -word or `NOT word` for one that must not occur, parentheses "
        "round groups."
    )
    return (
        Parameter("q", free_text(256), words, required=True),
        Parameter("limit", whole_number(1, 100), "Stories on a page.", 20),
        Parameter("page", whole_number(1, MAX_PAGE), "Which page; one past the end is empty.", 1),
        Parameter("sources", known_names(sources), "The sources to ask; all by default.", sources),
        *BOUNDS,
        LANGUAGE,
        Parameter("sort", choice(*Sort), "The order.", Sort.RELEVANCE),
        Parameter(
            "dedupe",
            choice(*Dedupe),
            "How alike two headlines must be to count as one story.",
            Dedupe.NORMAL,
        ),
        Parameter(
            "explain",
            choice("0", "1"),
            "1 shows what each score is made of, and up to five similar stories that were "
            "kept apart from each, with the reason (kept_apart).",
            "0",
        ),
        Parameter(
            "personal",
            choice("0", "1"),
            "0 leaves a person's preferences out; an anonymous caller has none.",
            "1",
        ),
    )


@frozen
class SearchRequest:
    """What one request asks for.

    Attributes:
        query: what changes the fetch.
        view: what changes the body alone.
        person: how to answer a person who is signed in; None = as everybody.
        caller: who asks.
        query_string: as the caller wrote it.
    """

    query: Query
    view: View
    person: PersonalSearch | None
    caller: Caller
    query_string: bytes

    @property
    def recorded(self) -> bool:
        """Whether the search may go into the history."""
        return self.person is None or self.person.recorded

    def render_in_slices(self, answer: Answer) -> Sliced[dict[str, Any]]:
        """Build the body of an answer as this request wants it, in slices."""
        if self.person:
            return self.person.render_in_slices(answer, self.view)
        return render_in_slices(answer, self.view)


async def read_search(
    services: Services, given: SearchParameters, format_: Format = Format.JSON
) -> SearchRequest:
    """Read the current request; a person's preferences replace absent parameters.

    Args:
        services: have the person's preferences.
        given: the values of the request.
        format_: in which format the answer leaves.

    Raises:
        InvalidParameterError: a value is invalid. It names the parameter.
    """
    person = await decide_personal(services, personal_wanted=given.personal == "1")
    given = evolve(given, **person.filled) if person else given
    check_bounds(given.from_, given.to)
    query = build_query(
        given.q,
        sources=given.sources,
        start=given.from_,
        end=given.to,
        language=given.language,
        sort=given.sort,
    )
    view = View(given.limit, given.page, given.dedupe, given.explain == "1", format_)
    return SearchRequest(query, view, person, get_current_caller(), request.query_string)

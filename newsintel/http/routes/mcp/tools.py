"""The tools: what each takes and returns, and which of our routes answers it.

Their parameters are those of the routes, so that a rule stands in one place.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from attrs import evolve, frozen

from newsintel.domain.accounts.model import Caller
from newsintel.http.bodies import mcp
from newsintel.http.paths import SEARCH
from newsintel.http.request.described import describe_object
from newsintel.http.request.query_kinds import whole_number
from newsintel.http.request.query_string import Parameter
from newsintel.http.route import Route
from newsintel.http.routes import archive, search_request, searches, similar
from newsintel.http.routes.ids import ARTICLE
from newsintel.http.routes.mcp.inner_calls import InnerCalls

Given = Mapping[str, Any]

DEFAULT_BYTES, LEAST_BYTES, MOST_BYTES = 4_096, 1_024, 65_536
DEFAULT_LIMIT = 10

MAX_BYTES = Parameter(
    "max_bytes",
    whole_number(LEAST_BYTES, MOST_BYTES),
    "The most bytes of the result as JSON. What does not fit is left out, and counted.",
    DEFAULT_BYTES,
)
ARTICLE_PARAMETER = Parameter("id", ARTICLE, "The id of an article from a result.", required=True)
OFFSET = Parameter(
    "offset",
    whole_number(0, 999_999),
    "The characters of the text to skip: `next_offset` of the result before.",
    0,
)


class RefusedError(Exception):
    """A route answered with a problem.

    Attributes:
        problem: the problem document.
    """

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(problem["code"])
        self.problem = problem


@frozen
class ToolCall:
    """One call of a tool by a caller."""

    _inner: InnerCalls
    _caller: Caller
    _request_id: str

    async def get(self, path: str, given: Given, names: Sequence[str] = ()) -> dict[str, Any]:
        """Return the body of one of our routes.

        Args:
            path: of the route.
            given: the arguments of the tool.
            names: those of them that the route takes.

        Raises:
            RefusedError: the route answered with a problem.
        """
        query = {
            "q" if name == "query" else name: _write(given[name]) for name in names if name in given
        }
        answer = await self._inner.get(path, query, self._caller, self._request_id)
        if answer.status >= 400:
            raise RefusedError(answer.body)
        return answer.body


@frozen
class Tool:
    """A tool.

    Attributes:
        title: a name for people.
        about: what it does, for the model that chooses it.
        takes: its arguments.
        returns: the JSON Schema of its result.
        run: answers a call, with the arguments and the defaults of absent ones.
    """

    name: str
    title: str
    about: str
    takes: tuple[Parameter, ...]
    returns: dict[str, Any]
    run: Callable[[ToolCall, Given], Awaitable[dict[str, Any]]]

    @property
    def input_schema(self) -> dict[str, Any]:
        """The JSON Schema of the arguments."""
        return describe_object(self.takes)

    async def answer(self, call: ToolCall, arguments: Given) -> dict[str, Any]:
        """Return the result for arguments that match the schema."""
        defaults = {one.name: one.default for one in self.takes if one.default is not None}
        return await self.run(call, defaults | {**arguments})


def build_tools(sources: tuple[str, ...]) -> tuple[Tool, ...]:
    """Return the tools, given the names of all sources."""
    return (
        _build_search(sources),
        Tool(
            "fetch",
            "Read an article",
            "Read the text of one article. A long text comes in parts: pass `next_offset` as "
            "`offset` for the next one.",
            (ARTICLE_PARAMETER, OFFSET, MAX_BYTES),
            mcp.FETCH_RESULT,
            _fetch,
        ),
        _build_archive_search(sources),
        Tool(
            "similar",
            "Similar stories",
            "Find other stories in the archive that are about the same as an article.",
            (ARTICLE_PARAMETER, *_read_parameters(similar.build_routes()), MAX_BYTES),
            mcp.SIMILAR_RESULT,
            _list_similar,
        ),
        Tool(
            "trending",
            "Trending searches",
            "List what more people search for than usual on this service.",
            (*_read_parameters(searches.build_routes()), MAX_BYTES),
            mcp.TREND_RESULT,
            _list_trends,
        ),
        Tool(
            "story",
            "Who reported a story",
            "List which publishers reported an article's story, when, from which countries and in "
            "which languages, and in which countries nobody did.",
            (ARTICLE_PARAMETER, MAX_BYTES),
            mcp.STORY_RESULT,
            _show_story,
        ),
    )


def _build_search(sources: tuple[str, ...]) -> Tool:
    takes = _choose(search_request.declare_parameters(sources), leave_out=("explain", "personal"))
    names = [one.name for one in takes]

    async def search(call: ToolCall, given: Given) -> dict[str, Any]:
        return mcp.build_search_result(await call.get(SEARCH, given, names), given["max_bytes"])

    return Tool(
        "search",
        "Search the news",
        "Search all news sources at once, now. Reports of one story are one result. `sources` says "
        "how each source answered: if `complete` is false, some did not.",
        (*takes, MAX_BYTES),
        mcp.SEARCH_RESULT,
        search,
    )


def _build_archive_search(sources: tuple[str, ...]) -> Tool:
    takes = _choose((*archive.declare_filters(sources), *archive.PAGING))
    names = [one.name for one in takes]

    async def search(call: ToolCall, given: Given) -> dict[str, Any]:
        body = await call.get("/archive", given, names)
        result = mcp.build_archive_result(body, given["max_bytes"])
        shown = len(result["results"])
        if not result["left_out"] or not shown:
            return result
        # Otherwise the cursor would skip what was left out.
        body = await call.get("/archive", {**given, "limit": shown}, names)
        return mcp.build_archive_result(body, given["max_bytes"])

    return Tool(
        "archive_search",
        "Search the archive",
        "Search all articles that this service has ever seen, with filters; no source is asked. "
        "For more, pass `next_cursor` as `cursor`, and all else unchanged.",
        (*takes, MAX_BYTES),
        mcp.ARCHIVE_RESULT,
        search,
    )


async def _fetch(call: ToolCall, given: Given) -> dict[str, Any]:
    body = await call.get(f"{SEARCH}/{given['id']}", {})
    return mcp.build_fetch_result(body, given["offset"], given["max_bytes"])


async def _list_similar(call: ToolCall, given: Given) -> dict[str, Any]:
    body = await call.get(f"{SEARCH}/{given['id']}/similar", given, ("limit",))
    return mcp.build_similar_result(body, given["max_bytes"])


async def _list_trends(call: ToolCall, given: Given) -> dict[str, Any]:
    body = await call.get("/trending", given, ("window",))
    return mcp.build_trend_result(body, given["max_bytes"])


async def _show_story(call: ToolCall, given: Given) -> dict[str, Any]:
    path = f"{SEARCH}/{given['id']}"
    article, coverage = await call.get(path, {}), await call.get(f"{path}/coverage", {})
    return mcp.build_story_result(article, coverage, given["max_bytes"])


def _read_parameters(routes: Iterable[Route]) -> tuple[Parameter, ...]:
    """Return the parameters in the query string of the first route."""
    return next(iter(routes)).takes


def _choose(
    parameters: Iterable[Parameter], leave_out: Sequence[str] = ()
) -> tuple[Parameter, ...]:
    """Return the parameters that a tool takes; ChatGPT requires the name `query`."""
    changed: dict[str, dict[str, Any]] = {
        "q": {"name": "query"},
        "limit": {"default": DEFAULT_LIMIT},
    }
    return tuple(
        evolve(one, **changed.get(one.name, {})) for one in parameters if one.name not in leave_out
    )


def _write(value: Any) -> str:
    """Return an argument as a query string has it."""
    return ",".join(value) if isinstance(value, list | tuple) else str(value)

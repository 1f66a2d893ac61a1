"""GET /articles, the search; GET /articles/{id}, one article."""

import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

import trio
from quart import Response, request
from werkzeug.exceptions import NotFound

from newsintel.codec import to_json
from newsintel.http.conditional import unchanged
from newsintel.http.filters import BOUNDS, LANGUAGE, bounds
from newsintel.http.headers import VARY, answered_by, caching, etag, next_link, reported
from newsintel.http.kinds import choice, names, text, whole
from newsintel.http.params import Parameter
from newsintel.http.problems import PROBLEMS, code_of_failures, respond
from newsintel.http.schemas import ARTICLE_ID, ref
from newsintel.http.services import Services
from newsintel.http.table import Given, Route
from newsintel.model import Answer, Dedupe, Origin, Query, SearchRecord, Sort
from newsintel.query import build
from newsintel.settings import Settings
from newsintel.views import View, article_body, render

LAST_PAGE = 1000


def routes(settings: Settings) -> tuple[Route, ...]:
    """The addresses of articles."""
    return (
        Route(
            "/articles",
            search,
            "Search every source at once",
            {200: ref("Search")},
            takes=_parameters(tuple(settings.source)),
            problems=("busy", "archive_timeout", "sources_failed", "sources_timed_out"),
        ),
        Route(
            "/articles/{id}",
            one,
            "One article",
            {200: ref("ArchivedArticle")},
            in_path={"id": ARTICLE_ID},
            problems=("not_found", "busy", "archive_timeout"),
        ),
    )


def _parameters(sources: tuple[str, ...]) -> tuple[Parameter, ...]:
    words = 'Words that must all occur; `OR` in capitals between alternatives, "a phrase", -word for one that must not occur.'
    return (
        Parameter("q", text(256), words, required=True),
        Parameter("limit", whole(1, 100), "Stories on a page.", 20),
        Parameter("page", whole(1, LAST_PAGE), "Which page; one past the end is empty.", 1),
        Parameter("sources", names(sources), "The sources to ask; all by default.", sources),
        *BOUNDS,
        LANGUAGE,
        Parameter("sort", choice(*Sort), "The order.", "relevance"),
        Parameter("dedupe", choice(*Dedupe), "How alike two headlines must be to count as one story.", "normal"),
        Parameter("explain", choice("0", "1"), "1 shows what each score is made of.", "0"),
        Parameter("personal", choice("0", "1"), "0 leaves a person's preferences out; an anonymous caller has none.", "1"),
    )


async def search(services: Services, given: Given) -> Response:
    """Answer a search from memory, from a flight in the air or from the sources."""
    query = _query(given)
    reply = await services.desk.search(query)
    services.count("searches", via=answered_by(reply))
    answer, now = reply.answer, services.now()
    view = View(limit=given["limit"], page=given["page"], dedupe=Dedupe(given["dedupe"]), explain=given["explain"] == "1")
    if answer.harvest.origin is Origin.LIVE and not answer.harvest.answered:
        return _unanswered(answer, render(answer, view)["sources"], services.settings, now)
    headers = caching(reply, view, services.settings, now)
    if (same := unchanged(etag(answer, view), headers)) is not None:
        return same
    body = render(answer, view)
    if body["has_more"] and view.page < LAST_PAGE:
        pairs = dict(parse_qsl(request.query_string.decode("ascii"), keep_blank_values=True))
        headers["Link"] = next_link(services.settings.public_url, pairs, view.page)
    if view.page == 1 and request.method == "GET":
        _record(services, SearchRecord(query.text, query.key, body["total"], now))
    return Response(to_json(body), headers=headers, content_type="application/json")


async def one(services: Services, given: Given) -> Response:
    """Answer one article by its public id."""
    # What cannot be an id is not worth a question to the archive.
    found = await services.desk.article(given["id"]) if re.fullmatch(ARTICLE_ID["pattern"], given["id"]) else None
    if found is None:
        raise NotFound("No article has this id.")
    # Its group can change with any harvest that lands, so it is kept no longer than an incomplete one.
    headers = {"Cache-Control": f"public, max-age={math.floor(services.settings.cache_partial_s)}", "Vary": VARY}
    return Response(to_json(article_body(found)), headers=headers, content_type="application/json")


def _query(given: Given) -> Query:
    start, end = bounds(given)
    return build(given["q"], sources=given["sources"], start=start, end=end, language=given["language"], sort=Sort(given["sort"]))


def _unanswered(answer: Answer, sources: Mapping[str, Any], settings: Settings, now: datetime) -> Response:
    """Nothing answered: say how each source did, and after how many seconds it may be worth asking again."""
    code = code_of_failures(answer.harvest.outcomes)
    headers = {}
    if code == "busy":
        times = [(outcome.retry_at - now).total_seconds() for outcome in reported(answer) if outcome.retry_at]
        headers["Retry-After"] = str(max(1, math.ceil(min(times, default=settings.cache_partial_s))))
    return respond(code, PROBLEMS[code].meaning, headers=headers, sources=sources)


def _record(services: Services, done: SearchRecord) -> None:
    """Offer a search to the history, which must never hold up an answer."""
    try:
        services.to_recorder.send_nowait(done)
    except (trio.WouldBlock, trio.BrokenResourceError):
        services.count("refusals", inbox="recorder")

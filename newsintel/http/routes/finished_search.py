"""The end of a search, for all routes that search: its finished page, or why there is none."""

import math
from collections.abc import Iterable
from functools import partial
from typing import Any

from attrs import frozen

from newsintel.domain.operations.source_notice import notice_member
from newsintel.domain.search.harvest import Answer
from newsintel.http.bodies.channel import Channel
from newsintel.http.bodies.formats import Body, Content, Encoding
from newsintel.http.bodies.search import MAX_PAGE
from newsintel.http.paths import FRONT, SEARCH
from newsintel.http.response.cache_headers import compute_tag, format_next_link
from newsintel.http.response.links import build_url
from newsintel.http.response.packing import is_worth_packing
from newsintel.http.response.page_cache import PageCache
from newsintel.http.response.problems import find_failure_code
from newsintel.http.response.rendered_search import Privacy, RenderedSearch, render_search
from newsintel.http.routes.search_request import SearchRequest
from newsintel.http.services import Services
from newsintel.runtime.turns import run_in_turns


async def finish_search(
    services: Services,
    pages: PageCache,
    asked: SearchRequest,
    answer: Answer,
    headers: Iterable[tuple[bytes, bytes]] = (),
) -> RenderedSearch:
    """Finish an answer, or reuse the same page from the cache; cache a page for everybody.

    Args:
        services: has the windows and the settings.
        pages: the cache.
        asked: what was asked, and by whom.
        answer: what was found.
        headers: the header lines of a request that the page answers as it is. They decide whether
            there is a compressed form too.
    """
    if asked.person:
        return await _make_page(services, asked, answer, privacy=Privacy.PERSON)
    privacy, tag = Privacy.of_answer(answer), compute_tag(answer, asked.view)

    async def make() -> RenderedSearch:
        made = await _make_page(services, asked, answer, privacy=privacy, tag=tag)
        if is_worth_packing(made.body, headers):
            made = await run_in_turns(made.pack())
        return made

    return await pages.get_or_make(
        asked.query_string, tag, make, cacheable=answer.harvest.cacheable
    )


async def _make_page(
    services: Services,
    asked: SearchRequest,
    answer: Answer,
    *,
    privacy: Privacy,
    tag: str | None = None,
) -> RenderedSearch:
    view = asked.view
    body = await run_in_turns(asked.render_in_slices(answer)) | notice_member(services.settings)
    more = body["has_more"] and view.page < MAX_PAGE
    base = services.settings.public_url
    encoding = Encoding(view.format, partial(_describe_channel, base, asked, more=more))
    content = Content(await run_in_turns(encoding.encode(body)), encoding.media_type)
    return render_search(
        asked.query,
        answer,
        body,
        view,
        tag=tag,
        privacy=privacy,
        windows=services.search.windows,
        link=format_next_link(base, asked.query_string, view.page) if more else None,
        content=content,
    )


def _describe_channel(base: str, asked: SearchRequest, body: Body, *, more: bool) -> Channel:
    build = partial(build_url, base, SEARCH, asked.query_string)
    return Channel(
        f"newsintel: {asked.query.text}",
        build_url(base, FRONT, asked.query_string, format=None),
        build(),
        next_url=build(page=str(asked.view.page + 1)) if more else None,
        updated=body["fetched_at"],
    )


def record_search(services: Services, asked: SearchRequest, sent: RenderedSearch) -> None:
    """Offer an answered search to the history, unless the person does not want this."""
    if sent.searched is not None and asked.recorded:
        services.personal.recording.offer(asked.caller, sent.searched, services.now())


@frozen
class FailedSearch:
    """Why a search has no answer.

    Attributes:
        code: of the problem.
        sources: the report of each source.
        retry_after_s: when a retry can succeed, for `busy`; None = unknown.
    """

    code: str
    sources: dict[str, Any]
    retry_after_s: int | None


async def describe_failure(
    services: Services, asked: SearchRequest, answer: Answer
) -> FailedSearch:
    """Say why no source answered."""
    sources = (await run_in_turns(asked.render_in_slices(answer)))["sources"]
    code, now = find_failure_code(answer.reported), services.now()
    if code != "busy":
        return FailedSearch(code, sources, None)
    times = [
        (outcome.retry_at - now).total_seconds() for outcome in answer.reported if outcome.retry_at
    ]
    wait_s = min(times, default=services.search.windows.partial_s)
    return FailedSearch(code, sources, max(1, math.ceil(wait_s)))

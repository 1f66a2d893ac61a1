"""The finished page of a search's results."""

from hashlib import sha256
from typing import Any

from attrs import evolve, frozen

from newsintel.domain.operations.source_notice import notice_member
from newsintel.domain.search.harvest import Answer
from newsintel.domain.search.merging import merge_by_mode
from newsintel.http.bodies.formats import Content
from newsintel.http.bodies.search import MAX_PAGE
from newsintel.http.pages.assets import ASSETS
from newsintel.http.pages.facets import count_publishers, filter_stories
from newsintel.http.pages.rendering import CONTENT_POLICY, HTML
from newsintel.http.pages.timeline import count_times, draw_timeline
from newsintel.http.response.cache_headers import compute_tag
from newsintel.http.response.html_page import render_current_page
from newsintel.http.response.page_cache import PageCache
from newsintel.http.response.rendered_search import Privacy, RenderedSearch, render_search
from newsintel.http.routes.pages.read_state import find_read
from newsintel.http.routes.search_request import SearchRequest
from newsintel.http.services import Services
from newsintel.runtime.turns import run_in_turns


@frozen
class PublisherChoice:
    """Which publishers' stories a page shows: those of one, or those not only of another."""

    publisher: str | None
    without: str | None

    @property
    def is_empty(self) -> bool:
        """Whether all stories are shown."""
        return self.publisher is None and self.without is None


async def finish_results(
    services: Services,
    pages: PageCache,
    asked: SearchRequest,
    chosen: PublisherChoice,
    answer: Answer,
) -> RenderedSearch:
    """Finish the page of an answer, or reuse the same page from the cache."""
    if asked.person:
        return await _make_page(services, asked, chosen, answer, privacy=Privacy.PERSON)
    privacy, tag = Privacy.of_answer(answer), _compute_tag(answer, asked, chosen)

    async def make() -> RenderedSearch:
        page = await _make_page(services, asked, chosen, answer, privacy=privacy, tag=tag)
        return await run_in_turns(page.pack())

    return await pages.get_or_make(
        asked.query_string, tag, make, cacheable=answer.harvest.cacheable
    )


async def _make_page(
    services: Services,
    asked: SearchRequest,
    chosen: PublisherChoice,
    answer: Answer,
    *,
    privacy: Privacy,
    tag: str | None = None,
) -> RenderedSearch:
    values = await _build_values(services, asked, chosen, answer)
    page = await run_in_turns(render_current_page("results.html", values))
    made = render_search(
        asked.query,
        answer,
        values["body"],
        asked.view,
        tag=tag,
        privacy=privacy,
        windows=services.search.windows,
        link=None,
        content=Content(page, HTML),
    )
    searched = made.searched if chosen.is_empty else None  # a choice is not another search
    return evolve(made, searched=searched, policy=CONTENT_POLICY)


def _compute_tag(answer: Answer, asked: SearchRequest, chosen: PublisherChoice) -> str:
    identity = (compute_tag(answer, asked.view), chosen, ASSETS["page.css"].path)
    return sha256(repr(identity).encode()).hexdigest()[:32]


async def _build_values(
    services: Services, asked: SearchRequest, chosen: PublisherChoice, answer: Answer
) -> dict[str, Any]:
    """Return what the template shows."""
    merged = await run_in_turns(merge_by_mode(answer, asked.view.dedupe))
    stories = filter_stories(merged.ranked, chosen.publisher, chosen.without)
    filtered = evolve(answer, merge=evolve(merged, ranked=stories))
    body = await run_in_turns(asked.render_in_slices(filtered))
    times = [ranked.group.leader.published_at for ranked in stories]
    return {
        "q": asked.query.text,
        "query": asked.query,
        "view": asked.view,
        "body": body,
        "read": await find_read(services, body["articles"]) if asked.person else frozenset(),
        "more": body["has_more"] and asked.view.page < MAX_PAGE,
        "sources": body["sources"],
        "publishers": count_publishers(merged.ranked),
        "chosen": chosen,
        "timeline": draw_timeline(count_times(times)),
        "notice": notice_member(services.settings).get("notice"),
    }

"""GET /story/{id}: one story, who reported it when, and why these reports are one story.

A person who is signed in can say that a report is another story; then this person's page shows it
apart (`article_form`).
"""

import math
from typing import Any

from quart import Response
from werkzeug.exceptions import NotFound

from newsintel.domain.accounts.model import Access
from newsintel.domain.search.article import ArchivedArticle, Member
from newsintel.errors import UnavailableError
from newsintel.http.bodies.search import summarize_article
from newsintel.http.pages.wording import describe_rule
from newsintel.http.request.access import get_current_caller
from newsintel.http.response.html_page import render_current_page
from newsintel.http.response.redirects import answer_see_other
from newsintel.http.route import PAGE_MEDIA, Route
from newsintel.http.routes.article_id import find_article
from newsintel.http.routes.ids import ARTICLE, IdParameters
from newsintel.http.routes.pages.kept_page import answer_kept_page
from newsintel.http.routes.similar import read_similar
from newsintel.http.services import Services
from newsintel.runtime.turns import run_in_turns

PATH = "/story/{id}"
SIMILAR = 8
"""How many similar stories the page shows."""


def build_routes() -> tuple[Route, ...]:
    """The route of the page."""
    away = ("not_found", "busy", "archive_timeout")
    return (
        Route(
            PATH,
            show_story,
            "One story for people: its reports in order of time, with the reasons",
            {200: None, 303: None},
            in_path={"id": ARTICLE},
            problems=away,
            media=PAGE_MEDIA,
        ),
    )


async def show_story(services: Services, given: IdParameters) -> Response:
    """Answer with the page, or send the browser to the story's own address."""
    found = await find_article(services, given.id)
    if found.group_id not in (None, given.id):
        return answer_see_other(str(found.group_id))

    async def make() -> bytes:
        values = await _build_values(services, found)
        return await run_in_turns(render_current_page("story.html", values))

    return await answer_kept_page(services, make, math.floor(services.search.windows.partial_s))


async def _build_values(services: Services, found: ArchivedArticle) -> dict[str, Any]:
    members = (Member(found.article), *found.duplicates)
    account = get_current_caller().account
    apart = (
        await services.personal.not_same.find_others(account.id, found.article.id)
        if account
        else frozenset()
    )
    reports = sorted(
        (_build_report(member) for member in members), key=lambda one: one["published_at"]
    )
    together = [one for one in reports if one["id"] not in apart]
    known = [one for one in together if "published_at_estimated" not in one]
    return {
        "lead": await _choose_lead(services, found, apart),
        "founder": found.article.id,
        "reports": together,
        "apart": [one for one in reports if one["id"] in apart],
        "first": known[0] if known else None,
        "similar": await _read_similar(services, found.article.id),
        "may_judge": get_current_caller().access is Access.SESSION,
    }


def _build_report(member: Member) -> dict[str, Any]:
    why = describe_rule(member.rule, member.similarity)
    return summarize_article(member.article) | {"why": why}


async def _choose_lead(
    services: Services, found: ArchivedArticle, apart: frozenset[str]
) -> dict[str, Any]:
    """Return the fullest article of the story; the founder if that one is not known or is apart."""
    if found.leader_id != found.article.id and found.leader_id not in apart:
        try:
            return summarize_article((await find_article(services, found.leader_id)).article)
        except (NotFound, UnavailableError):
            pass
    return summarize_article(found.article)


async def _read_similar(services: Services, article_id: str) -> list[dict[str, Any]] | None:
    try:
        return await read_similar(services, article_id, SIMILAR)
    except UnavailableError:
        return None

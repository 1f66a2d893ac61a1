"""Bodies of searches: pure functions from an answer and a view. They make no upstream call.

Times from our own clock (`fetched_at`, `first_seen_at`, `retry_at`) have milliseconds, times from
sources (`published_at`) seconds. All are RFC 3339 in UTC with a Z.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from attrs import asdict, frozen

from newsintel.domain.bounds.slices import Sliced, run_all
from newsintel.domain.search.article import ArchivedArticle, Article, Engagement, Member
from newsintel.domain.search.harvest import Answer, Merge, Origin, Ranked
from newsintel.domain.search.kept_apart import KeptApart, list_kept_apart
from newsintel.domain.search.merging import merge_by_mode
from newsintel.domain.search.outcome import FetchOutcome
from newsintel.domain.search.query_model import Dedupe
from newsintel.domain.search.scoring import DECIMALS, display_score
from newsintel.domain.text.moments import format_time
from newsintel.http.bodies.formats import Format

MAX_PAGE = 1000
"""The highest page that a request may name (contract). Even with the smallest pages, it is past
the end of every harvest."""


@frozen
class View:
    """How the body shows a harvest.

    Attributes:
        limit: groups on a page, 1 to 100.
        page: from 1.
        explain: show the parts of each score, and near misses.
        format: in which format the body leaves.
    """

    limit: int = 20
    page: int = 1
    dedupe: Dedupe = Dedupe.NORMAL
    explain: bool = False
    format: Format = Format.JSON


def render(answer: Answer, view: View) -> dict[str, Any]:
    """The body of GET /articles.

    Scores use the harvest's fetched_at as the current time, so a cache hit equals its miss.
    """
    return run_all(render_in_slices(answer, view))


def render_in_slices(answer: Answer, view: View) -> Sliced[dict[str, Any]]:
    """Build the same body as `render`, in slices."""
    merged = yield from merge_by_mode(answer, view.dedupe)
    return (yield from build_search_body(answer, merged, merged.ranked, view))


def build_search_body(
    answer: Answer, merged: Merge, listed: Sequence[Ranked], view: View
) -> Sliced[dict[str, Any]]:
    """The body that lists some of a merge's groups, in the given order.

    The reports of the sources count the whole merge.
    """
    harvest = answer.harvest
    start = (view.page - 1) * view.limit
    shown = listed[start : start + view.limit]
    apart = (yield from _explain_near_misses(merged, shown)) if view.explain else {}
    articles = []
    for ranked in shown:
        articles.append(
            _build_group_body(ranked, explain=view.explain) | apart.get(ranked.group.founder.id, {})
        )
        yield
    return {
        "articles": articles,
        "total": len(listed),
        "limit": view.limit,
        "page": view.page,
        "has_more": start + view.limit < len(listed),
        "complete": answer.complete,
        "origin": harvest.origin.value,
        "fetched_at": format_time(harvest.fetched_at),
        "sources": _build_source_reports(answer, merged),
    }


def build_article_body(archived: ArchivedArticle) -> dict[str, Any]:
    """The body of GET /articles/{id}."""
    return summarize_article(archived.article) | {
        "content": archived.article.content,
        "leader_id": archived.leader_id,
        "group_id": archived.group_id,
        "duplicates": [_build_duplicate(member) for member in archived.duplicates],
        "first_seen_at": format_time(archived.first_seen_at),
        "fetched_at": format_time(archived.fetched_at),
    }


def summarize_article(article: Article) -> dict[str, Any]:
    """The members of an article that every list of articles shows."""
    body: dict[str, Any] = {
        "id": article.id,
        "title": article.title,
        "description": article.description,
        "url": article.url,
        "source": article.source,
        "publisher": article.publisher,
        "section": article.section,
        "author": article.author,
        "image_url": article.image_url,
        "language": article.language,
        "published_at": format_time(article.published_at, "seconds"),
        "discussion": _build_discussion(article.engagement),
    }
    return body | {"published_at_estimated": True} if article.published_at_estimated else body


def _build_group_body(ranked: Ranked, *, explain: bool) -> dict[str, Any]:
    body = summarize_article(ranked.group.leader) | {
        "discussion": _build_discussion(ranked.group.discussion),
        "group_id": ranked.group.founder.id,
        "score": display_score(ranked.parts),
        "duplicates": list(map(_build_duplicate, _list_duplicates(ranked))),
    }
    if not explain:
        return body
    parts = {name: round(part, DECIMALS) for name, part in asdict(ranked.parts).items()}
    return body | {"score_parts": parts, "popularity": ranked.popularity}


def _explain_near_misses(
    merged: Merge, shown: Sequence[Ranked]
) -> Sliced[dict[str, dict[str, Any]]]:
    """Return the member `kept_apart` of each shown group, by the id of its founder.

    It is empty under the other modes, which have no vetoes.
    """
    if merged.mode is not Dedupe.NORMAL:
        return {ranked.group.founder.id: {"kept_apart": []} for ranked in shown}
    apart = yield from list_kept_apart(
        [ranked.group for ranked in merged.ranked], [ranked.group for ranked in shown]
    )
    return {
        founder: {"kept_apart": list(map(_build_near_miss, some))}
        for founder, some in apart.items()
    }


def _build_near_miss(apart: KeptApart) -> dict[str, Any]:
    return {
        "id": apart.article.id,
        "title": apart.article.title,
        "veto": apart.veto.value,
        "similarity": apart.similarity,
    }


def _build_discussion(counted: Engagement | None) -> dict[str, Any] | None:
    """The member `discussion`; None if there is none, or its address is unknown."""
    if counted is None or counted.url is None:
        return None
    return {"url": counted.url, "points": counted.points, "comments": counted.comments}


def _list_duplicates(ranked: Ranked) -> list[Member]:
    return ranked.group.list_others(ranked.group.leader)


def _build_duplicate(member: Member) -> dict[str, Any]:
    article = member.article
    return {
        "id": article.id,
        "title": article.title,
        "url": article.url,
        "source": article.source,
        "publisher": article.publisher,
        "published_at": format_time(article.published_at, "seconds"),
        "rule": member.rule,
        "similarity": member.similarity,
    }


def _build_source_reports(answer: Answer, merged: Merge) -> dict[str, Any]:
    """Return a report per source: of the failed refresh if there was one, else of the harvest.

    Only a live harvest's articles count as merged: the articles of a stale harvest or of the
    archive do not come from the reported outcomes.
    """
    own = answer.harvest.origin is Origin.LIVE
    listed = (
        member.article.source for ranked in merged.ranked for member in _list_duplicates(ranked)
    )
    counts = Counter(listed if own else ())
    return {
        outcome.source: _build_source_report(outcome, counts[outcome.source])
        for outcome in answer.reported
    }


def summarize_outcome(outcome: FetchOutcome) -> dict[str, Any]:
    """Return what is known of a source's answer before it is merged with the others."""
    return {
        "status": outcome.status.value,
        "latency_ms": None if outcome.latency_ms is None else round(outcome.latency_ms, 1),
        "returned": outcome.returned,
        "kept": len(outcome.articles),
    }


def _build_source_report(outcome: FetchOutcome, merged: int) -> dict[str, Any]:
    return summarize_outcome(outcome) | {
        "merged": merged,
        "http_status": outcome.http_status,
        "retry_at": None if outcome.retry_at is None else format_time(outcome.retry_at),
        "ignored": list(outcome.ignored),
    }

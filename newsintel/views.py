"""Stand-in: renders answers."""

from typing import Any

from attrs import asdict, frozen

from newsintel.model import Answer, ArchivedArticle, Article, Dedupe, FetchOutcome


@frozen
class View:
    """How a person wants to see an answer."""

    limit: int = 20
    page: int = 1
    dedupe: Dedupe = Dedupe.NORMAL
    explain: bool = False


def _article(article: Article) -> dict[str, Any]:
    names = "id title description url source publisher section author image_url language published_at".split()  # noqa: SIM905
    return {name: getattr(article, name) for name in names}


def _report(outcome: FetchOutcome) -> dict[str, Any]:
    return {
        "status": outcome.status, "latency_ms": outcome.latency_ms, "returned": outcome.returned, "kept": len(outcome.articles),
        "merged": 0,        "http_status": outcome.http_status, "retry_at": outcome.retry_at, "ignored": list(outcome.ignored),
    }  # fmt: skip


def render(answer: Answer, view: View) -> dict[str, Any]:
    """The JSON body of GET /articles."""
    harvest = answer.harvest
    ranked = answer.merge.ranked
    shown = ranked[(view.page - 1) * view.limit : view.page * view.limit]
    articles = []
    for one in shown:
        row = _article(one.group.leader) | {"group_id": one.group.founder.id, "score": one.parts.total, "duplicates": []}
        articles.append(row | ({"score_parts": asdict(one.parts)} if view.explain else {}))
    return {
        "articles": articles, "total": len(ranked), "limit": view.limit, "page": view.page,
        "has_more": view.page * view.limit < len(ranked),
        "complete": harvest.complete and not answer.refused, "origin": harvest.origin, "fetched_at": harvest.fetched_at,
        "sources": {outcome.source: _report(outcome) for outcome in answer.refused or harvest.outcomes},
    }  # fmt: skip


def article_body(archived: ArchivedArticle) -> dict[str, Any]:
    """The JSON body of GET /articles/{id}."""
    times = {name: getattr(archived, name) for name in ("leader_id", "first_seen_at", "fetched_at")}
    return _article(archived.article) | {"content": archived.article.content} | times

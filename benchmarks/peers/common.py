"""What both peers use of newsintel (only pure functions), and their common INSERT."""

import time
from datetime import UTC, datetime
from typing import Any

import httpx

from newsintel.commands.setup import load_settings
from newsintel.demo.reddit_auth import CLIENT_ID, CLIENT_SECRET
from newsintel.domain.search.article import Article
from newsintel.domain.search.harvest import Answer, Harvest
from newsintel.domain.search.merging import merge_articles
from newsintel.domain.search.outcome import FetchOutcome, Refusal, SourcePage, Status
from newsintel.domain.search.query import build_query
from newsintel.domain.search.query_model import Dedupe, Query
from newsintel.domain.search.source_ranks import score_ranks
from newsintel.http.bodies.search import View, render
from newsintel.outbound.sources import REGISTRY
from newsintel.outbound.sources.source import Response

SETTINGS = load_settings()
SOURCES = SETTINGS.enabled_sources
DATABASE_URL = SETTINGS.database_url.reveal() if SETTINGS.database_url else ""
REDIS_URL = SETTINGS.redis_url.reveal() if SETTINGS.redis_url else ""
TTL_S = round(SETTINGS.cache_ttl_s)
DEADLINE_S = min(source.deadline_s for source in SETTINGS.source.values())

COLUMNS = (
    "public_id, canonical_url, url, source, external_id, publisher, title, description, content, "
    "author, section, image_url, language, published_at, published_at_estimated, points, comments, "
    "first_seen_at, fetched_at"
)
ON_CONFLICT = (
    "ON CONFLICT (public_id) DO UPDATE "
    "SET fetched_at = greatest(articles.fetched_at, excluded.fetched_at)"
)


def build_plain_query(q: str) -> Query:
    """Build a search of every source."""
    return build_query(q, sources=SOURCES)


async def fetch_reddit_token(client: httpx.AsyncClient) -> str:
    """Fetch Reddit's app-only token, once at the start."""
    reddit = SETTINGS.source["reddit"].values
    reply = await client.post(
        f"{reddit['auth_url']}/api/v1/access_token",
        data={"grant_type": "client_credentials"},
        auth=(CLIENT_ID, CLIENT_SECRET),
        headers={"User-Agent": reddit["user_agent"]},
    )
    return str(reply.json()["access_token"])


async def ask_source(
    client: httpx.AsyncClient, name: str, query: Query, token: str
) -> FetchOutcome:
    """Call one source and parse the answer as newsintel does.

    Raises:
        httpx.HTTPError: no answer.
    """
    began, now = time.perf_counter(), datetime.now(UTC)
    source, settings = REGISTRY[name], SETTINGS.source[name]
    credential = token if source.uses_token else settings.values["key"].reveal()
    request = source.build_request(query, settings, credential, now)
    reply = await client.get(
        settings.url + request.path, params=request.params, headers=list(request.headers)
    )
    page = source.read(Response(reply.status_code, dict(reply.headers), reply.content), query, now)
    return build_outcome(name, page, began)


def build_outcome(name: str, reply: SourcePage | Refusal, began: float) -> FetchOutcome:
    """Return the outcome of a reply."""
    spent_ms = (time.perf_counter() - began) * 1000
    if isinstance(reply, Refusal):
        return FetchOutcome(
            name,
            reply.status,
            datetime.now(UTC),
            latency_ms=spent_ms,
            http_status=reply.http_status,
        )
    status = Status.OK if reply.articles else Status.EMPTY
    return FetchOutcome(
        name,
        status,
        datetime.now(UTC),
        latency_ms=spent_ms,
        http_status=200,
        articles=reply.articles,
        returned=reply.returned,
    )


def build_body(query: Query, outcomes: list[FetchOutcome], limit: int, page: int) -> dict[str, Any]:
    """Group, rank and render: return the body of the answer."""
    harvest = Harvest(query, datetime.now(UTC), tuple(outcomes))
    merged = merge_articles(
        query,
        harvest.articles,
        Dedupe.NORMAL,
        harvest.fetched_at,
        ranks=score_ranks(query, harvest.outcomes),
    )
    return render(Answer(harvest, merged), View(limit=limit, page=page))


def build_row(article: Article, at: datetime) -> tuple[Any, ...]:
    """Return an article as a row of COLUMNS."""
    texts = (
        article.id,
        article.canonical_url,
        article.url,
        article.source,
        article.external_id,
        article.publisher,
        article.title,
    )
    more = (
        article.description,
        article.content,
        article.author,
        article.section,
        article.image_url,
        article.language,
    )
    return (*texts, *more, article.published_at, article.published_at_estimated, None, None, at, at)


def build_rows(outcomes: list[FetchOutcome]) -> list[tuple[Any, ...]]:
    """Return every article once, in one order, so that parallel inserts cannot deadlock."""
    found = {
        article.id: build_row(article, one.fetched_at)
        for one in outcomes
        for article in one.articles
    }
    return [found[key] for key in sorted(found)]

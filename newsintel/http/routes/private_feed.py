"""GET /feeds/{token}: one of a person's lists, for a feed reader that cannot sign in.

The token is the only credential, so it is never logged: the redactor knows its form, and routes are
logged by their pattern.
"""

from collections.abc import Awaitable, Callable, Iterable
from functools import partial

from attrs import evolve, frozen
from quart import Response, request
from werkzeug.exceptions import NotFound

from newsintel.config.settings import Settings
from newsintel.domain.alerts.delivery_model import AlertFeed
from newsintel.domain.alerts.messages import name_story
from newsintel.domain.archive.model import ArchiveSort
from newsintel.domain.archive.query import build_archive_query
from newsintel.domain.personal.model import FeedList, OwnedFeed
from newsintel.domain.personal.saved_query import parse_saved_query
from newsintel.domain.search.article import Article
from newsintel.domain.security.keys import digest_secret
from newsintel.http.asgi import HeaderLines
from newsintel.http.bodies.channel import Channel
from newsintel.http.bodies.formats import Body, Encoding, Format
from newsintel.http.bodies.schemas.parts import ref
from newsintel.http.bodies.search import summarize_article
from newsintel.http.paths import FEEDS
from newsintel.http.request.access import get_current_caller
from newsintel.http.request.filters import FORMAT_OF_FEED
from newsintel.http.response.cache_headers import VARY, format_etag, hash_body
from newsintel.http.response.conditional import respond_unless_held
from newsintel.http.response.links import build_url
from newsintel.http.route import Route
from newsintel.http.routes.ids import FEED_TOKEN
from newsintel.http.services import Services
from newsintel.runtime.limits.lookups import Credential, CredentialKind
from newsintel.runtime.turns import run_in_turns

FEED_ARTICLES = 50
"""Articles of a feed. Readers ask again within hours and keep what they have seen."""


@frozen
class FeedParameters:
    """The values of GET /feeds/{token}."""

    token: str
    format: Format


def build_routes() -> tuple[Route, ...]:
    """The route of private feeds."""
    return (
        Route(
            FEEDS + "{token}",
            show_feed,
            "A private feed: the newest articles of one of its owner's lists",
            {200: ref("FeedArticles")},
            in_path={"token": FEED_TOKEN},
            takes=(FORMAT_OF_FEED,),
            formats=True,
            problems=("not_found", "busy", "archive_timeout", "rate_limited"),
        ),
    )


async def show_feed(services: Services, given: FeedParameters) -> Response:
    """Answer with the feed; 404 if its address does not exist, or was ended."""
    found = await _find_feed(services, digest_secret(given.token))
    if found is None:
        raise NotFound("No feed has this address.")
    body = await found.list_articles()
    encoding = Encoding(given.format, lambda _: _describe_channel(services.settings, found.name))
    data = await run_in_turns(encoding.encode(body))
    tag = hash_body(data)
    return respond_unless_held(data, _build_headers(data, tag, encoding.media_type), tag)


def _build_headers(data: bytes, tag: str, media_type: str) -> HeaderLines:
    return [
        (b"content-type", media_type.encode()),
        (b"content-length", b"%d" % len(data)),
        (b"etag", format_etag(tag)),
        (b"cache-control", b"private, no-cache"),
        (b"vary", VARY.encode()),
        (b"x-robots-tag", b"noindex"),  # a search engine may find an address that leaked
    ]


@frozen
class _FoundFeed:
    """A feed and its owner's public id; `list_articles` returns its body."""

    person: str
    name: str
    list_articles: Callable[[], Awaitable[Body]]


async def _find_feed(services: Services, digest: str) -> _FoundFeed | None:
    """Return the feed of an address: a person's list, or the stories of a saved search.

    Guesses are limited like those of API keys.
    """

    async def ask() -> _FoundFeed | None:
        owned = await services.personal.feeds.find(digest)
        if owned is not None:
            listed = partial(_list_articles, services, owned)
            return _FoundFeed(owned.person, owned.feed.name, listed)
        alerts = await services.alerts.deliveries.find_feed(digest)
        if alerts is None:
            return None
        return _FoundFeed(alerts.person, alerts.name, partial(_list_matches, services, alerts))

    shown = Credential(CredentialKind.FEED, digest)
    return await services.limits.lookups.look_up(shown, get_current_caller().person, ask)


async def _list_articles(services: Services, owned: OwnedFeed) -> Body:
    """Return the newest articles of the list, without the owner's notes."""
    q = owned.feed.q
    if owned.feed.shows is FeedList.SAVED:
        words = None if q is None else parse_saved_query(q)
        page = await services.personal.saved.list_page(owned.user_id, words, FEED_ARTICLES, None)
        return _build_body(save.article for save in page.saves)
    query = build_archive_query(q, sort=ArchiveSort.NEWEST)
    found = await services.archive.search(query, FEED_ARTICLES, None)
    return _build_body(hit.article for hit in found.hits)


async def _list_matches(services: Services, feed: AlertFeed) -> Body:
    """Return the newest stories of a saved search; the title of a later member says so."""
    page = await services.alerts.searches.list_matches(
        feed.user_id, feed.search_id, FEED_ARTICLES, None
    )
    matches = page.matches if page else ()
    return _build_body(evolve(one.article, title=name_story(one)) for one in matches)


def _build_body(articles: Iterable[Article]) -> Body:
    return {"articles": [*map(summarize_article, articles)]}


def _describe_channel(settings: Settings, name: str) -> Channel:
    base = settings.public_url
    return Channel(name, f"{base}/", build_url(base, request.path, request.query_string))

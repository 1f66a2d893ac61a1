"""GET and POST /me/feeds, DELETE /me/feeds/{id}: a person's secret addresses for feed readers.

An address is shown only once, when it is made.
"""

from attrs import frozen
from quart import Response
from werkzeug.exceptions import Conflict, NotFound

from newsintel.domain.accounts.model import Access
from newsintel.domain.archive.query import build_archive_query
from newsintel.domain.personal.model import MOST_FEEDS, FeedList, PrivateFeed
from newsintel.domain.personal.saved_query import parse_saved_query
from newsintel.domain.security.keys import create_feed_token, digest_secret
from newsintel.domain.text.grammar import tidy_query
from newsintel.domain.text.moments import format_time
from newsintel.errors import InvalidBodyError, InvalidParameterError
from newsintel.http.bodies.schemas.parts import ref
from newsintel.http.paths import FEEDS
from newsintel.http.request.access import get_current_account
from newsintel.http.request.json_body import Member
from newsintel.http.request.json_kinds import choice, name, nullable, string
from newsintel.http.response.answers import answer_empty, answer_json
from newsintel.http.route import Method, Route
from newsintel.http.routes.ids import FEED, IdParameters
from newsintel.http.services import Services
from newsintel.runtime.limits.lookups import Credential, CredentialKind
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

BODY = (
    Member("name", name(100), "A name for your own use, and the feed's title.", required=True),
    Member(
        "shows",
        choice(*FeedList),
        "saved: the articles you saved, without your notes; archive: what the archive finds for q.",
        required=True,
    ),
    Member(
        "q",
        nullable(string(1, 256)),
        "A query as GET /me/saved or GET /archive takes it; null or absent: everything.",
        None,
    ),
)


@frozen
class NewFeedParameters:
    """The values of POST /me/feeds."""

    name: str
    shows: FeedList
    q: str | None


def build_routes() -> tuple[Route, ...]:
    """The routes of private feeds."""
    away = ("busy", "archive_timeout")
    return (
        Route(
            "/me/feeds",
            list_feeds,
            "Your private feeds",
            {200: ref("Feeds")},
            need=Access.SESSION,
            problems=away,
        ),
        Route(
            "/me/feeds",
            create_feed,
            "Make a private address for a feed reader",
            {201: ref("NewFeed")},
            method=Method.POST,
            need=Access.SESSION,
            body=BODY,
            problems=("conflict", *away),
        ),
        Route(
            "/me/feeds/{id}",
            revoke_feed,
            "End a private address",
            {204: None},
            in_path={"id": FEED},
            method=Method.DELETE,
            need=Access.SESSION,
            problems=("not_found", *away),
        ),
    )


async def list_feeds(services: Services) -> Response:
    """Answer with the account's feeds, the newest first."""
    feeds = await services.personal.feeds.list_of_user(get_current_account().id)
    return answer_json({"feeds": [build_feed_row(feed) for feed in feeds]})


async def create_feed(services: Services, given: NewFeedParameters) -> Response:
    """Make an address with 256 random bits. Only this response shows it."""
    account, token = get_current_account(), create_feed_token()
    asked = PrivateFeed("", given.name, given.shows, _check_query(given), services.now())
    feed = await services.personal.feeds.create(account.id, asked, digest_secret(token), MOST_FEEDS)
    if feed is None:
        raise Conflict(f"You already have {MOST_FEEDS} feeds. End one first.")
    shown = Credential(CredentialKind.FEED, digest_secret(token))
    services.limits.lookups.remember(shown, account.public_id)
    log.info("feed_made", account=account.public_id, feed=feed.public_id)
    url = f"{services.settings.public_url}{FEEDS}{token}"
    return answer_json(build_feed_row(feed) | {"url": url}, status=201)


async def revoke_feed(services: Services, given: IdParameters) -> Response:
    """End an address: in every process, the next request for it is a 404."""
    account = get_current_account()
    if not await services.personal.feeds.revoke(account.id, given.id):
        raise NotFound("You have no feed with this id.")
    log.info("feed_revoked", account=account.public_id, feed=given.id)
    return answer_empty()


def build_feed_row(feed: PrivateFeed) -> dict[str, object]:
    """Return a feed as its owner sees it, without its address."""
    return {
        "id": feed.public_id,
        "name": feed.name,
        "shows": feed.shows,
        "q": feed.q,
        "created_at": format_time(feed.created_at),
    }


def _check_query(given: NewFeedParameters) -> str | None:
    """Return the tidied query. A query that finds nothing for its form is refused now."""
    if given.q is None:
        return None
    try:
        if given.shows is FeedList.SAVED:
            parse_saved_query(given.q)
        else:
            build_archive_query(given.q)
        return tidy_query(given.q)
    except InvalidParameterError as error:
        raise InvalidBodyError(error.field, error.code, error.message) from None

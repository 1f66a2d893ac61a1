"""GET /feeds.opml: the feeds that this service reads, for other programs."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from quart import Response, request

from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.feeds.model import Subscription
from newsintel.http.bodies.opml import OPML_TYPE, build_opml
from newsintel.http.paths import FEED_LIST
from newsintel.http.response.kept_answer import KeptAnswer
from newsintel.http.response.kept_response import answer_kept
from newsintel.http.route import Route
from newsintel.http.services import Services
from newsintel.runtime.turns import run_in_turns

KEEP_S = 300
"""How long caches may keep the list. It changes with commands and settings only."""


def build_routes() -> tuple[Route, ...]:
    """The route of the list."""
    return (
        Route(
            FEED_LIST,
            list_feeds,
            "The feeds that this service reads, in OPML 2.0",
            {200: None},
            problems=("busy", "archive_timeout"),
            media=OPML_TYPE.partition(";")[0],
        ),
    )


async def list_feeds(services: Services) -> Response:
    """Answer with every feed whose address has no query.

    A query may hold a secret; `newsintel feeds export` writes those addresses too.
    """
    found = [one.subscription for one in await services.feeds.list_feeds()]
    body = await run_in_turns(_build_list(found))
    route, now_s = request.scope["state"]["route"], services.now().timestamp()
    kept = KeptAnswer.of_body(body, route, now_s, keep_s=KEEP_S, age_s=0, media_type=OPML_TYPE)
    return await answer_kept(services, kept, now_s, hit=False)


def _build_list(feeds: Iterable[Subscription]) -> Sliced[bytes]:
    shown = []
    for one in feeds:
        if not urlsplit(one.address).query:
            shown.append(one)
        yield
    return (yield from build_opml(shown))

"""The application factory: binds each row of the table to the router, behind the strict reader and the one place that settles errors."""

from functools import partial

from quart import Response, request
from quart_trio import QuartTrio
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from newsintel.http import archive, articles, health, metrics, openapi, pages, sources
from newsintel.http.callers import Identify
from newsintel.http.envelope import Envelope
from newsintel.http.finished import Pages
from newsintel.http.hosts import HostCheck
from newsintel.http.hot import HotPath
from newsintel.http.last_send import LastSend
from newsintel.http.limits import Limits
from newsintel.http.params import read
from newsintel.http.recording import Recording
from newsintel.http.services import Services
from newsintel.http.settle import settle_framework, settled
from newsintel.http.table import Route

MAX_BODY_BYTES = 65_536
BODY_TIMEOUT_S = 10
RESPONSE_TIMEOUT_S = 30
"""For sending a response, not for making it."""


def create_app(services: Services) -> QuartTrio:
    """Build the REST API. Holds no resource and starts no task; every end in `services` stays its owner's."""
    settings = services.settings
    app = QuartTrio("newsintel.http", static_folder=None)
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        BODY_TIMEOUT=BODY_TIMEOUT_S,
        RESPONSE_TIMEOUT=RESPONSE_TIMEOUT_S,
        PROVIDE_AUTOMATIC_OPTIONS=False,
    )
    # Else `//articles` is redirected to an address made of the caller's own Host header.
    app.url_map.merge_slashes = False
    finished, record = Pages(), Recording(services.to_recorder, services.count)
    table = (
        *articles.routes(settings, finished, record),
        *archive.routes(settings),
        *sources.routes(),
        *health.routes(services.health),
        *metrics.routes(),
        *pages.routes(),
    )
    for route in (*table, *openapi.routes(table, settings)):
        app.add_url_rule(route.rule, endpoint=route.path, view_func=settled(partial(_serve, services, route)), methods=["GET"])
    app.register_error_handler(HTTPException, settle_framework)
    hot = HotPath(LastSend(app.asgi_app), finished, record=record, count=services.count, now=services.now)
    limited = Limits(hot, services.requests, services.misses) if services.requests else hot
    identified = Identify(limited, services.persons, settings.trusted_proxies, services.now)
    app.asgi_app = Envelope(HostCheck(identified, settings), settings)  # type: ignore[assignment,method-assign]
    return app


async def _serve(services: Services, route: Route, **in_path: str) -> Response:
    """Read a request strictly and let the route answer it."""
    request.scope["state"]["route"] = route.path
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise RequestEntityTooLarge
    return await route.view(services, {**read(route.takes, request.query_string), **in_path})

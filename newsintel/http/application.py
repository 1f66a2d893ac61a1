"""The application factory: routes in the router, strict readers, one place that handles errors."""

from functools import partial

from quart import Response, request
from quart_trio import QuartTrio
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from newsintel.http.middleware.cors import Cors
from newsintel.http.middleware.envelope import Envelope
from newsintel.http.middleware.hit_path import HotPath
from newsintel.http.middleware.host_check import HostCheck, under_one_name
from newsintel.http.middleware.identify import Identify
from newsintel.http.middleware.rate_limits import Limits
from newsintel.http.request.access import admit, caller, check_site, origin_of
from newsintel.http.request.credentials import bearer
from newsintel.http.request.json_body import read_body
from newsintel.http.request.query_string import read, read_path
from newsintel.http.response.errors import settle_framework, settled
from newsintel.http.response.page_cache import Pages
from newsintel.http.route import Route
from newsintel.http.routes import (
    account_page,
    api_keys,
    archive,
    articles,
    auth,
    exports,
    feedback,
    health,
    history,
    me,
    metrics,
    openapi,
    preferences,
    recommendations,
    saved,
    searches,
    sessions,
    similar,
    sources,
)
from newsintel.http.routes import problem_pages as pages
from newsintel.http.services import Services

MAX_BODY_BYTES = 65_536
BODY_TIMEOUT_S = 10
RESPONSE_TIMEOUT_S = 30
"""Time limit for sending a response; making it does not count."""


def create_app(services: Services) -> QuartTrio:
    """Build the REST API.

    It holds no resource and starts no task. It does not close the parts of `services`: their owner
    does.
    """
    settings = services.settings
    app = QuartTrio("newsintel.http", static_folder=None)
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        BODY_TIMEOUT=BODY_TIMEOUT_S,
        RESPONSE_TIMEOUT=RESPONSE_TIMEOUT_S,
        PROVIDE_AUTOMATIC_OPTIONS=False,
    )
    # Otherwise `//articles` is redirected to a URL with the Host that the caller sent.
    app.url_map.merge_slashes = False
    finished = Pages()
    table = (
        *articles.routes(settings, finished),
        *similar.routes(),
        *archive.routes(settings),
        *searches.routes(),
        *sources.routes(),
        *auth.routes(services),
        *sessions.routes(),
        *api_keys.routes(),
        *health.routes(services.operations.health),
        *metrics.routes(),
        *pages.routes(),
        *me.routes(),
        *account_page.routes(),
        *preferences.routes(),
        *saved.routes(),
        *feedback.routes(),
        *recommendations.routes(),
        *history.routes(),
        *exports.routes(),
    )
    for route in (*table, *openapi.routes(table, settings)):
        view = settled(partial(_serve, services, route))
        app.add_url_rule(route.rule, endpoint=f"{route.method} {route.path}", view_func=view, methods=[route.method])
    app.register_error_handler(HTTPException, settle_framework)
    hot = HotPath(
        under_one_name(app.asgi_app),
        finished,
        renewing=services.search.desk.renewing,
        record=services.personal.recording,
        count=services.count,
        now=services.now,
    )
    limited = Limits(hot, services.limits.requests, services.limits.misses) if services.limits.requests else hot
    identified = Identify(limited, services)
    reached = Cors(identified, settings.cors_origins) if settings.cors_origins else identified
    app.asgi_app = Envelope(HostCheck(reached, settings), settings)  # type: ignore[assignment,method-assign]
    return app


async def _serve(services: Services, route: Route, **in_path: str) -> Response:
    """Check the caller, read the request strictly, and call the route's view."""
    request.scope["state"]["route"] = route.path
    admit(caller(), route.need)
    if route.writes and bearer(request.scope["headers"]) is None:
        check_site(request.headers, origin_of(services.settings.public_url))
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise RequestEntityTooLarge
    values = read_path(route.in_path, in_path)
    values |= read(route.takes, request.query_string, foreign=route.foreign)
    if route.body:
        values |= await read_body(route.body, request)
    response = await route.answer(services, values)
    return _personal(response) if caller().signed_in else response


def _personal(response: Response) -> Response:
    """Forbid every cache to store a signed-in person's response.

    X-Accel-Expires must go: nginx prefers it to Cache-Control.
    """
    response.headers["Cache-Control"] = "private, no-store"
    response.headers.pop("X-Accel-Expires", None)
    return response

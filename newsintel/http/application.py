"""The application factory: routes in the router, strict readers, one place that handles errors."""

from collections.abc import Collection, Iterable, Mapping
from functools import partial

from attrs import frozen
from quart import Response, request
from quart_trio import QuartTrio
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge

from newsintel.config.settings import Settings
from newsintel.http.middleware.cors import Cors
from newsintel.http.middleware.envelope import Envelope
from newsintel.http.middleware.hit_path import HitPath, Hits
from newsintel.http.middleware.host_check import HostCheck, fix_host_header
from newsintel.http.middleware.identify import Identify
from newsintel.http.middleware.in_flight import InFlight
from newsintel.http.middleware.rate_limits import RateLimits
from newsintel.http.middleware.wire_path import WirePath
from newsintel.http.paths import FRONT, MCP, RESOURCE_METADATA, SEARCH
from newsintel.http.request.access import (
    check_access,
    check_site,
    format_origin,
    get_current_caller,
)
from newsintel.http.request.credentials import read_bearer
from newsintel.http.request.form import read_form
from newsintel.http.request.json_body import read_body
from newsintel.http.request.query_string import parse_path, parse_query
from newsintel.http.response.errors import handle_errors, respond_to_framework_error
from newsintel.http.response.fixed_answer import FixedAnswer
from newsintel.http.response.html_page import respond_with_problem_page
from newsintel.http.response.page_cache import PageCache
from newsintel.http.response.refusal import Refusals
from newsintel.http.route import Route
from newsintel.http.routes import (
    alert_deliveries,
    alert_stream,
    api_keys,
    archive,
    articles,
    auth,
    coverage,
    exports,
    feedback,
    health,
    history,
    me,
    metrics,
    newsapi,
    not_same,
    openapi,
    opensearch,
    preferences,
    private_feed,
    private_feeds,
    problem_pages,
    public_feeds,
    recommendations,
    saved,
    saved_searches,
    searches,
    searxng,
    sessions,
    similar,
    sources,
    stream,
)
from newsintel.http.routes.greader import edits, login, reads
from newsintel.http.routes.mcp import door as mcp
from newsintel.http.routes.mcp.inner_calls import InnerCalls
from newsintel.http.routes.pages import (
    alerts_form,
    alerts_page,
    archive_page,
    article_form,
    docs_page,
    front,
    mail_links,
    me_form,
    me_page,
    ops_page,
    saved_page,
    static,
    story,
    trends_page,
)
from newsintel.http.rules import MatchedRule, list_narrow_paths
from newsintel.http.services import Services

MAX_BODY_BYTES = 65_536
BODY_TIMEOUT_S = 10
RESPONSE_TIMEOUT_S = 30
"""Time limit for sending a response; making it does not count."""


@frozen
class Front:
    """The REST API and the ways into it.

    Attributes:
        wire_path: the way past the parser to finished answers.
        in_flight: what waits in it.
        inner: calls of its routes from this process.
    """

    app: QuartTrio
    wire_path: WirePath
    in_flight: InFlight
    inner: InnerCalls


def create_app(services: Services) -> QuartTrio:
    """Build the REST API alone; the answers are the same without the wire path."""
    return create_front(services).app


def create_front(services: Services) -> Front:
    """Build the REST API and its wire path.

    They hold no resource and start no task. They do not close the parts of `services`: their owner
    does.
    """
    caches = {path: PageCache() for path in (SEARCH, FRONT)}
    inner = InnerCalls()
    table = _build_table(services, caches, inner)
    app = _create_framework(services, table)
    hits = Hits(
        caches,
        {route.path: route.view for route in table if isinstance(route.view, FixedAnswer)},
        kept=services.search.kept,
        record=services.personal.recording,
        count=services.count,
    )
    renew = services.search.desk.serve_while_renewing
    hot = HitPath(fix_host_header(app.asgi_app), hits, serve_while_renewing=renew, now=services.now)
    inner.connect(hot)
    refusals = Refusals.of_table(table)
    return _wrap_middleware(app, hot, hits, refusals=refusals, services=services, inner=inner)


def _wrap_middleware(
    app: QuartTrio,
    hot: HitPath,
    hits: Hits,
    *,
    refusals: Refusals,
    services: Services,
    inner: InnerCalls,
) -> Front:
    """Put the middleware around the application. The wire path uses the same objects."""
    settings, requests = services.settings, services.limits.requests
    limits = RateLimits(hot, requests, services.limits.misses, refusals) if requests else None
    identify = Identify(limits or hot, services)
    in_flight = InFlight(identify, services.count, refusals)
    cors = Cors(in_flight, settings.cors_origins) if settings.cors_origins else None
    host_check = HostCheck(cors or in_flight, settings)
    envelope = Envelope(host_check, settings)
    app.asgi_app = envelope  # type: ignore[assignment,method-assign]
    wire_path = WirePath(
        envelope=envelope,
        host_check=host_check,
        cors=cors,
        identify=identify,
        rate_limits=limits,
        hits=hits,
        now=services.now,
    )
    return Front(app, wire_path, in_flight, inner)


def _create_framework(services: Services, table: Collection[Route]) -> QuartTrio:
    app = QuartTrio("newsintel.http", static_folder=None)
    app.url_rule_class = MatchedRule
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        BODY_TIMEOUT=BODY_TIMEOUT_S,
        RESPONSE_TIMEOUT=RESPONSE_TIMEOUT_S,
        PROVIDE_AUTOMATIC_OPTIONS=False,
    )
    # Otherwise `//articles` is redirected to a URL with the Host that the caller sent.
    app.url_map.merge_slashes = False
    for route in table:
        respond = respond_with_problem_page if route.is_page else None
        view = handle_errors(partial(_handle_request, services, route), respond)
        app.add_url_rule(
            route.rule,
            endpoint=f"{route.method} {route.path}",
            view_func=view,
            methods=[route.method],
        )
    for route, own, others in list_narrow_paths(table):
        respond = respond_with_problem_page if route.is_page else None
        app.add_url_rule(
            route.rule,
            endpoint=f"refused {route.path}",
            view_func=handle_errors(partial(_refuse_method, own), respond),
            methods=others,
        )
    app.register_error_handler(HTTPException, respond_to_framework_error)
    return app


def _build_table(
    services: Services, caches: Mapping[str, PageCache], inner: InnerCalls
) -> tuple[Route, ...]:
    """Return the routes.

    Args:
        services: what they use.
        caches: the finished searches of the paths that have them.
        inner: calls of routes, for routes of other protocols.
    """
    settings, pages = services.settings, caches[SEARCH]
    table = (
        *articles.build_routes(settings, pages),
        *stream.build_routes(settings, pages),
        *similar.build_routes(),
        *coverage.build_routes(),
        *archive.build_routes(settings),
        *searches.build_routes(),
        *sources.build_routes(),
        *auth.build_routes(services),
        *sessions.build_routes(),
        *api_keys.build_routes(),
        *health.build_routes(settings.commit, services.operations.health),
        *metrics.build_routes(),
        *problem_pages.build_routes(),
        *me.build_routes(),
        *preferences.build_routes(),
        *saved.build_routes(),
        *feedback.build_routes(),
        *recommendations.build_routes(),
        *history.build_routes(),
        *exports.build_routes(),
        *private_feeds.build_routes(),
        *private_feed.build_routes(),
        *saved_searches.build_routes(),
        *alert_deliveries.build_routes(),
        *alert_stream.build_routes(),
        *opensearch.build_routes(settings),
        *public_feeds.build_routes(),
        *not_same.build_routes(),
        *front.build_routes(settings, caches[FRONT]),
        *story.build_routes(),
        *article_form.build_routes(),
        *saved_page.build_routes(),
        *me_page.build_routes(),
        *me_form.build_routes(services),
        *archive_page.build_routes(settings),
        *trends_page.build_routes(),
        *ops_page.build_routes(settings),
        *alerts_page.build_routes(settings),
        *alerts_form.build_routes(settings),
        *mail_links.build_routes(),
        *static.build_routes(),
        *mcp.build_routes(settings, inner),
        *login.build_routes(),
        *reads.build_routes(),
        *edits.build_routes(),
        *searxng.build_routes(settings),
        *newsapi.build_routes(),
    )
    return (*table, *_build_descriptions(table, settings))


def _build_descriptions(table: Iterable[Route], settings: Settings) -> tuple[Route, ...]:
    """Return the two routes that describe all routes, themselves included."""
    empty = (openapi.build_route({}), docs_page.build_route({"paths": {}}))
    document = openapi.describe_api((*table, *empty), settings)
    return openapi.build_route(document), docs_page.build_route(document)


async def _refuse_method(own: Iterable[str]) -> Response:
    raise MethodNotAllowed(valid_methods=own)


async def _handle_request(services: Services, route: Route, **in_path: str) -> Response:
    """Check the caller, read the request strictly, and call the route's view."""
    request.scope["state"]["route"] = route.path
    check_access(get_current_caller(), route.need, _find_metadata(services, route))
    by_cookie = read_bearer(request.scope["headers"]) is None
    if route.can_write and by_cookie and not route.secret_address:
        check_site(request.headers, format_origin(services.settings.public_url))
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise RequestEntityTooLarge
    values = parse_path(route.in_path, in_path)
    values |= parse_query(
        route.takes,
        request.query_string,
        foreign=route.foreign,
        blank_is_absent=route.blank_is_absent,
    )
    if route.body:
        values |= await read_body(route.body, request)
    if route.form:
        values |= await read_form(route.form, request, foreign=route.foreign)
    response = await route.answer(services, values)
    return _forbid_caching(response) if get_current_caller().signed_in else response


def _find_metadata(services: Services, route: Route) -> str | None:
    """Return the URL of the metadata for a client that was refused; only MCP's read it."""
    return services.settings.public_url + RESOURCE_METADATA + MCP if route.path == MCP else None


def _forbid_caching(response: Response) -> Response:
    """Forbid every cache to store a signed-in person's response.

    X-Accel-Expires must go: nginx prefers it to Cache-Control.
    """
    response.headers["Cache-Control"] = "private, no-store"
    response.headers.pop("X-Accel-Expires", None)
    return response

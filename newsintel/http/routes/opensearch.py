"""GET /opensearch.xml: how other programs search here (OpenSearch 1.1 Draft 6)."""

from newsintel.config.settings import Settings
from newsintel.http.bodies.opensearch import OPENSEARCH_TYPE, build_description
from newsintel.http.paths import FRONT, OPENSEARCH, SEARCH
from newsintel.http.response.fixed_answer import FixedAnswer
from newsintel.http.route import Route


def build_routes(settings: Settings) -> tuple[Route, ...]:
    """The route of the description."""
    paths = (FRONT, SEARCH, OPENSEARCH)
    body = build_description(*(settings.public_url + path for path in paths))
    # It changes only with releases and settings.
    kind = f"{OPENSEARCH_TYPE}; charset=utf-8"
    view = FixedAnswer.of_text(body, kind, cache_control="public, max-age=86400")
    about = "An OpenSearch description of the search"
    return (Route(OPENSEARCH, view, about, {200: None}, media=OPENSEARCH_TYPE),)

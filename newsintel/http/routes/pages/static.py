"""GET /static/…: the files that pages load."""

from newsintel.http.pages.assets import ASSETS, Asset
from newsintel.http.response.fixed_answer import FixedAnswer
from newsintel.http.route import Route


def build_routes() -> tuple[Route, ...]:
    """The route of each file."""
    return tuple(map(_build_route, ASSETS.values()))


def _build_route(asset: Asset) -> Route:
    forever = "public, max-age=31536000, immutable"
    view = FixedAnswer.of_text(asset.body, asset.media_type, cache_control=forever).pack()
    media = asset.media_type.partition(";")[0]
    return Route(asset.path, view, "A part of the pages", {200: None}, media=media)

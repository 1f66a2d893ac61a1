"""Lists with cursors as feeds and tables."""

from functools import partial

from quart import request

from newsintel.config.settings import Settings
from newsintel.http.bodies.channel import Channel
from newsintel.http.bodies.formats import Body, Encoding, Format
from newsintel.http.response.links import build_url


def choose_encoding(
    settings: Settings, format_: Format, title: str, page: str | None = None
) -> Encoding:
    """Return how the current request's list leaves.

    Args:
        settings: have the public base URL.
        format_: the format that the caller chose.
        title: of the feed.
        page: the path of the page that shows the same to people; None = there is none.
    """
    base = settings.public_url
    build = partial(build_url, base, request.path, request.query_string)

    def describe(body: Body) -> Channel:
        cursor = body["next_cursor"]
        following = build(cursor=cursor) if cursor else None
        home = f"{base}/"
        if page is not None:
            home = build_url(base, page, request.query_string, format=None, cursor=None)
        return Channel(title, home, build(), next_url=following)

    return Encoding(format_, describe)

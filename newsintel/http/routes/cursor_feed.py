"""Lists with cursors as feeds and tables."""

from functools import partial

from quart import request

from newsintel.config.settings import Settings
from newsintel.http.bodies.channel import Channel
from newsintel.http.bodies.formats import Body, Encoding, Format
from newsintel.http.response.links import build_url


def choose_encoding(settings: Settings, format_: Format, title: str) -> Encoding:
    """Return how the current request's list leaves.

    Args:
        settings: have the public base URL.
        format_: the format that the caller chose.
        title: of the feed.
    """
    base = settings.public_url
    build = partial(build_url, base, request.path, request.query_string)

    def describe(body: Body) -> Channel:
        cursor = body["next_cursor"]
        following = build(cursor=cursor) if cursor else None
        return Channel(title, f"{base}/", build(), next_url=following)

    return Encoding(format_, describe)

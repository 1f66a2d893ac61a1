"""The feeds of the invented outlets, in four formats, with entity tags; and the list of them."""

import hashlib
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from email.utils import format_datetime
from html import escape
from typing import Any

import orjson
from attrs import define, field

from newsintel.demo.api import Clocks
from newsintel.demo.bulletins import Report, generate_bulletins, report_story
from newsintel.demo.outlets import GUARDIAN, OUTLETS, Outlet
from newsintel.demo.stories import generate_stories, make_slug
from newsintel.demo.wire import Reply, Request

PREFIX = "/feeds"
LIST = f"{PREFIX}/list.opml"
MOST_ITEMS = 60
"""As many as the feeds of large outlets hold."""
MAX_AGE_S = 30
"""How long a feed may be kept. News arrives each minute."""

_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'


@define
class FeedsApi:
    """Serves feeds.

    Attributes:
        root: the server's address.
        clocks: the time of the news when the server started, and how long it has run.
        seed: that of the invented news.
    """

    root: str
    clocks: Clocks
    seed: int
    _start_s: float = field(init=False)
    _stories: Sequence[Report] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._start_s = self.clocks.monotonic()
        dice = random.Random(self.seed)  # noqa: S311 - nothing here is a secret
        self._stories = [report_story(one) for one in generate_stories(self.clocks.now, dice)]

    def answer_request(self, request: Request) -> Reply:
        """Answer with the list, with a feed, or with 304 if the caller has it."""
        if request.path == LIST:
            return _reply(request, self._write_list(), "text/x-opml")
        for outlet in (GUARDIAN, *OUTLETS):
            if request.path == _path(outlet):
                kind, write = _FORMATS[_format(outlet)]
                return _reply(request, write(outlet, self._list_reports(outlet)), kind)
        return Reply.json(404, {"message": f"Not found. {LIST} lists the feeds."})

    def _list_reports(self, outlet: Outlet) -> list[Report]:
        """Return an outlet's newest reports, the newest first."""
        ran = timedelta(seconds=self.clocks.monotonic() - self._start_s)
        now = self.clocks.now
        arrived = generate_bulletins(now, now + ran, self.seed)
        reports = [one for one in (*self._stories, *arrived) if one.outlet is outlet]
        return sorted(reports, key=lambda one: (one.at, one.url), reverse=True)[:MOST_ITEMS]

    def _write_list(self) -> bytes:
        outlines = "".join(
            f'<outline type="rss" text="{escape(one.name)}" language="en" '
            f'newsintel:publisher="{escape(one.name)}" xmlUrl="{self.root}{_path(one)}"/>'
            for one in (GUARDIAN, *OUTLETS)
        )
        head = '<opml version="2.0" xmlns:newsintel="urn:x-newsintel:feeds">'
        return f"{_XML}{head}<head/><body>{outlines}</body></opml>".encode()


def _format(outlet: Outlet) -> str:
    return [*_FORMATS][(GUARDIAN, *OUTLETS).index(outlet) % len(_FORMATS)]


def _path(outlet: Outlet) -> str:
    return f"{PREFIX}/{make_slug(outlet.name)}.{_format(outlet)}"


def _reply(request: Request, body: bytes, kind: str) -> Reply:
    tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    headers = {"ETag": tag, "Cache-Control": f"max-age={MAX_AGE_S}"}
    if request.headers.get("if-none-match") == tag:
        return Reply(304, b"", headers)
    return Reply(200, body, headers | {"Content-Type": f"{kind}; charset=utf-8"})


def _write_rss(outlet: Outlet, reports: Sequence[Report]) -> bytes:
    items = "".join(
        f"<item><title>{escape(one.title)}</title><link>{one.url}</link>"
        f"<description>{escape(escape(one.summary))}</description>"
        f'<guid isPermaLink="true">{one.url}</guid><author>{escape(one.author)}</author>'
        f"<pubDate>{format_datetime(one.at, usegmt=True)}</pubDate></item>"
        for one in reports
    )
    channel = f"<title>{escape(outlet.name)}</title><link>https://www.{outlet.host}/</link>"
    return f'{_XML}<rss version="2.0"><channel>{channel}{items}</channel></rss>'.encode()


def _write_atom(outlet: Outlet, reports: Sequence[Report]) -> bytes:
    entries = "".join(
        f"<entry><id>{one.url}</id><title>{escape(one.title)}</title>"
        f'<link rel="alternate" href="{one.url}"/><updated>{_iso(one.at)}</updated>'
        f"<author><name>{escape(one.author)}</name></author>"
        f'<summary type="html">{escape(f"<p>{escape(one.summary)}</p>")}</summary></entry>'
        for one in reports
    )
    updated = _iso(reports[0].at) if reports else "1970-01-01T00:00:00Z"
    head = f"<id>https://www.{outlet.host}/</id><title>{escape(outlet.name)}</title>"
    head += f"<updated>{updated}</updated>"
    return f'{_XML}<feed xmlns="http://www.w3.org/2005/Atom">{head}{entries}</feed>'.encode()


def _write_rdf(outlet: Outlet, reports: Sequence[Report]) -> bytes:
    items = "".join(
        f'<item rdf:about="{one.url}"><title>{escape(one.title)}</title><link>{one.url}</link>'
        f"<description>{escape(one.summary)}</description><dc:date>{_iso(one.at)}</dc:date>"
        f"<dc:creator>{escape(one.author)}</dc:creator></item>"
        for one in reports
    )
    home = f"https://www.{outlet.host}/"
    channel = f'<channel rdf:about="{home}"><title>{escape(outlet.name)}</title>'
    channel += f"<link>{home}</link></channel>"
    spaces = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
    spaces += 'xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    return f"{_XML}<rdf:RDF {spaces}>{channel}{items}</rdf:RDF>".encode()


def _write_json(outlet: Outlet, reports: Sequence[Report]) -> bytes:
    items: list[dict[str, Any]] = [
        {
            "id": one.url,
            "url": one.url,
            "title": one.title,
            "summary": one.summary,
            "date_published": _iso(one.at),
            "authors": [{"name": one.author}],
        }
        for one in reports
    ]
    version = "https://jsonfeed.org/version/1.1"
    return orjson.dumps({"version": version, "title": outlet.name, "items": items})


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


_FORMATS = {
    "rss": ("application/rss+xml", _write_rss),
    "atom": ("application/atom+xml", _write_atom),
    "rdf": ("application/rdf+xml", _write_rdf),
    "json": ("application/feed+json", _write_json),
}
"""Media type and writer of each format; the outlets have them in turns."""

"""Reads feeds over the network, from addresses that others choose.

Only http and https, only public addresses (unless PRIVATE_ADDRESSES allows others), at most
MOST_REDIRECTS redirects, each of them checked again, and bodies within the transport's limits.
"""

import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urljoin

import httpx
from attrs import evolve, frozen

from newsintel import __version__
from newsintel.domain.feeds.model import LeasedFeed, PollStatus, Validators
from newsintel.domain.feeds.ports import FeedContent, FeedRefusal, FeedReply
from newsintel.domain.ports import WallClock
from newsintel.domain.search.outcome import Status
from newsintel.domain.text.request_urls import find_url_fault, to_ascii_url
from newsintel.outbound.public_network import PrivateAddressError, PublicNetwork
from newsintel.outbound.sources.feeds.articles import read_articles, read_title
from newsintel.outbound.sources.feeds.reading import NoFeed, read_feed
from newsintel.outbound.sources.source import Response
from newsintel.outbound.transport import FORESEEN, Transport, make_refusal
from newsintel.runtime.telemetry.logs import quiet_libraries
from newsintel.runtime.turns import run_in_turns

MOST_REDIRECTS = 5
"""Browsers follow 20; feeds have one or two."""

ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, */*;q=0.1"
)

_PASSED = frozenset({b"etag", b"last-modified", b"cache-control", b"expires", b"date", b"age"})
_PASSED |= {b"location"}

_PERMANENT = frozenset({301, 308})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})

_MEANINGS = {
    Status.TIMEOUT: PollStatus.TIMEOUT,
    Status.UNREACHABLE: PollStatus.UNREACHABLE,
    Status.OVERLOADED: PollStatus.UNREACHABLE,
}
"""Of the transport's refusals; any other is a reply that must not be used."""


@frozen
class Page:
    """The last reply of a chain of redirects.

    Attributes:
        headers: by lower-case name, as Latin-1, so that they can be sent back exactly.
        url: where it came from.
        moved_to: where the first address has moved for good; None if it has not.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    moved_to: str | None


@frozen
class FeedClient:
    """Implements `FeedReader`."""

    _transport: Transport
    _user_agent: str
    _now: WallClock

    async def read(self, feed: LeasedFeed) -> FeedReply | FeedRefusal:
        """GET a feed and read it, unless it is as before."""
        known = feed.validators
        page = await self.fetch(feed.url, _build_conditions(known))
        if isinstance(page, FeedRefusal):
            return page
        if page.status == 304:
            return FeedReply(None, page.headers, _take_over(known, page.headers), page.moved_to)
        if (refusal := _judge_status(page)) is not None:
            return refusal
        validators = Validators(
            page.headers.get("etag", ""),
            page.headers.get("last-modified", ""),
            hashlib.sha256(page.body).hexdigest(),
        )
        if validators.digest == known.digest:
            return FeedReply(None, page.headers, validators, page.moved_to)
        content = await self._read_content(page, feed)
        if isinstance(content, FeedRefusal):
            return content
        return FeedReply(content, page.headers, validators, page.moved_to)

    async def fetch(self, url: str, headers: Mapping[str, str]) -> Page | FeedRefusal:
        """GET an address, and follow redirects."""
        asked, moved_to, permanent = to_ascii_url(url) or url, None, True
        for _ in range(MOST_REDIRECTS + 1):
            if (fault := find_url_fault(asked)) is not None:
                return FeedRefusal(PollStatus.REFUSED, fault)
            reply = await self._ask(asked, headers)
            if isinstance(reply, FeedRefusal):
                return reply
            found = _read_headers(reply)
            location = found.get("location", "")
            if reply.status_code not in _REDIRECTS or not location:
                return Page(reply.status_code, found, reply.content, asked, moved_to)
            permanent = permanent and reply.status_code in _PERMANENT
            asked = _follow(asked, location)
            moved_to = asked if permanent else moved_to
        return FeedRefusal(PollStatus.HTTP_ERROR, f"more than {MOST_REDIRECTS} redirects")

    async def _ask(self, url: str, headers: Mapping[str, str]) -> httpx.Response | FeedRefusal:
        ours = {
            "User-Agent": self._user_agent,
            "Accept": ACCEPT,
            "Accept-Encoding": "gzip",
        }
        sent = [
            (name.encode("ascii"), value.encode("latin-1"))
            for name, value in (ours | dict(headers)).items()
        ]
        try:
            return await self._transport.handle_async_request(
                httpx.Request("GET", url, headers=sent)
            )
        except PrivateAddressError as error:
            return FeedRefusal(PollStatus.REFUSED, str(error))
        except FORESEEN as error:
            refusal = make_refusal(error)
            return FeedRefusal(_MEANINGS.get(refusal.status, PollStatus.REFUSED), refusal.detail)

    async def _read_content(self, page: Page, feed: LeasedFeed) -> FeedContent | FeedRefusal:
        response = Response(page.status, page.headers, page.body)
        found = await run_in_turns(read_feed(response, page.url))
        if isinstance(found, NoFeed):
            status = PollStatus.REFUSED if found.unsafe else PollStatus.NOT_A_FEED
            return FeedRefusal(status, found.reason)
        articles = await run_in_turns(read_articles(found, feed.subscription, self._now()))
        return FeedContent(articles, found.ttl_s, read_title(found), found.fault)


def _build_conditions(known: Validators) -> dict[str, str]:
    """Return the headers of a conditional request (RFC 9110, 13.1)."""
    headers = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
    return {name: value for name, value in headers.items() if value}


def _take_over(known: Validators, headers: Mapping[str, str]) -> Validators:
    """Return the validators after a 304: those that it names replace ours (RFC 9111, 4.3.4)."""
    return evolve(
        known,
        etag=headers.get("etag", known.etag),
        last_modified=headers.get("last-modified", known.last_modified),
    )


def _judge_status(page: Page) -> FeedRefusal | None:
    """Return what a status other than 200 means."""
    if page.status == 200:
        return None
    retry_after = page.headers.get("retry-after", "")
    reason = f"HTTP {page.status}"
    if page.status == 410:
        return FeedRefusal(PollStatus.GONE, reason)
    if page.status in (429, 503):
        return FeedRefusal(PollStatus.RATE_LIMITED, reason, retry_after)
    return FeedRefusal(PollStatus.HTTP_ERROR, reason, retry_after)


def _read_headers(reply: httpx.Response) -> dict[str, str]:
    """Return the headers by lower-case name. Of one that is repeated, the values are joined."""
    found: dict[str, str] = {}
    for raw_name, raw_value in reply.headers.raw:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        if name == "cache-control" and name in found:
            found[name] += f", {value}"
        else:
            found.setdefault(name, value)
    return found


def _follow(url: str, location: str) -> str:
    """Return where a redirect leads, without a fragment; an unusable one leads nowhere.

    Bytes beyond ASCII are UTF-8, as browsers read them.
    """
    try:
        found = urljoin(url, location.encode("latin-1").decode()).partition("#")[0]
    except ValueError:
        return ""
    return to_ascii_url(found) or found


@asynccontextmanager
async def open_feed_client(
    public_url: str, *, private: bool, now: WallClock
) -> AsyncIterator[FeedClient]:
    """Open the client of all feeds.

    Owns: its connections.

    Args:
        public_url: this service's address. Publishers see a public one in our requests.
        private: allow private addresses.
        now: the time of day; items without a date get it.
    """
    quiet_libraries()
    about = f" (+{public_url})" if public_url.startswith("https://") else ""
    transport = Transport(network=PublicNetwork(private=private), passed=_PASSED)
    async with transport:
        yield FeedClient(transport, f"newsintel/{__version__}{about}", now)

"""The publishers of many feeds, who note every request in a file.

The notes are in a file, so that a test can measure the memory of what it tests.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

import trio
from attrs import frozen

from newsintel.domain.feeds.model import LeasedFeed, PollStatus, Validators, find_host
from newsintel.domain.feeds.ports import FeedContent, FeedRefusal, FeedReply
from newsintel.domain.search.outcome import SourcePage
from tests.make import article, at

MAX_AGE_S = 3600
"""How long each feed asks to be left alone."""
RETRY_AFTER_S = 300
"""How long a host asks to be left alone when it refuses."""
CHANGES_S = 2 * 3600
"""How often a feed has new items."""
ITEMS = 2
"""Items of a feed. Their titles repeat: some thousand titles are kept as they were read."""


def limits(address: str) -> bool:
    """Whether the first request for a feed is refused: a feed in a hundred."""
    return int(address.rpartition("/")[2]) % 97 == 7


@frozen
class Note:
    """One request.

    Attributes:
        asked_s, done_s: when it came, and when it was answered; None = its client left before.
        process: who asked.
        status: of the answer; "" = none.
    """

    asked_s: float
    process: str
    url: str
    done_s: float | None = None
    status: str = ""

    @property
    def host(self) -> str:
        """The host that was asked."""
        return find_host(self.url)


class StrictOrigin:
    """A `ports.FeedReader` of one process.

    Args:
        process: its name in the notes.
        notes: where all processes note their requests.
        take_s: how long an answer takes.
    """

    def __init__(self, process: str, notes: TextIO, take_s: float = 0.3) -> None:
        self._process = process
        self._notes = notes
        self._take_s = take_s

    async def read(self, feed: LeasedFeed) -> FeedReply | FeedRefusal:
        """Answer like a server with entity tags, after a while."""
        asked_s = trio.current_time()
        done_s, status = "", ""
        try:
            await trio.sleep(self._take_s)
            reply = _answer(feed, asked_s)
            done_s = f"{trio.current_time():.6f}"
            status = "limited" if isinstance(reply, FeedRefusal) else _name(reply)
            return reply
        finally:
            line = (f"{asked_s:.6f}", self._process, feed.url, done_s, status)
            self._notes.write("\t".join(line) + "\n")


def _name(reply: FeedReply) -> str:
    return "unchanged" if reply.content is None else "new"


def _answer(feed: LeasedFeed, now_s: float) -> FeedReply | FeedRefusal:
    known = feed.validators
    if limits(feed.url) and not known.etag and not feed.failures:
        return FeedRefusal(PollStatus.RATE_LIMITED, "HTTP 429", str(RETRY_AFTER_S))
    tag = f'"{now_s // CHANGES_S:g}"'
    headers = {"cache-control": f"max-age={MAX_AGE_S}", "etag": tag}
    if known.etag == tag:
        return FeedReply(None, headers, known)
    page = SourcePage(tuple(_make_items(feed.url, now_s)), ITEMS)
    return FeedReply(FeedContent(page), headers, Validators(tag))


def _make_items(url: str, now_s: float) -> Iterator:
    for number in range(ITEMS):
        name = f"{url.removeprefix('https://')}/{now_s:g}/{number}"
        title = f"Story {number} of the day"
        yield article(name, source="feeds", title=title, published_at=at(-3600.0 * number))


def read_notes(path: Path) -> Sequence[Note]:
    """Return all requests, in the order in which they came."""
    found = []
    for line in path.read_text().splitlines():
        asked, process, url, done, status = line.split("\t")
        found.append(Note(float(asked), process, url, float(done) if done else None, status))
    return sorted(found, key=lambda note: note.asked_s)

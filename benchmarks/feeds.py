"""`python -m benchmarks.feeds` measures the reading of feeds, beside feedparser.

The feeds are those of the demo, in each format, from bytes to articles. All times are processor
time of this process: the median of the rounds. "longest slice" is the longest time for which other
tasks would wait.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from statistics import median

import feedparser

from benchmarks.table import format_table
from newsintel.demo.api import Clocks
from newsintel.demo.feeds import LIST, FeedsApi
from newsintel.demo.wire import Request
from newsintel.domain.bounds.slices import run_all
from newsintel.domain.feeds.harvests import build_answer
from newsintel.domain.feeds.model import Subscription
from newsintel.outbound.sources.feeds.articles import read_articles
from newsintel.outbound.sources.feeds.opml import read_opml
from newsintel.outbound.sources.feeds.reading import NoFeed, read_feed
from newsintel.outbound.sources.source import Response

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
_HEADER = (
    "format",
    "items",
    "ours, ms a feed",
    "items/s",
    "feedparser, ms",
    "times as fast",
    "longest slice, ms",
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure each format and print a table."""
    parser = argparse.ArgumentParser(prog="just bench-feeds", description=__doc__)
    parser.add_argument("--rounds", type=int, default=30, help="how often each feed is read")
    rounds = parser.parse_args(arguments).rounds
    bodies = _collect_feeds()
    rows = [_measure(kind, body, rounds) for kind, body in bodies.items()]
    print(format_table(_HEADER, rows))


def _collect_feeds() -> dict[str, bytes]:
    """Return the largest feed of each format."""
    api = FeedsApi("http://127.0.0.1", Clocks(NOW, lambda: 0.0), 0)
    listed = run_all(read_opml(api.answer_request(Request("GET", LIST)).body))
    found: dict[str, bytes] = {}
    for feed in listed if not isinstance(listed, str) else ():
        path = feed.address.removeprefix("http://127.0.0.1")
        body = api.answer_request(Request("GET", path)).body
        kind = path.rpartition(".")[2]
        found[kind] = max(found.get(kind, b""), body, key=len)
    return found


def _measure(kind: str, body: bytes, rounds: int) -> tuple[str, ...]:
    items = len(_read(body))
    ours_s = _time(lambda: _read(body), rounds)
    # feedparser reads no JSON.
    theirs_s = None if kind == "json" else _time(lambda: feedparser.parse(body), rounds)
    return (
        kind,
        str(items),
        f"{ours_s * 1000:.2f}",
        f"{items / ours_s:,.0f}",
        "-" if theirs_s is None else f"{theirs_s * 1000:.2f}",
        "-" if theirs_s is None else f"{theirs_s / ours_s:.1f}",
        f"{_find_longest_slice_s(body) * 1000:.2f}",
    )


def _read(body: bytes) -> Sequence[object]:
    """Read a feed as the poller does: rows, articles, and the answer that the persister gets."""
    feed = run_all(read_feed(Response(200, {}, body), "https://feeds.example/"))
    if isinstance(feed, NoFeed):
        raise TypeError(feed.reason)
    page = run_all(read_articles(feed, Subscription("https://feeds.example/"), NOW))
    run_all(build_answer(page.articles, NOW))
    return page.articles


def _time(work: Callable[[], object], rounds: int) -> float:
    """Return the median processor time of some rounds, in seconds."""
    took = []
    for _ in range(rounds):
        begun = time.process_time()
        work()
        took.append(time.process_time() - begun)
    return median(took)


def _find_longest_slice_s(body: bytes) -> float:
    work = read_feed(Response(200, {}, body), "https://feeds.example/")
    longest = 0.0
    while True:
        begun = time.process_time()
        try:
            next(work)
        except StopIteration:
            return longest
        longest = max(longest, time.process_time() - begun)


if __name__ == "__main__":
    main()

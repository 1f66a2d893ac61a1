"""Serves the simulated upstreams on one port, with a path prefix for each API."""

import random
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import trio
from attrs import frozen

from newsintel.demo import control, guardian, newsapi, reddit_auth
from newsintel.demo.api import Api, Clocks
from newsintel.demo.arrivals import Arrivals
from newsintel.demo.behaviour import Behaviour
from newsintel.demo.control import Upstream
from newsintel.demo.corpus import build_corpus
from newsintel.demo.documents import Corpus, Document
from newsintel.demo.feeds import LIST, PREFIX, FeedsApi
from newsintel.demo.gdelt import GdeltApi
from newsintel.demo.gdelt_rows import make_gdelt_documents
from newsintel.demo.hackernews import HackerNewsApi
from newsintel.demo.hackernews_rows import make_hackernews_documents
from newsintel.demo.page import render_front_page
from newsintel.demo.reddit import RedditApi
from newsintel.demo.replay import load_recordings
from newsintel.demo.stories import Story
from newsintel.demo.wire import Reply, Request, Sabotage, serve_connection

PREFIXES = {
    "newsapi": "/newsapi",
    "guardian": "/guardian",
    "reddit": "/reddit",
    "reddit_auth": "/reddit-www",
    "hackernews": "/hackernews",
    "gdelt": "/gdelt",
}
LATENCIES_MS = {
    "newsapi": (120.0, 40.0),
    "guardian": (90.0, 30.0),
    "reddit": (180.0, 60.0),
    "reddit_auth": (60.0, 20.0),
    "hackernews": (70.0, 20.0),
    "gdelt": (250.0, 80.0),
}
"""Latency and jitter of a good day (our estimate). They must look real and stay well below 1 s."""


@frozen
class Simulated:
    """The addresses of the simulated upstreams.

    Attributes:
        base_urls: by name (newsapi, guardian, reddit, reddit_auth, hackernews, gdelt), in place of
            `https://newsapi.org` and so on.
        control_url: GET shows settings and call counters; PUT to /NAME changes settings; DELETE
            resets everything.
        environ: the settings that make newsintel use them.
    """

    base_urls: Mapping[str, str]
    control_url: str
    environ: Mapping[str, str]


@asynccontextmanager
async def run_simulated_upstreams(
    *,
    replay: Path | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    now: datetime | None = None,
    seed: int = 0,
    limited: bool = False,
    wrap: Callable[[Api], Api] = lambda api: api,
) -> AsyncIterator[Simulated]:
    """Run the simulated upstreams while the block runs.

    Args:
        replay: a folder of recorded responses to serve instead of invented news.
        host: the address to listen on.
        port: 0: the system chooses one.
        now: the current time of the simulated news; by default the real time.
        seed: the seed of the invented news, of faults and of jitter.
        limited: start with the free plans' quotas, paces and delays.
        wrap: wraps each API, for example to observe its calls.

    Raises:
        ReplayError: the folder has nothing to replay.
        OSError: the server cannot listen on the port.
    """
    clocks = Clocks(now or datetime.now(UTC), trio.current_time)
    known = load_recordings(replay) if replay else build_corpus(clocks.now, seed)
    upstreams = _build_upstreams(known, clocks, seed, wrap, limited=limited)
    listeners = await trio.open_tcp_listeners(port, host=host)
    root = f"http://{host}:{listeners[0].socket.getsockname()[1]}"
    # Recordings must not mix with invented news.
    feeds = None if replay else FeedsApi(root, clocks, seed)
    async with trio.open_nursery() as nursery:
        await nursery.start(
            trio.serve_listeners,
            partial(serve_connection, respond=partial(_answer_request, upstreams, root, feeds)),
            listeners,
        )
        base_urls = {name: root + prefix for name, prefix in PREFIXES.items()}
        environ = _build_environ(base_urls) | _build_feed_environ(root if feeds else None)
        yield Simulated(base_urls, root + control.PATH, environ)
        nursery.cancel_scope.cancel()


def _build_upstreams(
    known: Corpus, clocks: Clocks, seed: int, wrap: Callable[[Api], Api], *, limited: bool
) -> dict[str, Upstream]:
    tokens = reddit_auth.RedditTokens(clocks)
    apis: dict[str, Api] = {
        "newsapi": newsapi.NewsApi(known.newsapi, clocks),
        "guardian": guardian.GuardianApi(known.guardian, clocks),
        "reddit": RedditApi(known.reddit, clocks, tokens),
        "reddit_auth": tokens,
        "hackernews": HackerNewsApi(
            known.hackernews, _build_arrivals(clocks, seed, make_hackernews_documents)
        ),
        "gdelt": GdeltApi(known.gdelt, _build_arrivals(clocks, seed, make_gdelt_documents)),
    }
    dice = random.Random(seed)  # noqa: S311 - decides nothing but jitter and faults
    return {
        name: Upstream(wrap(api), Behaviour(*LATENCIES_MS[name], limited=limited), dice)
        for name, api in apis.items()
    }


def _build_arrivals(
    clocks: Clocks,
    seed: int,
    make_documents: Callable[[Story, random.Random], Iterable[Document]],
) -> Arrivals:
    dice = random.Random(f"{seed} {make_documents.__name__}")  # noqa: S311 - nothing is a secret
    return Arrivals(clocks, seed, lambda story: make_documents(story, dice))


async def _answer_request(
    upstreams: Mapping[str, Upstream], root: str, feeds: FeedsApi | None, request: Request
) -> Reply | Sabotage:
    """Answer a request: for an API after its latency, for anything else at once."""
    for name, prefix in PREFIXES.items():
        if request.path.startswith(prefix + "/"):
            due = trio.current_time() + upstreams[name].draw_latency_s()
            answer = upstreams[name].handle_call(_strip_prefix(prefix, request))
            await trio.sleep_until(due)
            return answer
    if request.path.rstrip("/") == control.PATH or request.path.startswith(control.PATH + "/"):
        return control.answer_control(upstreams, request)
    if feeds and request.path.startswith(PREFIX + "/"):
        return feeds.answer_request(request)
    if request.path == "/":
        return Reply.html(200, render_front_page(root))
    return Reply.json(404, {"message": "Not found. GET / describes this server."})


def _strip_prefix(prefix: str, request: Request) -> Request:
    """Return the request as the API itself would see it."""
    return Request(
        request.method,
        request.path.removeprefix(prefix),
        request.query,
        request.headers,
        request.body,
    )


def _build_environ(base_urls: Mapping[str, str]) -> dict[str, str]:
    """Return the settings for newsintel.

    Pace and quota are off. They protect the real free plans; here they would make the second search
    of a demo rate_limited.
    """
    settings = {f"{name.upper()}_URL": url for name, url in base_urls.items()} | {
        "NEWSAPI_KEY": newsapi.KEY,
        "NEWSAPI_QUOTA": "off",
        "GUARDIAN_KEY": guardian.KEY,
        "GUARDIAN_PACE_S": "0",
        "GUARDIAN_QUOTA": "off",
        "REDDIT_CLIENT_ID": reddit_auth.CLIENT_ID,
        "REDDIT_CLIENT_SECRET": reddit_auth.CLIENT_SECRET,
        "REDDIT_USER_AGENT": reddit_auth.USER_AGENT,
        "REDDIT_PACE_S": "0",
        "HACKERNEWS_PACE_S": "0",
        "GDELT_PACE_S": "0",
    }
    return {f"NEWSINTEL_{name}": value for name, value in settings.items()}


def _build_feed_environ(root: str | None) -> dict[str, str]:
    """Return the settings for the feeds of this server; None = it has none.

    The pauses are shorter than a real publisher would like.
    """
    if root is None:
        return {"NEWSINTEL_FEEDS": "off"}
    return {
        "NEWSINTEL_FEEDS": root + LIST,
        "NEWSINTEL_FEEDS_POLL_MIN_S": "30",
        "NEWSINTEL_FEEDS_POLL_MAX_S": "60",
        "NEWSINTEL_PRIVATE_ADDRESSES": "1",
    }

"""Creates the actors, and opens the connections that they own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from urllib.parse import urlsplit

from newsintel import __version__
from newsintel.actors import emf_writer
from newsintel.actors.deliverer import Deliverer
from newsintel.actors.fetcher import Fetcher
from newsintel.actors.merger import Merger
from newsintel.actors.poller import Poller
from newsintel.config.settings import Settings
from newsintel.config.smtp_url import read_smtp_url
from newsintel.domain.alerts.channels import ChannelKind
from newsintel.domain.alerts.delivery_ports import Sender
from newsintel.domain.alerts.mail import MailLinks
from newsintel.domain.alerts.mail_tokens import PURPOSE as MAIL_TOKENS
from newsintel.domain.alerts.mail_tokens import MailAction, sign_link
from newsintel.domain.feeds.schedule import PollBounds
from newsintel.domain.operations import emf
from newsintel.domain.search.ports import RecheckUpstream, Upstream
from newsintel.domain.security.keys import Signer
from newsintel.http.bodies.search import summarize_article
from newsintel.http.paths import ALERTS, MAIL_LINKS
from newsintel.outbound.alerts.http_sender import open_http_sender
from newsintel.outbound.alerts.mail_sender import MailSender
from newsintel.outbound.feed_client import FeedClient
from newsintel.outbound.feed_lists import ConfiguredFeeds
from newsintel.outbound.sources import REGISTRY
from newsintel.outbound.sources.source import Source
from newsintel.runtime.clock import utc_now
from newsintel.runtime.edges import Edges
from newsintel.runtime.losses import LossLog
from newsintel.runtime.search.claims import SharedCache
from newsintel.runtime.search.rechecking import Rechecker
from newsintel.runtime.telemetry import scraping
from newsintel.runtime.telemetry.metrics import Metrics
from newsintel.wiring.core import Core, Starts


def make_emf_writer(settings: Settings, metrics: Metrics) -> Callable[[], Awaitable[None]]:
    """Create the actor that writes the metrics for CloudWatch."""
    labels = {emf.DIMENSION: settings.env, "version": __version__, "commit": settings.commit}
    return partial(
        emf_writer.run,
        table=emf.build_metrics(settings.enabled_sources),
        labels=labels,
        read=partial(scraping.read_samples, metrics),
        now=utc_now,
    )


def make_fetcher(
    core: Core, edges: Edges, name: str, upstream: Upstream, starts: Starts
) -> Fetcher:
    """Create the fetcher of one source."""
    source, (admission, allowance) = core.settings.source[name], starts[name]
    return Fetcher(
        edges.jobs[name],
        source=name,
        upstream=upstream,
        admission=admission,
        allowance=allowance,
        deadline_s=source.deadline_s,
        longest_keep_s=core.windows.ttl_s + core.windows.stale_s,
        count=core.count,
        observe=core.metrics.observe,
        tally=core.tally,
        now=core.now,
        recheck=_make_recheck(core, name, upstream, starts),
    )


def _make_recheck(
    core: Core, name: str, upstream: Upstream, starts: Starts
) -> Callable[[], Awaitable[None]] | None:
    """Create what checks a source's archived articles, if its terms require it."""
    source, (admission, allowance) = REGISTRY[name], starts[name]
    terms = source.recheck if isinstance(source, Source) else None
    if terms is None or not isinstance(upstream, RecheckUpstream):
        return None
    return Rechecker(
        source=name,
        id_pattern=terms.id_pattern,
        most_ids=terms.most_ids,
        every_s=terms.every_s,
        upstream=upstream,
        admission=admission,
        allowance=allowance,
        checks=core.stores.archive.checks,
        archive=core.stores.archive.articles,
        count=core.count,
        now=core.now,
    ).run


def make_merger(core: Core, edges: Edges) -> Merger:
    """Create the merger."""
    return Merger(
        edges.flights,
        edges.to_fetchers,
        edges.to_cache,
        edges.to_persister,
        rooms=edges.rooms,
        shared=SharedCache(core.stores.search.harvests, core.windows, core.count, core.now),
        search=core.stores.archive.search,
        every_source=tuple(core.settings.source),
        windows=core.windows,
        saves=core.saves,
        losses=LossLog(core.count),
        count=core.count,
        now=core.now,
    )


def make_poller(core: Core, edges: Edges, client: FeedClient) -> Poller:
    """Create the poller, with its own way to the persister."""
    settings = core.settings
    return Poller(
        edges.to_persister.clone(),
        room=edges.rooms.to_persister,
        store=core.stores.archive.feeds,
        reader=client,
        listed=ConfiguredFeeds(settings.feeds, client),
        bounds=PollBounds(settings.feeds_poll_min_s, settings.feeds_poll_max_s),
        count=core.count,
        now=core.now,
    )


@asynccontextmanager
async def open_deliverer(core: Core) -> AsyncIterator[Deliverer]:
    """Open the ways to the receivers of alerts, and create the deliverer.

    Owns: the connections.
    """
    settings = core.settings
    by_post = open_http_sender(
        summarize_article,
        settings.public_url,
        private=settings.private_addresses,
        now=core.now,
    )
    async with by_post as sender:
        senders: dict[ChannelKind, Sender] = dict.fromkeys(
            (ChannelKind.WEBHOOK, ChannelKind.NTFY, ChannelKind.APPRISE), sender
        )
        if settings.smtp_url is not None and settings.smtp_from is not None:
            senders[ChannelKind.EMAIL] = _make_mail_sender(core, settings.smtp_url.reveal())
        yield Deliverer(core.stores.alerts.deliveries, senders, core.count, core.now)


def _make_mail_sender(core: Core, url: str) -> MailSender:
    base, signer = core.settings.public_url, Signer(core.secret_keys, MAIL_TOKENS)
    host = urlsplit(base).hostname or ""

    def build_links(channel: int) -> MailLinks:
        unsubscribe, confirm = (
            f"{base}{MAIL_LINKS[action]}{channel}/{sign_link(signer, action, channel)}"
            for action in (MailAction.UNSUBSCRIBE, MailAction.CONFIRM)
        )
        return MailLinks(f"{base}{ALERTS}", unsubscribe, confirm, host)

    sender, counter = core.settings.smtp_from or "", core.stores.limits.counter
    return MailSender(read_smtp_url(url), sender, host, build_links, counter)

"""Creates the objects between actors and routes, for the composition root. Starts no actor."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit

from attrs import frozen

from newsintel import __version__
from newsintel.actors import emf_writer
from newsintel.actors.deliverer import Deliverer
from newsintel.actors.fetcher import Fetcher
from newsintel.actors.merger import Merger
from newsintel.actors.poller import Poller
from newsintel.config.settings import Settings, SourceSettings
from newsintel.config.smtp_url import read_smtp_url
from newsintel.config.values import Secret
from newsintel.domain.accounts.persons import Persons
from newsintel.domain.alerts.channels import ChannelKind
from newsintel.domain.alerts.delivery_ports import Sender
from newsintel.domain.alerts.mail import MailLinks
from newsintel.domain.alerts.mail_tokens import PURPOSE as MAIL_TOKENS
from newsintel.domain.alerts.mail_tokens import MailAction, sign_link
from newsintel.domain.alerts.streams import FollowedStreams
from newsintel.domain.archive.bulk import BulkSource
from newsintel.domain.bounds.sized_cache import SizedCache
from newsintel.domain.feeds.schedule import PollBounds
from newsintel.domain.intelligence.marks import SearchMarker
from newsintel.domain.limits.admission import Admission
from newsintel.domain.limits.quotas import SourceLimits
from newsintel.domain.operations import emf
from newsintel.domain.operations.latencies import Tally
from newsintel.domain.paging import CURSOR_PURPOSE as CURSORS
from newsintel.domain.paging import Cursors
from newsintel.domain.ports import Count, WallClock
from newsintel.domain.reader.streams import FeedStreams
from newsintel.domain.search.freshness import Windows
from newsintel.domain.search.popularity import SaveCounter
from newsintel.domain.search.ports import RecheckUpstream, Upstream
from newsintel.domain.security.keys import Signer
from newsintel.errors import BusyError
from newsintel.http.bodies.search import summarize_article
from newsintel.http.paths import ALERTS, MAIL_LINKS
from newsintel.http.response.kept_answer import KEPT_BYTES
from newsintel.http.services import (
    AccountServices,
    AlertServices,
    IntelligenceServices,
    LimitServices,
    OperationServices,
    PersonalServices,
    ReaderServices,
    SearchServices,
    Services,
)
from newsintel.outbound.alerts.http_sender import open_http_sender
from newsintel.outbound.alerts.mail_sender import MailSender
from newsintel.outbound.feed_client import FeedClient
from newsintel.outbound.feed_lists import ConfiguredFeeds
from newsintel.outbound.gdelt_downloads import open_gdelt_downloads
from newsintel.outbound.oauth.app_token import open_app_token
from newsintel.outbound.oauth.links import AccountLinks
from newsintel.outbound.oauth.providers import Providers
from newsintel.outbound.source_client import open_upstream
from newsintel.outbound.sources import REGISTRY
from newsintel.outbound.sources.source import PolledFeeds, Source
from newsintel.runtime.clock import utc_now
from newsintel.runtime.edges import Edges
from newsintel.runtime.heartbeats import Heartbeats
from newsintel.runtime.intelligence.recommender import Recommender
from newsintel.runtime.intelligence.talked_about import TalkedAbout
from newsintel.runtime.lifecycle import Lifecycle
from newsintel.runtime.limits.allowance import Allowance, States
from newsintel.runtime.limits.limiter import create_limiter
from newsintel.runtime.limits.lookups import LookUps
from newsintel.runtime.losses import LossLog
from newsintel.runtime.make_once import MakeOnce
from newsintel.runtime.personal.preference_cache import PreferenceCache
from newsintel.runtime.personal.recording import Recording
from newsintel.runtime.search.claims import SharedCache
from newsintel.runtime.search.desk import Desk
from newsintel.runtime.search.polled_source import PolledSource
from newsintel.runtime.search.rechecking import Rechecker
from newsintel.runtime.spool import Spool
from newsintel.runtime.telemetry import gauges, scraping
from newsintel.runtime.telemetry.metrics import Metrics
from newsintel.storage.embedded.secret_key_file import load_or_create_keys
from newsintel.storage.stores import ArchiveStores, Stores

UNKNOWN_LOOKUP_SHARE = 3
"""Look-ups of unknown keys and sessions use at most one in UNKNOWN_LOOKUP_SHARE of PostgreSQL's
slots, and always have at least one.
"""

Starts = Mapping[str, tuple[Admission, Allowance]]
"""By enabled source: what decides when a call may start, and what counts the starts."""


@frozen
class Core:
    """What all parts of the pipeline share."""

    settings: Settings
    metrics: Metrics
    stores: Stores
    tally: Tally
    saves: SaveCounter
    spool: Spool
    windows: Windows
    secret_keys: tuple[Secret, ...]
    marking: SearchMarker
    heartbeats: Heartbeats
    now: WallClock

    @classmethod
    def of(cls, settings: Settings, metrics: Metrics, stores: Stores, now: WallClock) -> "Core":
        """Create the core. A service in development without secret keys gets its own."""
        keys = tuple(settings.secret_keys or load_or_create_keys(settings.data_dir))
        return cls(
            settings,
            metrics,
            stores,
            Tally(),
            SaveCounter(),
            Spool(stores.archive.spool, metrics.count),
            Windows.from_settings(settings),
            keys,
            SearchMarker(keys),
            Heartbeats(settings.search_deadline_s),
            now,
        )

    @property
    def article_ages(self) -> Mapping[str, timedelta]:
        """How long articles are kept, by source; without the sources that keep them for ever."""
        return {
            name: timedelta(days=source.retention_d)
            for name, source in self.settings.source.items()
            if source.retention_d is not None
        }

    @property
    def count(self) -> Count:
        """Adds to a counter."""
        return self.metrics.count


def make_starts(core: Core) -> Starts:
    """Create what admits and counts the calls of each enabled source."""
    enabled = {name: core.settings.source[name] for name in core.settings.enabled_sources}
    terms = {name: SourceLimits(source.pace_s, source.quota) for name, source in enabled.items()}
    return {
        name: (
            Admission(terms[name]),
            Allowance(name, terms[name], core.stores.limits.ledger, core.count),
        )
        for name in enabled
    }


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


def make_services(
    core: Core,
    starts: Starts,
    providers: Providers,
    edges: Edges,
) -> Services:
    """Create what the routes use, and connect the gauges to it."""
    settings, stores, count = core.settings, core.stores, core.count
    misses = create_limiter("miss", settings.miss_limit, stores.limits.counter, count, time.time)
    states = States(starts, core.now)
    desk = Desk(
        edges.to_merger,
        stores.archive.articles,
        stores.search.harvests,
        windows=core.windows,
        max_flights=settings.max_flights,
        search_deadline_s=settings.search_deadline_s,
        misses=misses,
        sources_held_from=states.sources_held_from,
        now=core.now,
    )
    load = stores.operations.load
    gauges.connect_gauges(
        core.metrics,
        commit=settings.commit,
        inboxes=edges.inboxes,
        flights=lambda: desk.flights,
        states=states,
        load=load,
        spool_sizes=core.spool.read_sizes,
        silence=core.heartbeats.read_silence_s,
    )
    preferences = PreferenceCache(stores.personal.preferences)
    return Services(
        settings=settings,
        now=core.now,
        count=count,
        cursors=Cursors(Signer(core.secret_keys, CURSORS)),
        search=SearchServices(
            desk=desk,
            windows=core.windows,
            harvests=stores.search.harvests,
            bytes_cache=stores.search.bytes_cache,
            answers=MakeOnce(own_failures=BusyError),
            kept=SizedCache(KEPT_BYTES),
        ),
        archive=stores.archive.search,
        feeds=stores.archive.feeds,
        accounts=_account_services(core, providers),
        personal=PersonalServices(
            preferences=preferences,
            saved=stores.personal.saved,
            feedback=stores.personal.feedback,
            feeds=stores.personal.feeds,
            not_same=stores.personal.not_same,
            own_history=stores.personal.own_history,
            recording=Recording(edges.to_recorder, core.secret_keys, count),
            account_data=stores.personal.account_data,
        ),
        alerts=AlertServices(
            searches=stores.alerts.searches,
            deliveries=stores.alerts.deliveries,
            mail_signer=Signer(core.secret_keys, MAIL_TOKENS),
        ),
        reader=ReaderServices(
            streams=FollowedStreams(FeedStreams(stores.personal.feeds), stores.alerts.searches),
            articles=stores.archive.reader,
            marks=stores.personal.read_marks,
        ),
        intelligence=_intelligence_services(core, preferences),
        limits=LimitServices(
            requests=create_limiter(
                "search", settings.rate_limit, stores.limits.counter, count, time.time
            ),
            misses=misses,
            lookups=LookUps(max(1, settings.database_pool // UNKNOWN_LOOKUP_SHARE), count),
            source_states=states,
        ),
        operations=OperationServices(
            health=Lifecycle(
                stores.operations.ping_postgres, stores.operations.ping_redis, core.heartbeats
            ),
            exposition=partial(scraping.format_exposition, core.metrics),
        ),
    )


def _account_services(core: Core, providers: Providers) -> AccountServices:
    stores = core.stores.accounts
    return AccountServices(
        directory=stores.directory,
        persons=Persons(core.secret_keys),
        sessions=stores.sessions,
        api_keys=stores.api_keys,
        attempts=stores.attempts,
        links=AccountLinks(stores.tokens, providers.issuers),
        providers=providers.by_name,
    )


def _intelligence_services(core: Core, preferences: PreferenceCache) -> IntelligenceServices:
    stores = core.stores.intelligence
    talked = TalkedAbout(
        stores.trending,
        core.stores.archive.search,
        stores.reading,
        stores.likeness,
        core.settings.trending_floor,
    )
    return IntelligenceServices(
        marking=core.marking,
        search_marks=stores.search_marks,
        trending=stores.trending,
        kinship=stores.related_searches,
        likeness=stores.likeness,
        recommender=Recommender(
            stores.reading, stores.likeness, talked, preferences.get_preferences, core.now
        ),
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


@asynccontextmanager
async def open_bulk_source(core: Core) -> AsyncIterator[BulkSource | None]:
    """Open the client of GDELT's files; None if they are not wanted."""
    settings = core.settings.source.get("gdelt")
    if settings is None or not settings.enabled or not settings.values["bulk"]:
        yield None
        return
    async with open_gdelt_downloads(settings.values["bulk_url"], core.now) as downloads:
        yield downloads


@asynccontextmanager
async def open_source(
    source: Source | PolledFeeds, settings: SourceSettings, stores: ArchiveStores, now: WallClock
) -> AsyncIterator[Upstream]:
    """Open a source's client, with an app-only token if the source uses one."""
    if isinstance(source, PolledFeeds):
        yield PolledSource(stores.search, stores.feeds)
        return
    async with AsyncExitStack() as stack:
        token = (
            await stack.enter_async_context(open_app_token(settings)) if source.uses_token else None
        )
        yield await stack.enter_async_context(open_upstream(source, settings, token=token, now=now))

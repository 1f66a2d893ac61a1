"""Creates what the routes use."""

import time
from functools import partial

from newsintel.domain.accounts.persons import Persons
from newsintel.domain.alerts.mail_tokens import PURPOSE as MAIL_TOKENS
from newsintel.domain.alerts.streams import FollowedStreams
from newsintel.domain.bounds.sized_cache import SizedCache
from newsintel.domain.paging import CURSOR_PURPOSE as CURSORS
from newsintel.domain.paging import Cursors
from newsintel.domain.reader.streams import FeedStreams
from newsintel.domain.security.keys import Signer
from newsintel.errors import BusyError
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
from newsintel.outbound.oauth.links import AccountLinks
from newsintel.outbound.oauth.providers import Providers
from newsintel.runtime.edges import Edges
from newsintel.runtime.intelligence.recommender import Recommender
from newsintel.runtime.intelligence.talked_about import TalkedAbout
from newsintel.runtime.lifecycle import Lifecycle
from newsintel.runtime.limits.allowance import States
from newsintel.runtime.limits.limiter import create_limiter
from newsintel.runtime.limits.lookups import LookUps
from newsintel.runtime.make_once import MakeOnce
from newsintel.runtime.personal.preference_cache import PreferenceCache
from newsintel.runtime.personal.recording import Recording
from newsintel.runtime.search.desk import Desk
from newsintel.runtime.telemetry import gauges, scraping
from newsintel.wiring.core import Core, Starts

UNKNOWN_LOOKUP_SHARE = 3
"""Look-ups of unknown keys and sessions use at most one in UNKNOWN_LOOKUP_SHARE of PostgreSQL's
slots, and always have at least one.
"""


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

"""What all parts of the pipeline share."""

from collections.abc import Mapping
from datetime import timedelta

from attrs import frozen

from newsintel.config.settings import Settings
from newsintel.config.values import Secret
from newsintel.domain.intelligence.marks import SearchMarker
from newsintel.domain.limits.admission import Admission
from newsintel.domain.limits.quotas import SourceLimits
from newsintel.domain.operations.latencies import Tally
from newsintel.domain.ports import Count, WallClock
from newsintel.domain.search.freshness import Windows
from newsintel.domain.search.popularity import SaveCounter
from newsintel.runtime.heartbeats import Heartbeats
from newsintel.runtime.limits.allowance import Allowance
from newsintel.runtime.spool import Spool
from newsintel.runtime.telemetry.metrics import Metrics
from newsintel.storage.embedded.secret_key_file import load_or_create_keys
from newsintel.storage.stores import Stores

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

"""Feeds: RSS, RDF Site Summary, Atom and JSON Feed."""

from newsintel.config.values import SourceOptions
from newsintel.domain.feeds.harvests import NAME
from newsintel.outbound.sources.source import PolledFeeds

SOURCE = PolledFeeds(
    SourceOptions(
        name=NAME,
        url=None,
        pace_s=0.0,
        quota=None,
        required={},
        is_on=lambda settings: settings.feeds.kind != "off",
    )
)

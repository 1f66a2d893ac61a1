"""All sources, in default founder order. A new source is one new file and one line here."""

from collections.abc import Mapping

from newsintel.outbound.sources import feeds, guardian, newsapi, reddit
from newsintel.outbound.sources.source import PolledFeeds, Source

REGISTRY: Mapping[str, Source | PolledFeeds] = {
    source.options.name: source
    for source in (
        newsapi.SOURCE,
        guardian.SOURCE,
        reddit.SOURCE,
        feeds.SOURCE,
    )
}

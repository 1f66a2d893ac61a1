"""All sources, in default founder order: ours, then those of other packages.

A new source of ours is one new file and one line here.
"""

from collections.abc import Mapping

from newsintel.outbound.sources import feeds, gdelt, guardian, hackernews, newsapi, reddit
from newsintel.outbound.sources.source import PolledFeeds, Source
from newsintel.outbound.sources.third_party import load_third_party

_OWN: Mapping[str, Source | PolledFeeds] = {
    source.options.name: source
    for source in (
        newsapi.SOURCE,
        guardian.SOURCE,
        reddit.SOURCE,
        feeds.SOURCE,
        hackernews.SOURCE,
        gdelt.SOURCE,
    )
}

REGISTRY: Mapping[str, Source | PolledFeeds] = {
    **_OWN,
    **{source.options.name: source for source in load_third_party(_OWN)},
}

"""All sources, in default founder order. A new source is one new file and one line here."""

from collections.abc import Mapping

from newsintel.outbound.sources import gdelt, guardian, hackernews, newsapi, reddit
from newsintel.outbound.sources.source import Source

REGISTRY: Mapping[str, Source] = {
    source.options.name: source
    for source in (
        newsapi.SOURCE,
        guardian.SOURCE,
        reddit.SOURCE,
        hackernews.SOURCE,
        gdelt.SOURCE,
    )
}

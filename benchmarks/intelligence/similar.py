"""The target `similar`: how long more-like-this takes."""

from benchmarks.intelligence.report import Options, Report
from benchmarks.load import archive_of


async def run(options: Options) -> Report:
    """All figures of more-like-this."""
    async with archive_of(options.articles, options.folder):
        return Report("similar", "more like this", ("", "p50", "p95"), (), (), (), {})

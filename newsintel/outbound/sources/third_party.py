"""Sources of other packages, which name them as entry points of the group `newsintel.sources`."""

import re
from collections.abc import Collection
from importlib.metadata import EntryPoint, entry_points

from newsintel.domain.archive.model import SOURCE_NAME
from newsintel.errors import NewsIntelError
from newsintel.outbound.sources.source import Source

GROUP = "newsintel.sources"


def load_third_party(own: Collection[str]) -> tuple[Source, ...]:
    """Return the sources of all installed packages, by the names of their entry points.

    Args:
        own: the names that our sources have.

    Raises:
        NewsIntelError: one cannot be used; names the entry point and the reason.
    """
    points = sorted(entry_points(group=GROUP), key=lambda point: point.name)
    found: dict[str, Source] = {}
    for point in points:
        source = _load(point)
        name = source.options.name
        if name in own or name in found:
            raise _error(point, f"there is a source {name} already")
        if not re.fullmatch(SOURCE_NAME, name):
            raise _error(point, f"{name!r} is no name for a source")
        found[name] = source
    return tuple(found.values())


def _load(point: EntryPoint) -> Source:
    try:
        source = point.load()
    except Exception as error:
        raise _error(point, f"{type(error).__name__}: {error}") from error
    if not isinstance(source, Source):
        raise _error(point, f"it is a {type(source).__name__}, not a Source")
    return source


def _error(point: EntryPoint, reason: str) -> NewsIntelError:
    return NewsIntelError(f"the source {point.value} ({GROUP}) cannot be used: {reason}")

"""Warns in one line about sources that are off, possibly by mistake, and names the settings."""

from collections.abc import Sequence

from newsintel.config.environment import PREFIX
from newsintel.config.settings import Settings


def make_source_notice(settings: Settings) -> str | None:
    """Return the warning, or None if there is no problem.

    Problems are: no source is on, credentials are half set, or SOURCES names a source without
    credentials.
    """
    wanted = [
        source
        for source in settings.source.values()
        if not settings.sources or source.name in settings.sources
    ]
    none = not settings.enabled_sources
    said = []
    if none:
        # A source without keys has a setting of its own name.
        ways = "; or ".join(
            _join_names(source.missing or (PREFIX + source.name.upper(),)) for source in wanted
        )
        said.append(
            f"no source is set up, so answers come from the archive alone; for news set {ways}"
        )
    said += [
        f"{source.name} is off: {_join_names(source.missing)} must be set "
        f"{'too' if source.half_set else 'for it'}"
        for source in wanted
        if source.half_set or (source.missing and settings.sources and not none)
    ]
    return ". ".join(said) or None


def notice_member(settings: Settings) -> dict[str, str]:
    """Return the extra member of answers while no source is on: else it looks like no news."""
    return {} if settings.enabled_sources else {"notice": str(make_source_notice(settings))}


def _join_names(names: Sequence[str]) -> str:
    """Join names: `A`, `A and B`, `A, B and C`."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last

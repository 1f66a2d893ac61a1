"""What to tell of sources that are off though nobody may have meant it, in one line that names the settings to make."""

from collections.abc import Sequence

from newsintel.config.settings import Settings


def source_notice(settings: Settings) -> str | None:
    """The line: no source is on at all, or credentials are half set, or SOURCES names a source without them. None if all is well."""
    wanted = [source for source in settings.source.values() if not settings.sources or source.name in settings.sources]
    none = not settings.enabled_sources
    said = []
    if none:
        ways = "; or ".join(_listed(source.missing) for source in wanted)
        said.append(f"no source is set up, so answers come from the archive alone; for news set {ways}")
    said += [
        f"{source.name} is off: {_listed(source.missing)} must be set {'too' if source.half_set else 'for it'}"
        for source in wanted
        if source.half_set or (source.missing and settings.sources and not none)
    ]
    return ". ".join(said) or None


def noticed(settings: Settings) -> dict[str, str]:
    """The member that an answer has besides where no source is on: who asks would take it for no news."""
    return {} if settings.enabled_sources else {"notice": str(source_notice(settings))}


def _listed(names: Sequence[str]) -> str:
    """`A`, `A and B`, `A, B and C`."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last

"""The registry of sources."""

from newsintel.outbound.sources import REGISTRY


def test_registry_has_every_source_in_founder_order() -> None:
    """Each source has the name that its options and articles have."""
    assert list(REGISTRY) == ["newsapi", "guardian", "reddit", "feeds", "hackernews", "gdelt"]
    assert all(name == source.options.name for name, source in REGISTRY.items())

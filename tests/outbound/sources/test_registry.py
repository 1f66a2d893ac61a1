"""The registry of sources."""

from newsintel.outbound.sources import REGISTRY


def test_registry() -> None:
    """Three sources in default founder order, each under the name that its options and articles carry."""
    assert list(REGISTRY) == ["newsapi", "guardian", "reddit"]
    assert all(name == source.options.name for name, source in REGISTRY.items())

"""What several commands need before they start."""

from collections.abc import Mapping

from newsintel.settings import Settings, load
from newsintel.sources import REGISTRY


def load_settings(overrides: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process's environment.

    Args:
        overrides: environment names that count before the environment's own.

    Raises:
        SettingsError: naming the first setting that cannot be used.
    """
    return load([source.options for source in REGISTRY.values()], overrides=overrides)

"""docs/scaling.md has what the simulation prints. Run `./dev scaling` after a new benchmark."""

from pathlib import Path

import pytest

from benchmarks.scaling.__main__ import build_table, list_knees

PAGE = (Path(__file__).parents[3] / "docs/scaling.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_page_has_the_simulated_figures():
    """The table, and each knee."""
    assert build_table() in PAGE
    assert "\n".join(list_knees()) in PAGE

"""Finds the reference material that developers keep beside the checkout.

Without it the tests that need it are skipped.
"""

import json
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"

needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason="the reference material (../shared) is not beside this checkout"
)


def load_json(relative: str) -> Any:
    """One file of the reference material."""
    return json.loads((SHARED / relative).read_text(encoding="utf-8"))

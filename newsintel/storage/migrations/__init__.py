"""The schema, step by step. A step's name is a number of four digits, so that 'older' is a comparison of text."""

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent

ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(7264051)"
"""Any number that no other program locks: of two commands that migrate at once, the second finds nothing left to do."""

NO_STEP = "0000"
"""Where a schema is that has taken none."""


@cache
def newest() -> str:
    """The last step of this version, by the names of the files: Alembic, which knows it too, takes long to import."""
    return max((path.name[:4] for path in (FOLDER / "versions").glob("[0-9]*.py")), default=NO_STEP)

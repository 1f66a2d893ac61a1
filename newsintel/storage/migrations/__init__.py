"""The migrations of the schema.

A migration's name is a number of four digits, so names compare as text.
"""

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent

LOCK_MIGRATIONS = "SELECT pg_advisory_xact_lock(7264051)"
"""An arbitrary number that no other program locks. If two commands migrate at once, the second
waits and finds nothing to do."""

NO_STEP = "0000"
"""The version of a schema without any migration."""


@cache
def find_newest() -> str:
    """Return the newest migration's name, from the file names: Alembic takes long to import."""
    return max((path.name[:4] for path in (FOLDER / "versions").glob("[0-9]*.py")), default=NO_STEP)

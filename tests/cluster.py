"""A PostgreSQL cluster with all migrations applied, made once per test run.

Each first start of a server copies it, because making a cluster takes seconds.
"""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import trio

from newsintel.storage.embedded.postgres_daemon import PostgresDaemon

WHERE = "TESTS_CLUSTER"
"""The environment variable that names its folder.

Without it each first start makes a cluster, as newsintel does.
"""


def find_cluster(folder: Path) -> Path:
    """Return the cluster's folder. The first caller makes it with the `migrate` command."""
    folder.mkdir(exist_ok=True)
    made = folder / "newsintel" / "postgres-18"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            known = {
                name: value
                for name, value in os.environ.items()
                if not name.startswith("NEWSINTEL_")
            }
            command = [sys.executable, "-m", "newsintel", "migrate"]
            # The log of this command must not appear in the log of the command under test, which
            # runs in this process.
            subprocess.run(
                command, env=known | {"XDG_DATA_HOME": str(folder)}, check=True, capture_output=True
            )
            (folder / "made").touch()
    return made


async def copy_cluster(daemon: PostgresDaemon, new: Path) -> None:
    """Replace initdb: copy the cluster that exists."""
    made = await trio.to_thread.run_sync(find_cluster, Path(os.environ[WHERE]))
    await daemon._run_checked("cp", "-a", made, new)

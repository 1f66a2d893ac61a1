"""A PostgreSQL cluster with all steps taken, made once in a run of tests, of which first starts take a copy: making one costs seconds."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import trio

from newsintel.storage.embedded.daemons import PostgresDaemon

WHERE = "TESTS_CLUSTER"
"""The variable that names its folder; without it each first start makes a cluster, as newsintel does."""


def find_cluster(folder: Path) -> Path:
    """The cluster's folder; whoever comes first makes it, by the command that operators have."""
    folder.mkdir(exist_ok=True)
    made = folder / "newsintel" / "postgres-18"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            known = {name: value for name, value in os.environ.items() if not name.startswith("NEWSINTEL_")}
            command = [sys.executable, "-m", "newsintel", "migrate"]
            # Its log is not that of the command under test, whose process this is.
            subprocess.run(command, env=known | {"XDG_DATA_HOME": str(folder)}, check=True, capture_output=True)
            (folder / "made").touch()
    return made


async def copy_cluster(daemon: PostgresDaemon, new: Path) -> None:
    """In place of initdb: copy the cluster that is there."""
    made = await trio.to_thread.run_sync(find_cluster, Path(os.environ[WHERE]))
    await daemon._must("cp", "-a", made, new)

"""A process that holds the embedded servers until SIGTERM, like a command of newsintel.

It prints their URLs as JSON when they run.
"""

import json
import signal
import sys
from pathlib import Path

import trio
from attrs import asdict

from newsintel.storage.embedded import daemon
from newsintel.storage.embedded import servers as embedded
from newsintel.storage.embedded.servers import run_embedded_servers
from tests.waiting import PATIENCE_S

# On a busy machine a server starts and stops more slowly than the service's timeouts allow.
daemon.START_S = embedded.START_S = daemon.STOP_S = embedded.LEAVE_S = PATIENCE_S


async def main(data_dir: Path) -> None:
    """Hold the servers."""
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async with run_embedded_servers(data_dir) as own:
            print(json.dumps(asdict(own)), flush=True)  # noqa: T201
            await anext(signals)


if __name__ == "__main__":
    trio.run(main, Path(sys.argv[1]))

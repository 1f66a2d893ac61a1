"""newsintel as a command on a machine that may be busy: `-m tests.patient` is `-m newsintel` without its short limits of time.

What protects people from a slow store, and an operator from a stuck start or end, is tested where something is slow on purpose. A service
that is started for other tests must not meet it because others use the processor too.
"""

import os
import sys

from newsintel.commands.main import main
from tests.waiting import PATIENCE_S

STORELESS = ("config", "dedupe", "new-key", "--version", "--help")
"""Commands that use no store: to import what the others do would only make them slow."""


def lift_limits() -> None:
    """Give each store, and each server of our own, its time."""
    from newsintel.storage import bridge  # noqa: PLC0415 - see STORELESS
    from newsintel.storage.embedded import daemons  # noqa: PLC0415
    from newsintel.storage.embedded import servers as embedded  # noqa: PLC0415
    from newsintel.storage.postgres import connecting, pool  # noqa: PLC0415
    from newsintel.storage.redis import link as redis  # noqa: PLC0415
    from tests import cluster  # noqa: PLC0415

    redis.SOCKET_S = redis.POOL_WAIT_S = connecting.CONNECT_S = pool.COMMAND_S = pool.PATIENCE_S = bridge.DRAIN_S = PATIENCE_S
    daemons.START_S = daemons.STOP_S = embedded.START_S = embedded.LEAVE_S = PATIENCE_S
    for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
        pool.SERVER_SETTINGS[name] = "0"
    if cluster.WHERE in os.environ:
        daemons.PostgresDaemon._initdb = cluster.copy_cluster


if __name__ == "__main__":
    if not set(STORELESS) & set(sys.argv[1:2]):
        lift_limits()
    sys.exit(main())

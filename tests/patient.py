"""newsintel as a command for busy machines: `-m tests.patient` is `-m newsintel` with long limits.

Tests that make a store, a start or an end slow on purpose check the short limits of time. A service
that is started for other tests must not exceed them because other programs use the processor.
"""

import os
import sys

from attrs import evolve

from newsintel.commands.main import main
from tests.waiting import PATIENCE_S

STORELESS = ("config", "dedupe", "new-key", "--version", "--help")
"""Commands that use no store. Importing the modules of the others would only slow them down."""

SAVE_S = 10.0
"""For one attempt to save. Tests that freeze PostgreSQL wait so long until the spool gets it."""

FLUSH_S = 10.0
"""For the last spans of a service, which are few."""


def lift_limits() -> None:
    """Raise the time limits of each store and each embedded server."""
    from newsintel.actors import merger  # noqa: PLC0415 - see STORELESS
    from newsintel.outbound.tracing import opening  # noqa: PLC0415
    from newsintel.runtime import attempts  # noqa: PLC0415
    from newsintel.runtime.limits import lookups  # noqa: PLC0415
    from newsintel.runtime.search import desk  # noqa: PLC0415
    from newsintel.runtime.workers import supervisor, worker_process  # noqa: PLC0415
    from newsintel.storage import bridge  # noqa: PLC0415
    from newsintel.storage.embedded import daemon  # noqa: PLC0415
    from newsintel.storage.embedded import servers as embedded  # noqa: PLC0415
    from newsintel.storage.embedded.postgres_daemon import PostgresDaemon  # noqa: PLC0415
    from newsintel.storage.postgres import connecting, pool  # noqa: PLC0415
    from newsintel.storage.postgres.archive import unit_time  # noqa: PLC0415
    from newsintel.storage.redis import link, server  # noqa: PLC0415
    from tests import cluster  # noqa: PLC0415

    server.SOCKET_S = server.POOL_WAIT_S = connecting.CONNECT_S = pool.COMMAND_S = (
        pool.PATIENCE_S
    ) = bridge.DRAIN_S = PATIENCE_S
    unit_time.UNIT_S = lookups.LONGEST_S = PATIENCE_S
    desk.ARTICLE_S = desk.KNOWN_ARTICLE_S = merger.STAND_IN_S = PATIENCE_S
    worker_process.PROGRAM = ("-P", "-m", "tests.patient")
    attempts.SAVE_S = SAVE_S
    opening.FLUSH_S = FLUSH_S
    supervisor.SCRAPE_S = PATIENCE_S
    supervisor.RESTARTS_IN_S = 3600
    link.SLOT_RULES = evolve(link.SLOT_RULES, patience_s=PATIENCE_S)
    daemon.START_S = daemon.STOP_S = embedded.START_S = embedded.LEAVE_S = PATIENCE_S
    for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
        pool.SERVER_SETTINGS[name] = "0"
    if cluster.WHERE in os.environ:
        PostgresDaemon._initdb = cluster.copy_cluster


if __name__ == "__main__":
    if not set(STORELESS) & set(sys.argv[1:2]):
        lift_limits()
    sys.exit(main())

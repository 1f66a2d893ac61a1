"""A worker without a service, for tests of the supervisor: `python toy.py BEHAVIOUR HANDOVER`.

BEHAVIOUR is a comma list with an entry for each worker by number, the last one for all others:
`serve` until it is told to end, `die` when asked for metrics, `refuse` to serve, `deaf`: hear no
signal.
"""

import os
import signal
import sys

import trio

from newsintel.runtime import command_loop
from newsintel.runtime.command_loop import call_on_signals
from newsintel.runtime.stopping import clear_limit
from newsintel.runtime.workers.channel import Channel
from newsintel.runtime.workers.handover import Handover
from newsintel.runtime.workers.link import Link

EXPOSITION = b"# HELP toy_total Toys.\n# TYPE toy_total counter\ntoy_total 1\n"


async def work(behaviour, handover):
    """Serve connections with this process's id, as the behaviour says."""
    link = Link(Channel(handover.open_channel()))
    ending = trio.Event()

    async def read_own():
        await trio.lowlevel.checkpoint()
        if behaviour == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        return EXPOSITION

    async def answer(stream):
        async with stream:
            await stream.send_all(b"%d %d" % (handover.worker, os.getpid()))

    if behaviour == "refuse":
        sys.exit(7)
    with call_on_signals(ending.set, ending.set):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(link.run, read_own)
            listeners = handover.open_public(handover.open_counts())
            await nursery.start(trio.serve_listeners, answer, listeners)
            await link.report_serving()
            await ending.wait()
            while behaviour == "deaf":  # noqa: ASYNC110 - it must be killed
                await trio.sleep(1)
            nursery.cancel_scope.cancel()


def main():
    """Run as the command does."""
    behaviours, handover = sys.argv[1].split(","), Handover.parse(sys.argv[2])
    handover.take()
    command_loop.run(work, behaviours[min(handover.worker, len(behaviours)) - 1], handover)
    clear_limit()


if __name__ == "__main__":
    main()

"""The EMF writer logs one line for each minute, and a last one at the end."""

import trio
from structlog.testing import capture_logs

from newsintel.actors import emf_writer
from newsintel.domain.operations.emf import build_metrics
from newsintel.runtime.telemetry.metrics import Metrics
from tests.fakes.basics import Clock
from tests.make import NOON
from tests.samples import read_samples


async def test_each_line_has_the_counts_of_its_own_minute(autojump_clock):
    """A counter is the increase since the line before.

    Nothing is counted twice, and the rest of a minute is not lost.
    """
    metrics = Metrics()

    async def read():
        return read_samples(metrics)

    async def work():
        await trio.sleep(10)
        for amount in (1, 2, 4):
            metrics.count("archived_articles", amount)
            await trio.sleep(emf_writer.EVERY_S)

    with capture_logs() as lines:
        async with trio.open_nursery() as nursery:
            labels = {"env": "test", "version": "1"}
            with trio.move_on_after(2.5 * emf_writer.EVERY_S):
                nursery.start_soon(work)
                await emf_writer.run(
                    table=build_metrics(["guardian"]), labels=labels, read=read, now=Clock()
                )
    written = [line for line in lines if line["event"] == "metrics"]
    assert [line["archived_articles"] for line in written] == [1, 2, 4]
    assert [round(line["_aws"]["Timestamp"] / 1000 - NOON.timestamp()) for line in written] == [
        60,
        120,
        150,
    ]
    assert {line["env"] for line in written} == {"test"}

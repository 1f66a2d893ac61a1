"""A running service, and each of several workers, writes the tree of its tasks when asked."""

import json
import os
import signal

import pytest

from tests.service import running
from tests.waiting import wait_for

UNLIMITED = {"RATE_LIMIT": "off", "MISS_LIMIT": "off"}


def read_trees(service):
    """The trees in the log, as (worker, lines)."""
    lines = [json.loads(line) for line in service.log.read_text().splitlines() if line[:1] == "{"]
    return [
        (line.get("worker"), line["stack"].splitlines())
        for line in lines
        if line["event"] == "task_tree"
    ]


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_sigusr1_writes_the_tree_of_every_process(tmp_path, workers):
    """The supervisor passes the signal on. The tree names every actor.

    The service goes on until it is stopped.
    """
    with running(tmp_path, "serve", LOG_FORMAT="json", WORKERS=str(workers)) as service:
        if workers > 1:
            wait_for(lambda: '"event": "serving"' in service.log.read_text(), "all workers")
        os.kill(service.process.pid, signal.SIGUSR1)
        expected = 1 if workers == 1 else 1 + workers
        wait_for(lambda: len(read_trees(service)) == expected, "the trees")
        trees = dict(read_trees(service))
        assert set(trees) == ({None} if workers == 1 else {None, 1, 2})
        serving = [tree for worker, tree in trees.items() if worker or workers == 1]
        for tree in serving:
            named = {line.split()[0] for line in tree}
            assert {"persister", "cache_writer", "recorder", "merger", "drainer"} <= named
            (persister,) = [line for line in tree if line.split()[0] == "persister"]
            assert "actors/persister.py:" in persister
        assert service.get("/health").status_code == 200
        text = service.get("/metrics").text
        assert 'newsintel_actor_silence_seconds{actor="persister"' in text
        assert "newsintel_loop_stall_seconds_count" in text
        assert service.stop() == 0

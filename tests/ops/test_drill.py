"""A short drill, with a real nginx. Slow where others need the processor too: it starts six services; CI runs `just drill` beside."""

import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import trio

from ops.balancer import find_nginx
from ops.drill import Scale, drill

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_nginx() is None, reason="there is no nginx here (Debian: apt-get install nginx-light)"),
]


def test_restarts_and_a_bad_deploy_cost_no_request(capsys):
    """Two services are replaced one after the other, a third never gets healthy, a fourth ends with a search in the air: nobody notices."""
    with TemporaryDirectory(prefix="newsintel-drill-") as name:
        Path(name).chmod(0o755)  # nginx runs as nobody, who may not enter pytest's folders
        trio.run(drill, Path(name), Scale(clients=2, settle_s=0.5))
        assert not _left(name)
    said = capsys.readouterr().out
    assert int(re.search(r"load: (\d+) requests answered, 0 failed", said)[1]) > 10
    assert "wrong database password: exit 1" in said


def _left(folder):
    """Processes that name the folder and still run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if folder.encode() in path.read_bytes():
                found.append(path)
        except OSError:
            continue
    return found

"""A short drill with a real nginx.

It is marked slow because it starts six services. CI runs `just drill` separately.
"""

import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import trio

from ops.balancer import find_nginx
from ops.drill import Scale, run_drill

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        find_nginx() is None, reason="there is no nginx here (Debian: apt-get install nginx-light)"
    ),
]


def test_restarts_and_a_bad_deploy_cost_no_request(capsys):
    """Two services are replaced, one never becomes healthy, one ends during a search.

    No request fails.
    """
    with TemporaryDirectory(prefix="newsintel-drill-") as name:
        Path(name).chmod(0o755)  # nginx runs as the user nobody, who cannot enter pytest's folders
        trio.run(run_drill, Path(name), Scale(clients=2, settle_s=0.5))
        assert not _left(name)
    said = capsys.readouterr().out
    assert int(re.search(r"load: (\d+) requests answered, 0 failed", said)[1]) > 10
    assert "wrong database password: exit 1" in said


def _left(folder):
    """Running processes whose command line names the folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if folder.encode() in path.read_bytes():
                found.append(path)
        except OSError:
            continue
    return found

"""A short drill, with a real nginx."""

import re
from pathlib import Path

import pytest

from ops.balancer import find_nginx
from ops.drill import Scale, drill

pytestmark = pytest.mark.skipif(find_nginx() is None, reason="there is no nginx here (Debian: apt-get install nginx-light)")


async def test_restarts_and_a_bad_deploy_cost_no_request(tmp_path, capsys):
    """Two services are replaced one after the other, a third never gets healthy, a fourth ends with a search in the air: nobody notices."""
    for folder in [tmp_path, *list(tmp_path.parents)[:2]]:
        folder.chmod(0o755)  # nginx runs as nobody
    await drill(tmp_path, Scale(clients=2, settle_s=0.5))
    said = capsys.readouterr().out
    assert int(re.search(r"load: (\d+) requests answered, 0 failed", said)[1]) > 10
    assert "wrong database password: exit 1" in said
    assert not _left(tmp_path)


def _left(folder):
    """Processes that name the folder and still run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(folder).encode() in path.read_bytes():
                found.append(path)
        except OSError:
            continue
    return found

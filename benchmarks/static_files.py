"""A page of ours as static files behind nginx, for comparison."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.rig import Server, capture_answer, find_free_port, send_request
from ops.balancer import OWN_FOLDERS, find_nginx
from tests.waiting import wait_for

CONFIG = (
    """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr crit;
events {{ worker_connections 64; }}
http {{
    access_log off;
"""
    + OWN_FOLDERS
    + """\
    types {{ text/html html; text/css css; text/javascript js; image/svg+xml svg; }}
    gzip on;
    gzip_types text/css text/javascript;
    server {{
        listen 127.0.0.1:{port};
        root {folder}/files;
    }}
}}
"""
)


@contextmanager
def serve_copy(server: Server, target: str, folder: Path) -> Iterator[int]:
    """Serve a page and the parts that it names from nginx; gives the port."""
    nginx = find_nginx()
    if nginx is None:
        raise RuntimeError("nginx is not installed (Debian: apt-get install nginx-light)")
    page = capture_answer(server, target).body
    files = {"index.html": page}
    for path in re.findall(r"static/[\w.]+", page.decode()):
        files[path] = capture_answer(server, f"/{path}").body
    for path, body in files.items():
        place = folder / "files" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(body)
    port, config = find_free_port(), folder / "nginx.conf"
    config.write_text(CONFIG.format(folder=folder, port=port), encoding="utf-8")
    running = subprocess.Popen([nginx, "-p", folder, "-c", config])
    try:
        wait_for(lambda: _answers(port), "nginx")
        yield port
    finally:
        running.terminate()
        running.wait()


def _answers(port: int) -> bool:
    try:
        return send_request(port, "/")[0] == 200
    except OSError:
        return False

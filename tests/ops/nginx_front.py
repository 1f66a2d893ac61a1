"""nginx in front of a running service, with the configuration that we ship."""

import http.client
import os
import re
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
from attrs import frozen

from ops.balancer import find_nginx
from tests.service import free_port
from tests.waiting import PATIENCE_S

CONFIG = Path(__file__).resolve().parents[2] / "ops" / "nginx" / "newsintel.conf"
NGINX = find_nginx()
APP = "https://app.example.org"
"""An origin that both the service and nginx allow."""
START_S = PATIENCE_S


@frozen
class Front:
    """A running nginx."""

    port: int
    cache: Path
    client: httpx.Client

    def get(self, path, **more):
        """Send a GET like any client."""
        return self.client.get(path, **more)

    def send(self, raw: bytes) -> http.client.HTTPResponse | None:
        """Send bytes on a separate connection.

        Return the answer with its body read, or None if nginx closes without one.
        """
        with socket.create_connection(("127.0.0.1", self.port), 20) as connection:
            connection.sendall(raw)
            response = http.client.HTTPResponse(connection)
            try:
                response.begin()
                response.content = response.read()
            except (http.client.HTTPException, ConnectionError):
                return None
            return response

    def kept_keys(self) -> list[str]:
        """The keys of nginx's cached answers, read from its files."""
        return [key for path in self.cache.rglob("*") if (key := kept_key(path)) is not None]


def kept_key(path: Path) -> str | None:
    """The key of one cached answer; None for a folder or a temporary file.

    nginx writes to a name with a dot and renames the file when it is complete. The key follows
    binary numbers, such as times, which may contain the byte of a line end.
    """
    if "." in path.name:
        return None
    try:
        kept = path.read_bytes()
    except (IsADirectoryError, FileNotFoundError):
        return None
    found = re.search(rb"\nKEY: (.*)\n", kept)
    return found and found[1].decode()


def site(folder, service, port):
    """The shipped configuration, with other addresses and folders and with the origin enabled."""
    text = CONFIG.read_text()
    for shipped, here in {
        "/var/cache/nginx/newsintel": f"{folder}/cache",
        "/var/log/nginx/access.log": f"{folder}/access.log",
        "server 127.0.0.1:8000;": f"server {service.url.removeprefix('http://')};",
        "listen 80;": f"listen 127.0.0.1:{port};",
        "server_name news.example.org;": "server_name localhost;",
        '# "https://app.example.org" ': '"https://app.example.org" ',
    }.items():
        assert text.count(shipped) == 1, shipped
        text = text.replace(shipped, here)
    return text


def write_command(folder, site):
    """Write nginx's configuration around a site into a folder; return the command that runs it."""
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;\n" if os.geteuid() == 0 else ""
    main = (
        f"{user}pid {folder}/pid;\nerror_log {folder}/error.log;\n"
        "worker_processes 1;\nevents {}\n"
    )
    config = folder / "nginx.conf"
    config.write_text(f"{main}http {{\naccess_log off;\n{temporary}{site}}}\n")
    paths = ("-p", folder, "-c", config, "-e", folder / "error.log")
    return [NGINX, *map(str, paths), "-g", "daemon off;"]


@contextmanager
def running_nginx(folder, service):
    """Run a real nginx in front of a service during the block."""
    port = free_port()
    command = write_command(folder, site(folder, service, port))
    process = subprocess.Popen(command)
    try:
        with httpx.Client(
            base_url=f"http://localhost:{port}", trust_env=False, timeout=PATIENCE_S
        ) as client:
            give_up = time.monotonic() + START_S
            while True:
                try:
                    client.get("/health")
                except httpx.TransportError:
                    assert process.poll() is None, (folder / "error.log").read_text()
                    assert time.monotonic() < give_up
                    time.sleep(0.05)
                else:
                    break
            yield Front(port, folder / "cache", client)
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait(PATIENCE_S)

"""nginx in place of the AWS load balancer, unprivileged, with its files in one folder.

Like the AWS balancer, it tries no second target for a request and gets its targets from outside.
A reload has the effect of deregistration: old workers finish their requests and accept no new ones.
"""

import os
import pwd
import shutil
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import trio
from attrs import frozen

from ops.processes import (
    CheckFailedError,
    RunningProcess,
    build_clean_environ,
    find_free_port,
    run_process,
    wait_until,
)

START_S = 10.0
DEREGISTER_S = 30.0
"""The target group's deregistration delay in ops/terraform. AWS cuts off requests after it."""

OWN_FOLDERS = """\
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
"""
"""Lines of nginx's configuration: where an nginx without root keeps what it buffers."""

CONFIG = (
    """\
daemon off;
worker_processes 2;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 512; }}
http {{
    access_log off;
"""
    + OWN_FOLDERS
    + """\
    keepalive_timeout 60s;
    keepalive_requests 1000000;
    upstream service {{
        least_conn;
        {servers}
        keepalive 32;
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://service;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto http;
            proxy_next_upstream off;
            proxy_connect_timeout 2s;
            proxy_read_timeout 15s;
        }}
    }}
}}
"""
)


def find_nginx() -> str | None:
    """Return the path of nginx. Debian installs it in a folder that only root has on PATH."""
    return shutil.which(
        "nginx",
        path=os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"]),
    )


@frozen
class Balancer:
    """A running nginx."""

    port: int
    folder: Path
    nginx: RunningProcess

    async def route_to(self, ports: Sequence[int]) -> float:
        """Send new requests to these ports only, and wait for the answers to older requests.

        Returns:
            The seconds it took.

        Raises:
            CheckFailedError: older requests ran longer than DEREGISTER_S.
        """
        before = self._list_workers()
        _write_config(self.folder, self.port, ports)
        self.nginx.process.send_signal(signal.SIGHUP)

        async def changed() -> bool:
            now = self._list_workers()
            return bool(now - before) and not now & before

        return await wait_until(changed, DEREGISTER_S, "the end of the balancer's old workers")

    def _list_workers(self) -> set[str]:
        pid = self.nginx.process.pid
        return set(Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split())


@asynccontextmanager
async def run_balancer(folder: Path, ports: Sequence[int]) -> AsyncIterator[Balancer]:
    """Run nginx in front of these ports while the block runs.

    Args:
        folder: an empty folder for its files, which every user can enter.
        ports: of the services.

    Raises:
        CheckFailedError: nginx is not installed or did not start.
    """
    program = find_nginx()
    if program is None:
        raise CheckFailedError(
            "nginx is not installed: "
            "`apt-get install --no-install-recommends nginx-light` installs it"
        )
    port, cage = find_free_port(), tuple[str, ...]()
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        cage = (
            "setpriv",
            f"--reuid={nobody.pw_uid}",
            f"--regid={nobody.pw_gid}",
            "--clear-groups",
            "--inh-caps=-all",
            "--",
        )
    _write_config(folder, port, ports)
    command = (*cage, program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr")
    async with run_process("nginx", command, build_clean_environ(), folder) as nginx:
        await wait_until(
            lambda: _is_listening(port), START_S, f"nginx's start ({nginx.read_output()})"
        )
        yield Balancer(port, folder, nginx)


def _write_config(folder: Path, port: int, ports: Sequence[int]) -> None:
    servers = "\n        ".join(f"server 127.0.0.1:{each} max_fails=0;" for each in ports)
    (folder / "nginx.conf").write_text(
        CONFIG.format(folder=folder, port=port, servers=servers), encoding="ascii"
    )


async def _is_listening(port: int) -> bool:
    try:
        stream = await trio.open_tcp_stream("127.0.0.1", port)
    except OSError:
        return False
    await stream.aclose()
    return True

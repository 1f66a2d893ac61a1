"""Shared parts of the storage tests: values, processes, and ways to disturb our own servers."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from attrs import field, frozen

from newsintel.domain.search.article import Article
from newsintel.domain.search.harvest import Answer, Harvest, Merge
from newsintel.domain.search.query_model import Clause, Dedupe, Query, Sort, Term
from newsintel.storage.embedded.postgres_daemon import PostgresDaemon
from newsintel.storage.embedded.redis_daemon import RedisDaemon
from newsintel.storage.embedded.servers import _socket_dir
from newsintel.storage.redis.server import RedisServer
from tests.waiting import PATIENCE_S

ON_ONE_SERVER = pytest.mark.parametrize("redis_kind", ["server"], indirect=True)
"""For tests of Redis that stop, configure or replace their server."""

ROOT = Path(__file__).resolve().parents[2]
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@frozen
class Servers:
    """The embedded servers of a test run."""

    data_dir: Path
    postgres_url: str
    redis_url: str

    @property
    def postgres(self) -> PostgresDaemon:
        """PostgreSQL: the test can stop it, start it and find its process."""
        return PostgresDaemon(self.data_dir, _socket_dir(self.data_dir))

    @property
    def redis(self) -> RedisDaemon:
        """Redis: the test can stop it, start it and find its process."""
        return RedisDaemon(self.data_dir, _socket_dir(self.data_dir))


@frozen
class Tally:
    """A Count that stores its counts."""

    counts: dict[str, float] = field(factory=dict)

    def __call__(self, name: str, amount: float = 1, **labels: str) -> None:
        """Add to a counter."""
        self.counts[name] = self.counts.get(name, 0) + amount


def article(name: str = "one", **changes) -> Article:
    """An article whose id comes from its name."""
    url = f"https://example.org/{name}"
    given = {
        "id": "a_" + sha256(url.encode("utf-8", "surrogatepass")).hexdigest()[:20],
        "source": "guardian",
        "external_id": name,
        "url": url,
        "canonical_url": url,
        "title": f"Title {name}",
        "publisher": "The Guardian",
        "published_at": NOON,
    }
    return Article(**(given | changes))


def query(*wanted: str, unwanted: tuple[str, ...] = (), key: str = "k" * 32, **changes) -> Query:
    """A query for all of `wanted` and none of `unwanted`. A text with a space is a phrase."""
    clause = Clause(
        tuple(Term(text, " " in text) for text in wanted),
        tuple(Term(text, " " in text) for text in unwanted),
    )
    given = {
        "text": " ".join(wanted),
        "clauses": (clause,),
        "sources": ("newsapi", "guardian", "reddit"),
        "start": None,
        "end": None,
        "language": None,
        "sort": Sort.NEWEST,
        "key": key,
    }
    return Query(**(given | changes))


def answer(key: str) -> Answer:
    """An answer without outcomes."""
    return Answer(Harvest(query("news", key=key), NOON, ()), Merge(Dedupe.NORMAL, ()))


async def kept(cache, key: str) -> Answer | None:
    """The answer that a RedisCache returns for a key, without a claim."""
    name = f"articles:{key}"
    return await cache._read(key, await cache._link.call(name, run_command, "GET", name))


async def run_command(server: RedisServer, *words: str | int) -> Any:
    """One command, as an operation for `RedisLink.call`."""
    return await server.redis.execute_command(*words)


def read_cache_rights() -> list[str]:
    """The rights that Terraform gives the service's user of Redis, as words for ACL SETUSER."""
    text = (ROOT / "ops" / "terraform" / "cache.tf").read_text(encoding="utf-8")
    found = re.search(r'cache_access = "([^"]+)"', text)
    assert found
    return found[1].split()


def keeper(data_dir: Path) -> subprocess.Popen[str]:
    """Start a process that holds the servers of a folder. It prints their URLs when they run."""
    command = [sys.executable, str(ROOT / "tests" / "storage" / "keeper.py"), str(data_dir)]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(ROOT), "PATH": os.defpath},
    )


def family(pid: int) -> list[int]:
    """The pids of a process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


@contextmanager
def frozen_processes(pids: list[int]) -> Iterator[None]:
    """Stop processes of our own, and continue them afterwards."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):  # a process that continues may end its children
                os.kill(pid, signal.SIGCONT)


@contextmanager
def running_servers(data_dir: Path) -> Iterator[dict[str, str]]:
    """Run the servers of a folder in another process until the block ends; yields their URLs."""
    process = keeper(data_dir)
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=PATIENCE_S)
        process.stdout.close()

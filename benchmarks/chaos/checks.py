"""What is checked after the load: the service is idle, and the archive holds what was answered."""

from typing import Any

import httpx
import trio

from benchmarks.chaos.database import run_on_database
from benchmarks.chaos.history import History
from benchmarks.chaos.meters import Reading, read_meters
from benchmarks.chaos.world import World

IDLE_S = 120.0
"""How long the service may take until its spool is empty and nothing runs."""
STEADY = 3
"""Readings in a row, a second apart, that find it idle."""

ARCHIVED = "SELECT public_id FROM articles UNION SELECT public_id FROM dead_letters"
SAVED = """
SELECT username, articles.public_id FROM saved_articles
JOIN users ON users.id = user_id JOIN articles ON articles.id = article_id
"""


async def wait_until_idle(world: World, client: httpx.AsyncClient) -> Reading:
    """Wait until nothing runs or waits, at most IDLE_S; return the last reading."""
    steady = 0
    reading = await read_meters(client, world.url, world.pid)
    with trio.move_on_after(IDLE_S):
        while steady < STEADY:
            await trio.sleep(1)
            reading = await read_meters(client, world.url, world.pid)
            idle = not reading.spool_bytes and not any(reading.busy.values())
            steady = steady + 1 if idle else 0
    return reading


async def check_archive(world: World, history: History) -> None:
    """Note each article of an answer that is neither archived nor a dead letter, oldest first.

    Also each save that was confirmed and is missing, or belongs to somebody else.
    """
    archived, saved = await run_on_database(world.database, _read_archive)
    for lost in sorted(history.answered.keys() - archived, key=history.answered.__getitem__):
        history.note_violation("lost", f"{history.answered[lost]:.1f} s: article {lost}")
    for person, ids in history.saved.items():
        for lost in sorted(ids - saved.get(person, set())):
            history.note_violation("lost", f"{person}'s save of {lost}")


async def _read_archive(connection: Any) -> tuple[set[str], dict[str, set[str]]]:
    archived = {row[0] for row in await connection.fetch(ARCHIVED)}
    saved: dict[str, set[str]] = {}
    for name, article in await connection.fetch(SAVED):
        saved.setdefault(name, set()).add(article)
    return archived, saved

"""`kill -9` in the middle of matching: no match is lost, and none is in the outbox twice."""

import signal
import subprocess
import sys
from datetime import timedelta

import pytest

from tests.service import ROOT
from tests.storage.postgres.alerts.watching import NOW, told
from tests.waiting import until

SEARCHES, ARTICLES, KILLS = 8, 120, 4

WORDS = ("storm", "flood", "hail", "drought", "quake")

OUTBOX = """
SELECT (SELECT count(*) FROM search_matches), (SELECT count(*) FROM alert_delivery_matches),
    (SELECT count(*) FROM (SELECT DISTINCT saved_search_id, group_id FROM alert_delivery_matches)
        AS once)
"""


def start(url: str) -> subprocess.Popen:
    """Start a process that matches."""
    command = [sys.executable, "-m", "tests.storage.postgres.alerts.matching_process", url]
    return subprocess.Popen(command, cwd=ROOT)


async def count_matches(fetch) -> int:
    """The number of matches so far."""
    ((matches,),) = await fetch("SELECT count(*) FROM search_matches")
    return matches


@pytest.mark.slow
async def test_kill_9_while_matching_loses_nothing(newsroom, fetch, database_url):
    """Two processes match; both are killed again and again, and a third one does the rest."""
    searches = [await newsroom.save(WORDS[number % len(WORDS)]) for number in range(SEARCHES)]
    expected = 0
    for number in range(ARTICLES):
        word = WORDS[number % len(WORDS)]
        expected += sum(WORDS[place % len(WORDS)] == word for place in range(len(searches)))
        # Numbers and places keep the stories apart.
        title = f"{word} number {number + 100} hits place{number}x and town{number}y"
        await newsroom.archive(
            told(f"{number}", title, published_at=NOW - timedelta(minutes=number))
        )
    for round_ in range(1, KILLS + 1):
        processes = [start(database_url), start(database_url)]
        wanted = round_ * expected // (KILLS + 2)

        async def some_matched(wanted=wanted):
            return await count_matches(fetch) >= wanted

        await until(some_matched)
        for process in processes:
            process.send_signal(signal.SIGKILL)
            process.wait()
    while await newsroom.matching.match_batch():
        pass
    assert await fetch(OUTBOX) == [(expected, expected, expected)]
    assert await fetch("SELECT count(*) FROM alert_queue") == [(0,)]

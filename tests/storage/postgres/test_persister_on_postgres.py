"""The persister on a real PostgreSQL.

It sustains a stream, and an invalid row costs only itself.
"""

import json
from datetime import UTC, datetime

import pytest
import trio
from attrs import evolve

from newsintel.actors import drainer, persister
from newsintel.domain.bounds.room import ByteBudget
from newsintel.domain.search.article import Group, Member, Rule
from newsintel.domain.search.harvest import Answer, ArchiveWrite, Merge, Ranked, ScoreParts
from newsintel.domain.search.query_model import Dedupe
from newsintel.runtime.edges import PERSISTER_INBOX
from newsintel.runtime.spool import Spool
from tests.fakes.basics import Counts, MemorySpool
from tests.make import harvest, outcome
from tests.storage.support import article
from tests.waiting import PATIENCE_S, until

POISON = {
    "9999": {"published_at": datetime(9999, 12, 31, tzinfo=UTC)},
    "nul": {"title": "NUL \x00 inside"},
    "surrogate": {"description": "lone \ud800 surrogate"},
    "naive": {"published_at": datetime(2026, 1, 1)},  # noqa: DTZ001 - the missing zone is tested
    "huge": {"content": 7},
}
"""Values that adapters never let through."""
UNTIED = Merge(Dedupe.NORMAL, ())


def landed(*articles):
    """An answer with these articles, none of them tied to another."""
    return Answer(harvest(outcome(articles=articles)), UNTIED)


def tied(founder, *members):
    """An answer with one group; its members come with their similarity to the founder."""
    parts = ScoreParts(0, 0, 0, 0, 0, 0)
    group = Group(
        (
            Member(founder),
            *(Member(each, Rule.NEAR_TITLE, similarity) for each, similarity in members),
        ),
        founder,
    )
    return evolve(
        landed(founder, *(each for each, _ in members)),
        merge=Merge(Dedupe.NORMAL, (Ranked(group, parts),)),
    )


@pytest.fixture
def spool_place():
    """Where the persister spools."""
    return MemorySpool(max_bytes=2**30)


@pytest.fixture
def persist(archive, spool_place, monkeypatch):
    """Sends answers through a persister at full speed; returns its counts."""
    monkeypatch.setattr("newsintel.runtime.attempts.SAVE_S", PATIENCE_S)  # the machine may be busy

    async def run(answers, meanwhile=None):
        counts = Counts()
        spool = Spool((spool_place,), counts)
        send, inbox = trio.open_memory_channel[Answer](PERSISTER_INBOX)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(
                lambda: persister.run(
                    inbox, room=ByteBudget(2**30), archive=archive, spool=spool, count=counts
                )
            )
            with send:
                for number, each in enumerate(answers):
                    await send.send(ArchiveWrite(each))
                    if meanwhile and number == 10:
                        nursery.start_soon(meanwhile, counts)
        return counts

    return run


@pytest.mark.slow
async def test_20000_articles_are_saved_without_loss(persist, fetch):
    """Each article is a row with its own id and its fields."""
    answers = (
        landed(*(article(f"{number}-{place}") for place in range(100))) for number in range(200)
    )
    counts = await persist(answers)
    assert counts == {"archived_articles": 20_000}
    sent = {
        (article(f"{number}-{place}").id, f"Title {number}-{place}")
        for number in range(200)
        for place in range(100)
    }
    assert set(await fetch("SELECT public_id, title FROM articles")) == sent


async def test_poisoned_rows_become_dead_letters_and_the_rest_is_saved(persist, fetch):
    """A stream contains one of each kind.

    The persister finds them by halving batches, and stores each as a readable dead letter. No other
    article is missing.
    """
    poisoned = [article(name, **changes) for name, changes in POISON.items()]
    answers = [
        landed(*(article(f"{number}-{place}") for place in range(100))) for number in range(20)
    ]
    for number, bad in enumerate(poisoned):
        answers[number * 4] = landed(*answers[number * 4].harvest.articles, bad)
    counts = await persist(answers)
    assert counts == {"archived_articles": 2000, "dead_letters": len(POISON)}
    assert await fetch("SELECT count(*) FROM articles") == [(2000,)]
    letters = {
        public_id: (reason, json.loads(text))
        for public_id, reason, text in await fetch(
            "SELECT public_id, reason, article FROM dead_letters"
        )
    }
    assert {public_id: text["title"] for public_id, (_, text) in letters.items()} == {
        bad.id: bad.title for bad in poisoned
    }
    reasons = {text["external_id"]: reason for reason, text in letters.values()}
    assert reasons["9999"] == "PostgreSQL refused the content (CheckViolationError)"
    assert reasons["naive"] == "an article's time has no zone"
    assert all(reasons.values())


async def test_refused_pair_costs_only_itself(persist, fetch):
    """A pair that violates a constraint is left out and counted.

    The other pairs and all articles are kept.
    """
    first, second, third = article("1"), article("2"), article("3")
    counts = await persist([tied(first, (second, float("nan")), (third, 0.9))])
    assert counts == {"archived_articles": 3, "refused_pairs": 1}
    assert await fetch("SELECT similarity FROM article_duplicates") == [(0.9,)]


@pytest.mark.slow
async def test_database_restart_loses_nothing(persist, archive, spool_place, fetch, servers):
    """The server stops in mid-stream, and starts again after a batch was spooled.

    The drainer saves that. Every article is there once, and there is no dead letter.
    """

    async def restart(counts):
        async def spooled():
            return counts["spooled_rows articles redis"]

        await servers.postgres.stop()
        await until(spooled)
        await servers.postgres.ensure()

    answers = (
        landed(*(article(f"{number}-{place}") for place in range(50))) for number in range(150)
    )
    counts = await persist(answers, restart)
    spooled = counts.pop("spooled_rows articles redis")
    assert spooled > 0
    assert counts["archived_articles"] == 7500 - spooled

    async def drained():
        return not spool_place.size_bytes

    async with trio.open_nursery() as nursery:
        spool = Spool((spool_place,), counts)
        nursery.start_soon(
            lambda: drainer.run(spool=spool, archive=archive, history=None, count=counts)
        )
        await until(drained)
        nursery.cancel_scope.cancel()
    assert counts["archived_articles"] == 7500
    assert await fetch("SELECT count(*), count(DISTINCT public_id) FROM articles") == [(7500, 7500)]

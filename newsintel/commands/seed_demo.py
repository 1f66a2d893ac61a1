"""`newsintel seed-demo` simulates two weeks of use by invented people, so that trends have data.

It writes only to the demo's own servers, beside a running demo or before one starts. It never
writes to the stores of a real service.
"""

import argparse
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import trio
from attrs import evolve, frozen

from newsintel.actors.trend_writer import LIST_LENGTH
from newsintel.app import open_pipeline
from newsintel.commands.demo import load_demo_settings
from newsintel.commands.setup import load_settings_and_log
from newsintel.commands.stores import open_prepared_stores
from newsintel.demo.invented_readers import DEMO_READER, Reader, invent_readers
from newsintel.demo.invented_searches import DAYS, InventedSearch, invent_searches, list_queries
from newsintel.demo.server import run_simulated_upstreams
from newsintel.domain.accounts.model import Caller
from newsintel.domain.intelligence.search_counts import TrendWindow
from newsintel.domain.intelligence.searched import summarize_search
from newsintel.domain.intelligence.trending import rank_trends
from newsintel.domain.personal.model import Dismissal
from newsintel.domain.search.article import ArchivedArticle
from newsintel.domain.search.history import SearchRecord, SearchSummary
from newsintel.domain.search.query import build_query
from newsintel.errors import SettingsError
from newsintel.http.response.shared_answers import build_cache_key
from newsintel.http.routes.searches import list_cached_trends
from newsintel.http.services import Services
from newsintel.runtime import command_loop
from newsintel.storage.stores import Stores

BATCH_ROWS = 200


@frozen
class SeedTarget:
    """What the seeds write to, and the demo's answers.

    Attributes:
        answers: by query, for every query that invented people search for.
        now: the time of the latest invented activity.
    """

    services: Services
    stores: Stores
    answers: Mapping[str, SearchSummary]
    now: datetime


def add_parser(commands: Any) -> None:
    """Declare the command."""
    command = commands.add_parser("seed-demo")
    command.set_defaults(run=run)


def run(_args: argparse.Namespace) -> int:
    """Seed and print what was written. A later run adds the invented activity since then."""
    settings = load_settings_and_log(quiet=True)
    if settings.production:
        raise SettingsError(
            "seed-demo writes what invented people did: NEWSINTEL_ENV must not be production"
        )
    command_loop.run(_seed_demo)
    return 0


async def _seed_demo() -> None:
    async with run_simulated_upstreams() as simulated:
        settings = load_demo_settings(simulated)
        async with open_pipeline(settings) as services, open_prepared_stores(settings) as stores:
            world = SeedTarget(
                services, stores, await _search_all(services, list_queries()), datetime.now(UTC)
            )
            sys.stdout.write("All of this is invented, including the people.\n")
            for seed in SEEDS:
                sys.stdout.write(f"{await seed(world)}\n")


async def _search_all(services: Services, asked: Sequence[str]) -> Mapping[str, SearchSummary]:
    """Return the demo's answer to each query. Each has its own caller because of the rate limit."""
    answers = {}
    for number, query in enumerate(asked):
        asked_for = build_query(query, sources=services.settings.enabled_sources)
        reply = await services.search.desk.search(asked_for, Caller(f"invented {number}"))
        answers[query] = summarize_search(asked_for, reply.answer, len(reply.answer.merge.ranked))
    return answers


async def seed_searches(world: SeedTarget) -> str:
    """Count people's searches as the recorder does, close past days and build the trend lists."""
    floor, stores = world.services.settings.trending_floor, world.stores.intelligence
    marks, trending = stores.search_marks, stores.trending
    told = invent_searches(world.now)
    records = [_build_record(one, world.answers[one.query]) for one in told]
    marked = [
        found
        for record in records
        if (found := world.services.intelligence.marking.mark(record)) is not None
    ]
    for start in range(0, len(marked), BATCH_ROWS):
        await marks.add(marked[start : start + BATCH_ROWS])
    await marks.close_days(world.now.date(), floor)
    for span in TrendWindow:
        # A list that any process made a moment ago does not have these searches.
        rank = partial(rank_trends, limit=LIST_LENGTH)
        now = partial(datetime.now, UTC)
        while not await trending.rebuild_list(span, now(), floor, rank):  # noqa: ASYNC110
            await trio.sleep(1)
    await world.stores.search.bytes_cache.delete_keys(
        [build_cache_key(*one) for one in list_cached_trends()]
    )
    people, asked = len({one.person for one in told}), len(world.answers)
    return (
        f"{len(told):,} searches by {people} people in the last {DAYS} days, "
        f"for {asked} queries: see /trending and /searches/related"
    )


def _build_record(one: InventedSearch, answer: SearchSummary) -> SearchRecord:
    return SearchRecord(
        query=answer.query,
        key=answer.key,
        results_count=answer.results_count,
        searched_at=one.at,
        user_id=None,
        person=one.person,
        repeat_key="",
        form=answer.form,
        articles=answer.articles,
    )


async def seed_reading(world: SeedTarget) -> str:
    """Write what people saved, opened and dismissed, and the search history of the demo reader.

    A visitor can sign in as the demo reader.
    """
    readers = invent_readers()
    for reader in readers:
        account = await world.stores.accounts.directory.sign_in(
            reader.provider, reader.subject, reader.username, world.now
        )
        await _seed_reader(world, account.id, reader)
    return (
        f"{len(readers)} people saved, opened and dismissed articles: "
        f"sign in as {DEMO_READER} and see /me/recommendations"
    )


async def _seed_reader(world: SeedTarget, user_id: int, reader: Reader) -> None:
    """Write one reader's activity. A second run does not change existing rows."""
    stores, now = world.stores, world.now
    for place, one in enumerate(await _find_first_articles(world, reader.saved, 2)):
        note = reader.note if place == 0 else None
        await stores.personal.saved.put(
            user_id, one.article, one.fetched_at, notes=note, keep_notes=note is None, at=now
        )
    for one in await _find_first_articles(world, reader.opened, 4):
        await stores.personal.feedback.record_opened(user_id, one.article, one.fetched_at, now)
    for one in await _find_first_articles(world, (reader.disliked,), 1):
        await stores.personal.feedback.record_dismissed(
            user_id, one.article, one.fetched_at, now, Dismissal.LESS_LIKE_THIS
        )
    if not (await stores.personal.own_history.list_page(user_id, 1, None)).searches:
        told = (InventedSearch(query, reader.username, now) for query in reader.searched)
        await stores.personal.history.record_searches(
            [evolve(_build_record(one, world.answers[one.query]), user_id=user_id) for one in told]
        )


async def _find_first_articles(
    world: SeedTarget, asked: Sequence[str], most: int
) -> list[ArchivedArticle]:
    """Return the first articles of each query's answer."""
    ids = [one for query in asked for one in world.answers[query].articles[:most]]
    return [
        found
        for one in ids
        if (found := await world.services.search.desk.get_article(one)) is not None
    ]


SEEDS: tuple[Callable[[SeedTarget], Awaitable[str]], ...] = (seed_searches, seed_reading)
"""Each function seeds one kind of data and returns a line that says what it wrote."""

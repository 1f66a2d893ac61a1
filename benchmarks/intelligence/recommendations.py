"""The target `recommendations`: latency on a large archive, and quality for known interests."""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.corpus import END
from benchmarks.intelligence.quality import (
    LabelledArticles,
    choose_half,
    load_labelled,
    open_labelled_archive,
)
from benchmarks.intelligence.readers import Taste, invent_tastes, make_account, replace_readers
from benchmarks.intelligence.report import Options, Report
from benchmarks.intelligence.timing import build_latency_rows, measure_calls
from benchmarks.load import open_archive
from benchmarks.report import Goal
from newsintel.domain.accounts.model import Account
from newsintel.domain.intelligence.interest_model import Pick
from newsintel.domain.ports import WallClock
from newsintel.domain.search.article import Pair
from newsintel.domain.search.dedup import group_articles as grouped
from newsintel.domain.search.query_model import Dedupe
from newsintel.runtime.intelligence.recommender import Recommender
from newsintel.runtime.intelligence.talked_about import TalkedAbout
from newsintel.runtime.personal.preference_cache import PreferenceCache
from newsintel.storage.postgres.accounts.accounts import PostgresAccounts
from newsintel.storage.postgres.archive.search import PostgresSearch
from newsintel.storage.postgres.intelligence.likeness import PostgresLikeness
from newsintel.storage.postgres.intelligence.reading import PostgresReading
from newsintel.storage.postgres.intelligence.trending import PostgresTrending
from newsintel.storage.postgres.personal.feedback import PostgresFeedback
from newsintel.storage.postgres.personal.preferences import PostgresPreferences
from newsintel.storage.postgres.personal.saved import PostgresSaved
from newsintel.storage.postgres.pool import Postgres

PEOPLE = 10_000
LIMIT = 20
FIRST = 10
TASTES = 100
"""People with known interests, per half of the stories."""
LEAST = 20
"""Minimum articles of a story of interest: a smaller story would have nothing left to recommend."""
GOAL_MS = 60


async def run(options: Options) -> Report:
    """Measure all figures of recommendations."""
    people = 200 if options.quick else PEOPLE
    async with open_archive(options.articles, options.folder) as (bridge, postgres, url):
        print(f"{options.articles:,} articles: {people:,} people", flush=True)
        await bridge.add_lane("people", 1).run(replace_readers, url, options.articles, people)
        maker = create_recommender(postgres, lambda: END)
        asking = random.Random(4).sample(range(1, people + 1), min(people, options.calls))  # noqa: S311 - nothing secret
        kinds = {
            "a page of 20, people with a history": [
                lambda one=one: maker.build_page(make_account(one), LIMIT) for one in asking
            ],
            "a page of 20, newcomers": [
                lambda one=one: maker.build_page(make_account(people + one), LIMIT)
                for one in asking
            ],
        }
        latency = await measure_calls(kinds, options.calls)
    print("known interests", flush=True)
    quality = await measure_precision(options.folder, every=10 if options.quick else 1)
    rows = build_latency_rows(latency)
    rows += [
        [f"{name}, precision at 10", *(f"{value:.3f} {half}" for half, value in found.items()), ""]
        for name, found in quality.items()
    ]
    return Report(
        name="recommendations",
        about=f"pages for people, {options.articles:,} articles, {people:,} people",
        header=("", "p50", "p95", "p99"),
        rows=rows,
        goals=_build_goals(latency, quality),
        notes=_build_notes(options, quality),
        data={"latency_ms": latency, "people": people, "precision_at_10": quality},
    )


def create_recommender(postgres: Postgres, now: WallClock) -> Recommender:
    """Return the service's recommender on a pool."""
    reading, likeness = PostgresReading(postgres), PostgresLikeness(postgres, now)
    talked = TalkedAbout(PostgresTrending(postgres), PostgresSearch(postgres), reading, likeness, 3)
    return Recommender(
        reading,
        likeness,
        talked,
        PreferenceCache(PostgresPreferences(postgres)).get_preferences,
        now,
    )


async def measure_precision(folder: Path, *, every: int) -> dict[str, dict[str, float]]:
    """Return the mean share of the first ten articles that belong to a person's stories.

    It is empty without the labelled stories.
    """
    known = load_labelled(every)
    if known is None:
        return {}
    newest = max(one.published_at for one in known.articles)
    found: dict[str, dict[str, float]] = defaultdict(dict)
    async with open_labelled_archive(
        known, folder / f"readers-{every}", _find_duplicates(known)
    ) as postgres:
        maker, accounts = create_recommender(postgres, lambda: newest), PostgresAccounts(postgres)
        stranger = await accounts.sign_in("dev", "stranger", "stranger", newest)
        for seed, half in enumerate(("tuned on", "held out")):
            shares: dict[str, list[float]] = defaultdict(list)
            for number, taste in enumerate(_invent_tastes(known, half, every, seed)):
                person = await accounts.sign_in("dev", f"{half} {number}", "reader", newest)
                await _store_activity(postgres, known, person, taste)
                for name, share in (
                    await _measure_shares(maker, known, (person, stranger), taste, number)
                ).items():
                    shares[name].append(share)
            for name, some in shares.items():
                found[name][half] = round(sum(some) / len(some), 4)
    return dict(found)


def _find_duplicates(known: LabelledArticles) -> tuple[Pair, ...]:
    """Return the near-duplicates, as searches would have stored them in the archive."""
    return tuple(
        Pair(member.article.id, group.founder.id, member.rule, member.similarity or 0.0)
        for group in grouped(known.articles, Dedupe.NORMAL)
        for member in group.members
        if member.rule is not None
    )


async def _measure_shares(
    maker: Recommender,
    known: LabelledArticles,
    pair: tuple[Account, Account],
    taste: Taste,
    number: int,
) -> dict[str, float]:
    """Return the share of each kind of page that belongs to a person's stories.

    `pair` is the person and another one without any activity.
    """
    person, stranger = pair
    seen = {*taste.saved, *taste.opened}
    mine = (await maker.build_page(person, FIRST)).picks
    fitting = [pick for pick in mine if not pick.reasons[0].startswith("exploration")]
    everybodys = [
        pick for pick in (await maker.build_page(stranger, 50)).picks if pick.article.id not in seen
    ][:FIRST]
    unseen = [one.id for one in known.articles if one.id not in seen]
    chance = random.Random(number).sample(unseen, FIRST)  # noqa: S311 - nothing secret
    liked = {one.id for one in known.articles if known.stories[one.id] in taste.stories}
    return {
        "recommendations": len(liked & _collect_ids(mine)) / FIRST,
        "those that do not explore": len(liked & _collect_ids(fitting)) / max(1, len(fitting)),
        "trending only": len(liked & _collect_ids(everybodys)) / FIRST,
        "random": len(liked & set(chance)) / FIRST,
    }


async def _store_activity(
    postgres: Postgres, known: LabelledArticles, person: Account, taste: Taste
) -> None:
    """Store a person's activity, all at the time of the newest article."""
    articles = {one.id: one for one in known.articles}
    newest = max(one.published_at for one in known.articles)
    saved, feedback = PostgresSaved(postgres), PostgresFeedback(postgres)
    for one in taste.saved:
        await saved.put(person.id, articles[one], newest, notes=None, keep_notes=True, at=newest)
    for one in taste.opened:
        await feedback.record_opened(person.id, articles[one], newest, newest)


def _invent_tastes(known: LabelledArticles, half: str, every: int, seed: int) -> list[Taste]:
    stories: dict[str, list[str]] = defaultdict(list)
    for one in known.articles:
        stories[known.stories[one.id]].append(one.id)
    told = {
        story: some
        for story, some in stories.items()
        if choose_half(story) == half and len(some) >= LEAST / every
    }
    return invent_tastes(told, [one.id for one in known.articles], TASTES // every, seed)


def _collect_ids(picks: Sequence[Pick]) -> set[str]:
    return {pick.article.id for pick in picks}


def _build_goals(
    latency: Mapping[str, Mapping[str, float]], quality: Mapping[str, Mapping[str, float]]
) -> list[Goal]:
    p95 = latency["a page of 20, people with a history"]["p95"]
    goals = [Goal(f"recommendations p95 <= {GOAL_MS} ms", f"{p95:.1f} ms", p95 <= GOAL_MS)]
    if quality:
        ours, trending, chance = (
            quality[name]["held out"] for name in ("recommendations", "trending only", "random")
        )
        about = f"{ours:.3f} beside {trending:.3f} and {chance:.3f}"
        goals.append(
            Goal(
                "precision at 10 above trending only and random, held out",
                about,
                ours > max(trending, chance),
            )
        )
    return goals


def _build_notes(options: Options, quality: object) -> list[str]:
    latency = (
        "latency: at the port, without HTTP; invented articles (benchmarks/corpus.py) and people "
        "(benchmarks/intelligence/readers.py) with 20 saves, up to 60 opened, 5 dismissed and 15 "
        "searches each; every call is for another person, so no cache has their data"
    )
    if not quality:
        return [
            latency,
            (
                "skipped: precision, because the labelled headlines (../shared/headlines) "
                "are not beside this checkout"
            ),
        ]
    about = (
        "precision: headlines of the UCI News Aggregator set in 37 stories, read from "
        "../shared/headlines; invented people with two to four stories, who saved three articles "
        "of them and opened four, and two random ones; every fifth place explores; trending only "
        "is the most widely covered, because there are no searches"
    )
    return [latency, about + (", every tenth headline" if options.quick else "")]

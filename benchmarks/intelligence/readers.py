"""Invented people and their activity: thousands for latencies, and people with known interests."""

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg
from attrs import frozen

from benchmarks.corpus import END, Corpus
from newsintel.domain.accounts.model import Account

TOPICS, EACH_TOPIC = 300, 200
"""Number of words that people are interested in, and of newest articles with each word to read."""

SAVED, OPENED, DISMISSED, SEARCHED = 20, 60, 5, 15
"""Per person."""

SELECT_NEWEST = """
SELECT id FROM articles
WHERE search @@ plainto_tsquery('english', $1) AND published_at >= $2
ORDER BY published_at DESC LIMIT $3
"""
INSERT_DUPLICATES = """
INSERT INTO article_duplicates
SELECT one.id, other.id, 'title', 1
FROM articles AS one
JOIN articles AS other ON other.id = one.id + 1 AND other.title = one.title
ON CONFLICT DO NOTHING
"""
INSERT_PEOPLE = """
INSERT INTO users (public_id, username, created_at, last_login_at)
SELECT 'u_' || n, n, $1, $1 FROM generate_series(1, $2) AS n
"""
TABLES = ("saved_articles", "opened_articles", "dismissed_articles", "search_history")

Row = tuple[Any, ...]


def make_account(number: int) -> Account:
    """Return the account of the nth person."""
    return Account(number, f"u_{number:0>20}", f"reader {number}", "dev", END, END)


async def replace_readers(url: str, size: int, people: int) -> None:
    """Replace the people of an archive with this many people, each with a history.

    Each person has three of TOPICS interests, reads articles with their words, and searches for
    them. Call it on the asyncio side.
    """
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("TRUNCATE users RESTART IDENTITY CASCADE")
        await connection.execute(INSERT_DUPLICATES)
        await connection.execute(INSERT_PEOPLE, END, people)
        words = Corpus(size).words[200 : 200 + 10 * TOPICS : 10]
        since = END - timedelta(days=90)
        articles = {
            word: [
                row["id"] for row in await connection.fetch(SELECT_NEWEST, word, since, EACH_TOPIC)
            ]
            for word in words
        }
        for table, columns, rows in _generate_history(articles, people):
            await connection.copy_records_to_table(table, records=rows, columns=columns)
        await connection.execute(f"VACUUM ANALYZE {', '.join(TABLES)}, article_duplicates")
    finally:
        await connection.close()  # noqa: ASYNC102 - asyncio's side of the bridge


def _generate_history(
    articles: Mapping[str, Sequence[int]], people: int
) -> Iterator[tuple[str, tuple[str, ...], list[Row]]]:
    """Yield the rows of each table."""
    dice = random.Random(5)  # noqa: S311 - nothing secret
    rows: dict[str, list[Row]] = {table: [] for table in TABLES}
    for person in range(1, people + 1):
        interests = dice.sample(sorted(articles), 3)
        known = sorted({one for word in interests for one in articles[word]})
        dice.shuffle(known)
        saved, opened, dismissed = known[:SAVED], known[SAVED : SAVED + OPENED], known[-DISMISSED:]
        rows["saved_articles"] += [
            (
                person,
                one,
                "about " + interests[0] if dice.random() < 0.1 else None,
                _draw_moment(dice),
            )
            for one in saved
        ]
        rows["opened_articles"] += [(person, one, _draw_moment(dice)) for one in opened]
        rows["dismissed_articles"] += [
            (person, one, dice.choice(("hide", "less_like_this")), _draw_moment(dice))
            for one in dismissed
        ]
        searched = (f"{dice.choice(interests)} {dice.choice(interests)}" for _ in range(SEARCHED))
        rows["search_history"] += [
            (query, "k", 1, _draw_moment(dice), person, f"h_{person}_{number}")
            for number, query in enumerate(searched)
        ]
    yield "saved_articles", ("user_id", "article_id", "notes", "saved_at"), rows["saved_articles"]
    yield "opened_articles", ("user_id", "article_id", "opened_at"), rows["opened_articles"]
    yield (
        "dismissed_articles",
        ("user_id", "article_id", "reason", "dismissed_at"),
        rows["dismissed_articles"],
    )
    yield (
        "search_history",
        ("query", "key", "results_count", "searched_at", "user_id", "public_id"),
        rows["search_history"],
    )


def _draw_moment(dice: random.Random) -> datetime:
    return END - timedelta(days=30) * dice.random() ** 2


@frozen
class Taste:
    """A person with known interests.

    Attributes:
        stories: the stories of interest; the recommender does not know them.
        saved: public ids of the saved articles.
        opened: public ids of the opened articles.
    """

    stories: frozenset[str]
    saved: tuple[str, ...]
    opened: tuple[str, ...]


def invent_tastes(
    stories: Mapping[str, Sequence[str]], everything: Sequence[str], people: int, seed: int
) -> list[Taste]:
    """Invent people with an interest in two to four stories.

    Each saved three articles of these stories and opened up to six: four of these stories, two
    random ones.

    Args:
        stories: the articles of each possible story, by public id.
        everything: every article.
        people: how many.
        seed: equal seeds give equal people.
    """
    dice = random.Random(seed)  # noqa: S311 - nothing secret
    found = []
    for _ in range(people):
        own = dice.sample(sorted(stories), dice.randint(2, 4))
        known = dice.sample([one for story in own for one in stories[story]], 7)
        found.append(
            Taste(
                frozenset(own),
                tuple(known[:3]),
                tuple({*known[3:], *dice.sample(everything, 2)} - {*known[:3]}),
            )
        )
    return found

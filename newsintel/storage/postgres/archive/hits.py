"""Loads found articles, with the passage of the text that matches."""

from collections.abc import Sequence
from typing import Any

from newsintel.domain.archive.model import Condition, Field, Hit, Snippet
from newsintel.domain.archive.passages import MAX_TEXT_CHARS, find_passage
from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.search.matching import Run, build_runs
from newsintel.domain.text.languages import SIMPLE
from newsintel.storage.loop_turns import run_in_loop_turns
from newsintel.storage.postgres.archive.article_rows import LISTED, article_of
from newsintel.storage.postgres.archive.duplicates import GROUP_ID
from newsintel.storage.postgres.pool import Connection

Runs = Sequence[Run]

_BODY = f"left(concat_ws(' ', description, left(content, {MAX_TEXT_CHARS})), {MAX_TEXT_CHARS})"
FOUND = f"""
SELECT id, {LISTED}, first_seen_at, fetched_at, text_language, {{body}} AS body, {GROUP_ID}
FROM articles AS this WHERE id = ANY($1::bigint[])
"""
FOUND_WITH_BODY, FOUND_BARE = FOUND.format(body=_BODY), FOUND.format(body="NULL")


async def load_hits(
    connection: Connection, rows: Sequence[Any], wanted: Sequence[Condition]
) -> tuple[Hit, ...]:
    """Return the articles of a page, each with a snippet that shows why it matches."""
    if not rows:
        return ()
    found = await connection.fetch(
        FOUND_WITH_BODY if wanted else FOUND_BARE, [row["id"] for row in rows]
    )
    return await run_in_loop_turns(_build_hits(rows, found, wanted))


def _build_hits(
    rows: Sequence[Any], found: Sequence[Any], wanted: Sequence[Condition]
) -> Sliced[tuple[Hit, ...]]:
    """Return the hits of a page in the order of `rows`.

    This is one piece of sliced work, because a pause for each hit would cost as much as its
    snippet.
    """
    hits = {}
    asked: dict[str, tuple[Runs, Runs]] = {}
    for row in found:
        snippet = (yield from _build_snippet(row, wanted, asked)) if wanted else None
        times = row["first_seen_at"], row["fetched_at"]
        hits[row["id"]] = Hit(article_of(row), *times, snippet, row["group_id"])
        yield
    return tuple(hits[row["id"]] for row in rows if row["id"] in hits)


def _build_snippet(
    row: Any, wanted: Sequence[Condition], asked: dict[str, tuple[Runs, Runs]]
) -> Sliced[Snippet | None]:
    """Return a snippet of description and content, else of the title.

    Args:
        row: the article's row.
        wanted: the wanted conditions.
        asked: a cache of `wanted` by the rules of each language, for a text and for a title.
    """
    language = row["text_language"] or SIMPLE
    if language not in asked:
        asked[language] = (
            build_runs((one for one in wanted if one.field is Field.ANY), language),
            build_runs(wanted, language),
        )
    anywhere, anything = asked[language]
    return (yield from find_passage(row["body"], anywhere, language)) or (
        yield from find_passage(row["title"], anything, language)
    )

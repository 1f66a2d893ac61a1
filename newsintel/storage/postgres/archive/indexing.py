"""Indexes an article's texts: turns their words into lexemes here, not with PostgreSQL's parser.

So stored texts and queries follow the same rules (`tokens`, `folding`, `languages`, `lexemes`) on
every server. An article that must still be indexed has no `text_language`: its texts changed, or an
older version of newsintel wrote it.
"""

from collections.abc import Iterable, Sequence
from sys import getsizeof
from typing import Any

from attrs import fields, frozen

from newsintel.domain.bounds.sized_cache import SizedCache
from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.search.matching import choose_language, list_plain_words, prepare_text
from newsintel.domain.text.folding import fold_plain_name
from newsintel.domain.text.lexemes import AUTHOR, EXACT, MARKED
from newsintel.domain.text.parts import cut_at_spaces
from newsintel.storage.loop_turns import run_in_loop_turns
from newsintel.storage.postgres.pool import Connection, Postgres

TITLE_CHARS, DESCRIPTION_CHARS, CONTENT_CHARS, AUTHOR_CHARS = 2_000, 10_000, 100_000, 1_000
"""How many characters of each text are indexed, from its beginning."""

MOST_BYTES = 500_000
"""Largest size of an article's lexemes; PostgreSQL allows 1 MiB including their positions."""

MOST_PLACES = 255
"""Most positions of one lexeme: PostgreSQL stores no more."""

GAP = 10
"""Positions between two fields, so that no phrase spans two fields."""

SLICE_CHARS = 1_000
"""Characters that are indexed without a pause: 2 ms at most."""

TEXTS = (
    f"id, left(title, {TITLE_CHARS}) AS title, "
    f"left(description, {DESCRIPTION_CHARS}) AS description, "
    f"left(content, {CONTENT_CHARS}) AS content, left(author, {AUTHOR_CHARS}) AS author, "
    "publisher, language"
)
UNREAD = """
SELECT id, coalesce(length(description), 0) + coalesce(length(content), 0) AS chars FROM articles
WHERE text_language IS NULL ORDER BY id DESC LIMIT $1 FOR UPDATE SKIP LOCKED
"""
THESE = f"SELECT {TEXTS} FROM articles WHERE id = ANY($1::bigint[])"  # noqa: S608 - our own names
WRITE = """
UPDATE articles SET
    search = row.search::tsvector,
    text_language = row.text_language,
    publisher_key = row.publisher_key
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[])
    AS row (id, search, text_language, publisher_key)
WHERE articles.id = row.id
"""

BATCH_ROWS = 200
"""Articles that are indexed in one transaction: about 50 ms."""

BATCH_CHARS = 1_000_000
"""Most characters of a batch, unless its first article has more: about 1 s. The server ends a
transaction that is idle for five seconds."""

Indexed = tuple[str, str, str]
"""A tsvector as text, the language whose rules made it, and the publisher's name in plain form."""

RECENT_BYTES = 4 * 2**20


class PostgresIndexing:
    """Indexes articles that an older version wrote. Several processes may do this at once."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def index_batch(self) -> int:
        """Index up to BATCH_ROWS articles."""
        return await self._postgres.run(index_pending)


async def index_pending(connection: Connection) -> int:
    """Index up to BATCH_ROWS articles that must still be indexed; return how many there were."""
    async with connection.transaction():
        ids: list[int] = []
        chars = 0
        for row in await connection.fetch(UNREAD, BATCH_ROWS):
            chars += row["chars"]
            if ids and chars > BATCH_CHARS:
                break
            ids.append(row["id"])
        return await _write(connection, await connection.fetch(THESE, ids))


async def reindex_articles(connection: Connection, ids: Sequence[int]) -> None:
    """Index the texts of some articles again; the caller has opened the transaction."""
    if ids:
        await _write(connection, await connection.fetch(THESE, list(ids)))


@frozen
class Texts:
    """The texts of an article that are indexed, and its language."""

    title: str
    description: str | None
    content: str | None
    author: str | None
    publisher: str
    language: str | None


# A refresh of a search finds mostly the same articles: those of about twelve searches.
_recent: SizedCache[Texts, Indexed] = SizedCache(RECENT_BYTES)


async def index_articles(articles: Iterable[Texts]) -> list[Indexed]:
    """Return what the index stores of each article. Other tasks run in between.

    All articles are one run: a pause for each would take longer than indexing it.
    """
    return await run_in_loop_turns(_index_in_slices(articles))


async def _write(connection: Connection, rows: Sequence[Any]) -> int:
    if rows:
        words = await index_articles(Texts(**{name: row[name] for name in _NAMES}) for row in rows)
        found = [(row["id"], *more) for row, more in zip(rows, words, strict=True)]
        await connection.execute(WRITE, *map(list, zip(*found, strict=True)))
    return len(rows)


_NAMES = [one.name for one in fields(Texts)]


def _index_in_slices(articles: Iterable[Texts]) -> Sliced[list[Indexed]]:
    found = []
    for texts in articles:
        indexed = _recent.get(texts)
        if indexed is None:
            search, language = yield from _build_vector(texts)
            indexed = search, language, fold_plain_name(texts.publisher)
            given = (texts.title, texts.description, texts.content, texts.author)
            _recent.put(texts, indexed, sum(map(getsizeof, (*given, *indexed))))
        found.append(indexed)
        yield
    return found


def _build_vector(texts: Texts) -> Sliced[tuple[str, str]]:
    language = choose_language(texts.language, texts.title, texts.description)
    vector = _Vector(language)
    yield from vector.add(texts.title[:TITLE_CHARS], "A")
    yield from vector.add((texts.description or "")[:DESCRIPTION_CHARS], "B")
    yield from vector.add((texts.content or "")[:CONTENT_CHARS], "C")
    vector.add_author((texts.author or "")[:AUTHOR_CHARS])
    return vector.to_text(), language


class _Vector:
    """Builds a tsvector.

    The words come from the caches of `matching`: ranking has just read the same texts.
    """

    def __init__(self, language: str) -> None:
        self._language = language
        self._entries: dict[str, str] = {}  # each lexeme with its positions, as PostgreSQL reads it
        self._place = 0
        self._bytes = 0

    def add(self, text: str, weight: str) -> Sliced[None]:
        """Add a field's words."""
        for number, part in enumerate(cut_at_spaces(text, SLICE_CHARS)):
            if number:
                yield
            words = prepare_text(part, self._language)
            for some, plain, exact in words.list_words():
                self._place += 1
                self._put(some, f"{self._place}{weight}")
                if exact != plain:
                    self._note(EXACT + exact)
                    self._note(MARKED + plain)
        self._place += GAP

    def add_author(self, author: str) -> None:
        """Add the words of a name."""
        for place, word in enumerate(list_plain_words(author), 1):
            self._put(AUTHOR + word, str(place))

    def to_text(self) -> str:
        """Return the tsvector as PostgreSQL reads it.

        No word contains a quote, a backslash or a comma.
        """
        return " ".join(self._entries.values())

    def _put(self, some: str, place: str) -> None:
        entry = self._entries.get(some)
        if entry is not None:
            if entry.count(",") < MOST_PLACES - 1:
                self._entries[some] = f"{entry},{place}"
            return
        self._bytes += len(some.encode()) + 8
        if self._bytes <= MOST_BYTES:
            self._entries[some] = f"'{some}':{place}"

    def _note(self, some: str) -> None:
        """Add a lexeme without a position."""
        if some in self._entries:
            return
        self._bytes += len(some.encode()) + 8
        if self._bytes <= MOST_BYTES:
            self._entries[some] = f"'{some}'"

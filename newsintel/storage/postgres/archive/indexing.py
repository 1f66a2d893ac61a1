"""Indexes an article's texts: turns their words into lexemes here, not with PostgreSQL's parser.

So stored texts and queries follow the same rules (`tokens`, `folding`, `languages`, `lexemes`) on
every server. An article that must still be indexed has no `text_language`: its texts changed, or an
older version of newsintel wrote it.
"""

from collections.abc import Sequence
from typing import Any

from attrs import fields, frozen

from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.search.matching import choose_language
from newsintel.domain.text.folding import fold_plain_name
from newsintel.domain.text.lexemes import AUTHOR, EXACT, MARKED, make_lexeme
from newsintel.domain.text.parts import cut_at_spaces
from newsintel.domain.text.tokens import split_plain_words, split_words
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
UNREAD = f"""
SELECT {TEXTS} FROM articles
WHERE text_language IS NULL ORDER BY id DESC LIMIT $1 FOR UPDATE SKIP LOCKED
"""  # noqa: S608 - our own names
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

Indexed = tuple[str, str, str]
"""A tsvector as text, the language whose rules made it, and the publisher's name in plain form."""


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
        return await _write(connection, await connection.fetch(UNREAD, BATCH_ROWS))


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


async def index_article(texts: Texts) -> Indexed:
    """Return what the index stores of an article. Other tasks run in between."""
    search, language = await run_in_loop_turns(_build_vector(texts))
    return search, language, fold_plain_name(texts.publisher)


async def _write(connection: Connection, rows: Sequence[Any]) -> int:
    if rows:
        found = [
            (row["id"], *await index_article(Texts(**{name: row[name] for name in _NAMES})))
            for row in rows
        ]
        await connection.execute(WRITE, *map(list, zip(*found, strict=True)))
    return len(rows)


_NAMES = [one.name for one in fields(Texts)]


def _build_vector(texts: Texts) -> Sliced[tuple[str, str]]:
    language = choose_language(texts.language, texts.title, texts.description)
    vector = _Vector(language)
    yield from vector.add(texts.title[:TITLE_CHARS], "A")
    yield from vector.add((texts.description or "")[:DESCRIPTION_CHARS], "B")
    yield from vector.add((texts.content or "")[:CONTENT_CHARS], "C")
    vector.add_author((texts.author or "")[:AUTHOR_CHARS])
    return vector.to_text(), language


class _Vector:
    """Builds a tsvector."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._places: dict[str, list[str]] = {}
        self._place = 0
        self._bytes = 0

    def add(self, text: str, weight: str) -> Sliced[None]:
        """Add a field's words."""
        for number, part in enumerate(cut_at_spaces(text, SLICE_CHARS)):
            if number:
                yield
            if part.isascii():  # no word has diacritics, so none is checked
                for word in split_plain_words(part):
                    self._add_next(word, weight)
                continue
            for token in split_words(part):
                self._add_next(token.word, weight)
                if token.exact != token.word:
                    self._put(EXACT + token.exact)
                    self._put(MARKED + token.word)
        self._place += GAP

    def add_author(self, author: str) -> None:
        """Add the words of a name."""
        for place, token in enumerate(split_words(author), 1):
            self._put(AUTHOR + token.word, str(place))

    def to_text(self) -> str:
        """Return the tsvector as PostgreSQL reads it. No word contains a quote or a backslash."""
        return " ".join(
            f"'{some}':{','.join(places)}" if places else f"'{some}'"
            for some, places in self._places.items()
        )

    def _add_next(self, word: str, weight: str) -> None:
        self._place += 1
        self._put(make_lexeme(word, self._language), f"{self._place}{weight}")

    def _put(self, some: str, place: str | None = None) -> None:
        places = self._places.get(some)
        if places is None:
            self._bytes += len(some.encode()) + 8
            if self._bytes > MOST_BYTES:
                return
            places = self._places[some] = []
        if place is not None and len(places) < MOST_PLACES:
            places.append(place)

"""An archive query as a condition in SQL. What the person wrote travels as parameters; the SQL text holds only their numbers.

Words become tsqueries in PostgreSQL, by the rules of its own parser, before the condition is built: so stop words are known as such, and
all the words of an alternative become one tsquery, which one index answers.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from attrs import field, frozen

from newsintel.archive_model import ArchiveQuery, Condition, Field
from newsintel.errors import InvalidParameterError
from newsintel.storage.postgres.orders import CANDIDATES, READ_CANDIDATES
from newsintel.storage.postgres.tags import TAGS

AUTHOR = "(to_tsvector('simple', left(coalesce(author, ''), 1000)))"
"""The indexed expression for authors: names have no stop words and are not stemmed. A query must repeat it to the letter."""

PARSE = """
SELECT CASE WHEN phrase THEN phraseto_tsquery(config, words) ELSE plainto_tsquery(config, words) END::text
FROM unnest($1::text[]::regconfig[], $2::text[], $3::boolean[]) WITH ORDINALITY AS asked (config, words, phrase, place)
ORDER BY place
"""

_TEXT = (Field.ANY, Field.TITLE)
_WORDS = (*_TEXT, Field.AUTHOR)
# A word as PostgreSQL writes it in a tsquery: in quotes, with quotes and backslashes doubled inside.
_LEXEME = re.compile(r"'(?:[^'\\]|''|\\\\)*'")


@frozen
class Where:
    """A condition, and what there is to know of it.

    Attributes:
        sql: true of the articles wanted.
        values: its parameters, $1 on.
        words: the tsquery whose nearness to an article is its relevance; empty if no words are wanted.
        candidates: how many matches are to be ranked.
        narrow: every alternative asks for words, so the GIN index can find them.
    """

    sql: str
    values: tuple[object, ...]
    words: str
    candidates: int
    narrow: bool


@frozen
class _Builder:
    """Writes SQL and keeps its parameters; with `narrow`, for the GIN index, which knows sources and publishers as tags."""

    tsqueries: Mapping[Condition, str]
    narrow: bool
    values: list[object] = field(factory=list)

    def bind(self, value: object, kind: str) -> str:
        self.values.append(value)
        return f"${len(self.values)}::{kind}"

    def sources(self, names: Sequence[str]) -> str:
        if self.narrow:
            return f"{TAGS} && {self.bind(['s' + name for name in names], 'text[]')}"
        if len(names) == 1:  # only then is an index by source in the order of time
            return f"source = {self.bind(names[0], 'text')}"
        return f"source = ANY({self.bind(list(names), 'text[]')})"

    def publisher(self, name: str) -> str:
        bound = self.bind(name, "text")
        return f"{TAGS} @> ARRAY['p' || lower({bound})]" if self.narrow else f"lower(publisher) = lower({bound})"

    def words(self, conditions: Iterable[Condition]) -> str:
        """One tsquery in which all the conditions hold, as text; those on stop words alone count for nothing."""
        return " & ".join(("!" if one.negated else "") + f"({self.tsquery(one)})" for one in conditions if self.tsqueries[one])

    def tsquery(self, condition: Condition) -> str:
        """A condition's tsquery; one on the title alone asks for words of weight A, which only the title's have."""
        tsquery = self.tsqueries[condition]
        return _LEXEME.sub(r"\g<0>:A", tsquery) if condition.field is Field.TITLE else tsquery


def worded(query: ArchiveQuery) -> list[Condition]:
    """The query's conditions on words, in the order in which `where` wants them parsed."""
    return [one for alternative in query.alternatives for one in alternative if one.field in _WORDS]


def parse_arguments(conditions: Iterable[Condition]) -> tuple[list[str], list[str], list[bool]]:
    """The parameters of PARSE."""
    conditions = tuple(conditions)
    configs = ["simple" if one.field is Field.AUTHOR else "english" for one in conditions]
    return configs, [one.text for one in conditions], [one.phrase for one in conditions]


def where(query: ArchiveQuery, parsed: Sequence[str]) -> Where:
    """The condition of a query.

    Stop words count for nothing; an alternative that wants words, but stop words alone, matches nothing: left to itself, `the -cat` would
    match everything without a cat.

    Args:
        query: what is asked.
        parsed: a tsquery for each of `worded(query)`; empty where there are only stop words.

    Raises:
        InvalidParameterError: no alternative is left.
    """
    tsqueries = dict(zip(worded(query), parsed, strict=True))
    kept = [alternative for alternative in query.alternatives if not _only_stop_words(alternative, tsqueries)]
    if query.alternatives and not kept:
        raise InvalidParameterError("q", "only_stop_words", "q must hold a word that says something: `the`, `of` and their like do not.")
    narrow = bool(kept) and all(any(_wanted(one, _WORDS) and tsqueries[one] for one in each) for each in kept)
    builder = _Builder(tsqueries, narrow)
    sql = _filters(query, builder)
    if kept:
        sql.append(_alternatives(kept, builder))
    ranked = (builder.tsquery(one) for each in kept for one in each if _wanted(one, _TEXT) and tsqueries[one])
    words = " | ".join(f"({one})" for one in dict.fromkeys(ranked))
    read = any(one.phrase or one.field is Field.TITLE for one in tsqueries)
    return Where(" AND ".join(sql) or "true", tuple(builder.values), words, READ_CANDIDATES if read else CANDIDATES, narrow)


def _only_stop_words(alternative: Sequence[Condition], tsqueries: Mapping[Condition, str]) -> bool:
    wanted = [tsqueries[one] for one in alternative if _wanted(one, _TEXT)]
    return bool(wanted) and not any(wanted)


def _wanted(condition: Condition, fields: Sequence[Field]) -> bool:
    return condition.field in fields and not condition.negated


def _filters(query: ArchiveQuery, builder: _Builder) -> list[str]:
    """What holds for all alternatives. A known other language is left out, an unknown one is kept, as in a live search."""
    sql = []
    if query.sources:
        sql.append(builder.sources(query.sources))
    if query.publisher is not None:
        sql.append(builder.publisher(query.publisher))
    if query.language is not None:
        sql.append(f"(language IS NULL OR language = {builder.bind(query.language, 'text')})")
    if query.start is not None:
        sql.append(f"published_at >= {builder.bind(query.start, 'timestamptz')}")
    if query.end is not None:
        sql.append(f"published_at <= {builder.bind(query.end, 'timestamptz')}")
    return sql


def _alternatives(alternatives: Sequence[Sequence[Condition]], builder: _Builder) -> str:
    """One tsquery for all alternatives where they ask for words alone, else each by itself."""
    words = [builder.words(each) for each in alternatives if all(one.field in _TEXT for one in each)]
    if len(words) == len(alternatives) and all(words):  # an alternative that only excludes stop words has none: it holds for all
        together = " | ".join(f"({each})" for each in words)
        return f"search @@ {builder.bind(together, 'text')}::tsquery"
    return "(" + " OR ".join(f"({_alternative(each, builder)})" for each in alternatives) + ")"


def _alternative(alternative: Sequence[Condition], builder: _Builder) -> str:
    sql = []
    if words := builder.words(one for one in alternative if one.field in _TEXT):
        sql.append(f"search @@ {builder.bind(words, 'text')}::tsquery")
    sql += [("NOT " if one.negated else "") + f"({_other(one, builder)})" for one in alternative if one.field not in _TEXT]
    return " AND ".join(sql) or "true"


def _other(condition: Condition, builder: _Builder) -> str:
    if condition.field is Field.SOURCE:
        return builder.sources((condition.text,))
    if condition.field is Field.PUBLISHER:
        return builder.publisher(condition.text)
    return f"{AUTHOR} @@ {builder.bind(builder.tsqueries[condition], 'text')}::tsquery"

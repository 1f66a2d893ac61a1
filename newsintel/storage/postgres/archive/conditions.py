"""An archive query as a condition in SQL. What the person wrote travels as parameters; the SQL text holds only their numbers.

All the words of an alternative become one tsquery, which one index answers. Each text has its words by the rules of its language, so a
tsquery asks for the same words by the rules of every language that the archive holds: `en:elect | de:election`. What is optional in one
language (a function word) is left out for that language alone.
"""

from collections.abc import Iterable, Mapping, Sequence

from attrs import field, frozen

from newsintel.domain.archive.model import ArchiveQuery, Condition, Field
from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.search.matching import ONLY_STOP_WORDS, Run, essential, is_light, run, says_nothing
from newsintel.domain.text.folding import plain_name
from newsintel.domain.text.languages import SIMPLE
from newsintel.domain.text.lexemes import AUTHOR, EXACT, MARKED
from newsintel.errors import InvalidParameterError
from newsintel.storage.postgres.archive.lexemes import quoted
from newsintel.storage.postgres.archive.orders import CANDIDATES, READ_CANDIDATES
from newsintel.storage.postgres.archive.tags import TAGS

_TEXT = (Field.ANY, Field.TITLE)
_WORDS = (*_TEXT, Field.AUTHOR)


@frozen
class Where:
    """A condition, and what there is to know of it.

    Attributes:
        sql: true of the articles wanted.
        values: its parameters, $1 on.
        words: the tsquery whose nearness to an article is its relevance; empty if no words are wanted.
        exact: the tsquery that holds where the words are spelt as typed, marks included.
        wanted: the conditions of `words`, for the passages that show them.
        candidates: how many matches are to be ranked.
        narrow: every alternative asks for words, so the GIN index can find them.
    """

    sql: str
    values: tuple[object, ...]
    words: str
    exact: str
    wanted: tuple[Condition, ...]
    candidates: int
    narrow: bool


@frozen
class _Builder:
    """Writes SQL and keeps its parameters; with `narrow`, for the GIN index, which knows sources and publishers as tags."""

    languages: Sequence[str]
    narrow: bool
    tsqueries: Mapping[tuple[Condition, str], str] = field(factory=dict)
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
        bound = self.bind(plain_name(name), "text")
        return f"{TAGS} @> ARRAY['p' || {bound}]" if self.narrow else f"publisher_key = {bound}"


def understanding(query: ArchiveQuery, languages: Sequence[str]) -> Sliced[Where]:
    """The condition of a query.

    An alternative that wants function words alone, in lower case, matches nothing: left to itself, `the -cat` would match everything
    without a cat.

    Args:
        query: what is asked.
        languages: those by whose rules texts in the archive were read.

    Raises:
        InvalidParameterError: no alternative is left.
    """
    languages = languages or (SIMPLE,)
    kept = [alternative for alternative in query.alternatives if not _says_nothing(alternative, languages)]
    if query.alternatives and not kept:
        raise InvalidParameterError("q", "only_stop_words", ONLY_STOP_WORDS)
    narrow = bool(kept) and all(any(_wanted(one, _WORDS) for one in each) for each in kept)
    builder = _Builder(languages, narrow, (yield from _tsqueries(kept, languages)))
    sql = _filters(query, builder)
    if kept:
        sql.append(_alternatives(kept, builder))
    wanted = tuple(dict.fromkeys(one for each in kept for one in _asked_for(each)))
    yield
    words = _any(dict.fromkeys(builder.tsqueries[one, language] for one in wanted for language in languages))
    read = any(one.field is Field.TITLE or _in_a_row(one) for each in kept for one in each if one.field in _WORDS)
    return Where(
        sql=" AND ".join(sql) or "true",
        values=tuple(builder.values),
        words=words,
        exact=_any(_spelt(_asked_for(each)) for each in kept),
        wanted=wanted,
        candidates=READ_CANDIDATES if read else CANDIDATES,
        narrow=narrow,
    )


def _says_nothing(alternative: Sequence[Condition], languages: Sequence[str]) -> bool:
    """Whether words are wanted, but function words alone: of English, which people search in, or of every language that there is."""
    wanted = [one for one in alternative if _wanted(one, _TEXT)]
    return says_nothing(wanted) or (bool(wanted) and not any(essential(wanted, language) for language in languages))


def _asked_for(alternative: Sequence[Condition]) -> Sequence[Condition]:
    """The conditions that say what an alternative is about."""
    return essential([one for one in alternative if _wanted(one, _TEXT)], "en")


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
    words = [_words(each, builder) for each in alternatives]
    alone = all(one.field in _WORDS for each in alternatives for one in each)
    if alone and all(words):  # an alternative that only excludes function words has none: it holds for all
        return f"search @@ {builder.bind(_any(words), 'text')}::tsquery"
    return "(" + " OR ".join(f"({_alternative(each, some, builder)})" for each, some in zip(alternatives, words, strict=True)) + ")"


def _alternative(alternative: Sequence[Condition], words: str, builder: _Builder) -> str:
    sql = [f"search @@ {builder.bind(words, 'text')}::tsquery"] if words else []
    sql += [("NOT " if one.negated else "") + f"({_other(one, builder)})" for one in alternative if one.field not in _WORDS]
    return " AND ".join(sql) or "true"


def _other(condition: Condition, builder: _Builder) -> str:
    return builder.sources((condition.text,)) if condition.field is Field.SOURCE else builder.publisher(condition.text)


def _words(alternative: Sequence[Condition], builder: _Builder) -> str:
    """The tsquery of an alternative; empty if it asks for no words."""
    texts = [one for one in alternative if one.field in _TEXT]
    authors = [one for one in alternative if one.field is Field.AUTHOR]
    parts = [("!" if one.negated else "") + f"({_author(one)})" for one in authors]
    unwanted = [one for one in texts if one.negated and not is_light(one, "en")]
    if any(not one.negated for one in texts):
        parts.append(_any(dict.fromkeys(_by_rules_of(language, texts, unwanted, builder) for language in builder.languages)))
    else:
        parts += [f"!({_any(dict.fromkeys(builder.tsqueries[one, language] for language in builder.languages))})" for one in unwanted]
    return " & ".join(f"({part})" for part in parts if part)


def _by_rules_of(language: str, texts: Sequence[Condition], unwanted: Sequence[Condition], builder: _Builder) -> str:
    """What texts of one language must and must not have; empty if nothing is left that they must."""
    wanted = essential([one for one in texts if not one.negated], language)
    asked = [("", one) for one in wanted] + [("!", one) for one in unwanted if wanted]
    return " & ".join(f"{sign}({builder.tsqueries[one, language]})" for sign, one in asked)


def _tsqueries(alternatives: Sequence[Sequence[Condition]], languages: Sequence[str]) -> Sliced[dict[tuple[Condition, str], str]]:
    """The tsquery of each condition on texts by the rules of each language: most of the work, in slices."""
    found = {}
    for one in dict.fromkeys(one for each in alternatives for one in each if one.field in _TEXT):
        for language in languages:
            found[one, language] = _tsquery(one, language)
            yield
    return found


def _tsquery(condition: Condition, language: str) -> str:
    """A condition's tsquery by the rules of one language; one on the title alone asks for words of weight A, as only the title's have."""
    weight = "A" if condition.field is Field.TITLE else ""
    return _in_order(_run(condition.text, language), weight)


def _author(condition: Condition) -> str:
    found = _run(condition.text, SIMPLE)
    return " <-> ".join(quoted(AUTHOR + word) for word in found.words)


def _in_order(found: Run, weight: str) -> str:
    *before, last = found.lexemes
    marks = f":{'*' if found.prefix else ''}{weight}" if found.prefix or weight else ""
    return " <-> ".join([quoted(one) + (f":{weight}" if weight else "") for one in before] + [quoted(last) + marks])


def _spelt(conditions: Iterable[Condition]) -> str:
    """Holds where every word is spelt as typed: with its marks, or none with marks for one without."""
    parts = []
    for one in conditions:
        found = _run(one.text, SIMPLE)
        for word, exact in zip(found.words, found.exact, strict=True):
            parts.append(quoted(EXACT + exact) if word != exact else f"!{quoted(MARKED + word)}")
    return " & ".join(dict.fromkeys(parts))


def _in_a_row(condition: Condition) -> bool:
    return len(_run(condition.text, SIMPLE).words) > 1


def _run(text: str, language: str) -> Run:
    """A term as a run; the grammar lets none through that has no letter and no digit."""
    found = run(text, language)
    return Run(("",), prefix=False, words=("",), exact=("",)) if found is None else found


def _any(tsqueries: Iterable[str]) -> str:
    return " | ".join(f"({one})" for one in tsqueries if one)

"""Turns an archive query into a condition in SQL.

What the person wrote becomes parameters; the SQL contains only their numbers.

All words of an alternative become one tsquery, which one index answers. Each text is indexed by the
rules of its language. So a tsquery asks for the same words by the rules of every language in the
archive: `en:elect | de:election`. A word that is optional in one language (a function word) is left
out only for that language.
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
    """A condition in SQL, and what ranking and snippets need.

    Attributes:
        sql: the condition; true for matching articles.
        values: its parameters, from $1.
        words: the tsquery that ranks an article by relevance; empty if no words are wanted.
        exact: the tsquery that matches if the words are spelt as typed, diacritics included.
        wanted: the conditions of `words`, for the snippets.
        candidates: how many matches are ranked.
        narrow: every alternative asks for words, so the GIN index can find the matches.
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
    """Writes SQL and collects its parameters.

    With `narrow` the SQL is for the GIN index, which holds sources and publishers as tags.
    """

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
        if len(names) == 1:  # only then does the index by source give the order of time
            return f"source = {self.bind(names[0], 'text')}"
        return f"source = ANY({self.bind(list(names), 'text[]')})"

    def publisher(self, name: str) -> str:
        bound = self.bind(plain_name(name), "text")
        return f"{TAGS} @> ARRAY['p' || {bound}]" if self.narrow else f"publisher_key = {bound}"


def understanding(query: ArchiveQuery, languages: Sequence[str]) -> Sliced[Where]:
    """Return the condition of a query.

    An alternative whose only wanted words are function words in lower case is left out: otherwise
    `the -cat` would match every article without a cat.

    Args:
        query: the query.
        languages: the languages by whose rules the archive's texts were indexed.

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
    """Return True if all wanted words are function words.

    This is true for function words of English, because people search in English, and for words that
    are function words in every language of the archive.
    """
    wanted = [one for one in alternative if _wanted(one, _TEXT)]
    return says_nothing(wanted) or (bool(wanted) and not any(essential(wanted, language) for language in languages))


def _asked_for(alternative: Sequence[Condition]) -> Sequence[Condition]:
    """Return the conditions that say what an alternative is about."""
    return essential([one for one in alternative if _wanted(one, _TEXT)], "en")


def _wanted(condition: Condition, fields: Sequence[Field]) -> bool:
    return condition.field in fields and not condition.negated


def _filters(query: ArchiveQuery, builder: _Builder) -> list[str]:
    """Return the conditions that apply to all alternatives.

    As in a live search, articles in another known language are left out, and articles without a
    known language are kept.
    """
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
    """Return one tsquery if all alternatives ask only for words, else one condition for each."""
    words = [_words(each, builder) for each in alternatives]
    alone = all(one.field in _WORDS for each in alternatives for one in each)
    # An alternative that only excludes function words has no tsquery: it matches all articles.
    if alone and all(words):
        return f"search @@ {builder.bind(_any(words), 'text')}::tsquery"
    return "(" + " OR ".join(f"({_alternative(each, some, builder)})" for each, some in zip(alternatives, words, strict=True)) + ")"


def _alternative(alternative: Sequence[Condition], words: str, builder: _Builder) -> str:
    sql = [f"search @@ {builder.bind(words, 'text')}::tsquery"] if words else []
    sql += [("NOT " if one.negated else "") + f"({_other(one, builder)})" for one in alternative if one.field not in _WORDS]
    return " AND ".join(sql) or "true"


def _other(condition: Condition, builder: _Builder) -> str:
    return builder.sources((condition.text,)) if condition.field is Field.SOURCE else builder.publisher(condition.text)


def _words(alternative: Sequence[Condition], builder: _Builder) -> str:
    """Return the tsquery of an alternative; empty if it asks for no words."""
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
    """Return the tsquery for texts in one language; empty if no wanted word is left."""
    wanted = essential([one for one in texts if not one.negated], language)
    asked = [("", one) for one in wanted] + [("!", one) for one in unwanted if wanted]
    return " & ".join(f"{sign}({builder.tsqueries[one, language]})" for sign, one in asked)


def _tsqueries(alternatives: Sequence[Sequence[Condition]], languages: Sequence[str]) -> Sliced[dict[tuple[Condition, str], str]]:
    """Return the tsquery of each condition on texts by the rules of each language.

    This is most of the work, so it is done in slices.
    """
    found = {}
    for one in dict.fromkeys(one for each in alternatives for one in each if one.field in _TEXT):
        for language in languages:
            found[one, language] = _tsquery(one, language)
            yield
    return found


def _tsquery(condition: Condition, language: str) -> str:
    """Return a condition's tsquery by the rules of one language.

    A condition on the title asks for words of weight A: only the title's words have it.
    """
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
    """Return the tsquery that matches if every word has exactly the diacritics that were typed."""
    parts = []
    for one in conditions:
        found = _run(one.text, SIMPLE)
        for word, exact in zip(found.words, found.exact, strict=True):
            parts.append(quoted(EXACT + exact) if word != exact else f"!{quoted(MARKED + word)}")
    return " & ".join(dict.fromkeys(parts))


def _in_a_row(condition: Condition) -> bool:
    return len(_run(condition.text, SIMPLE).words) > 1


def _run(text: str, language: str) -> Run:
    """Return a term as a run. The grammar refuses terms without a letter or digit."""
    found = run(text, language)
    return Run(("",), prefix=False, words=("",), exact=("",)) if found is None else found


def _any(tsqueries: Iterable[str]) -> str:
    return " | ".join(f"({one})" for one in tsqueries if one)

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
from newsintel.domain.search.matching import (
    STOP_WORDS_MESSAGE,
    Run,
    build_run,
    has_only_function_words,
    is_function_word_term,
    select_essential,
)
from newsintel.domain.text.folding import fold_plain_name
from newsintel.domain.text.languages import SIMPLE
from newsintel.domain.text.lexemes import AUTHOR, EXACT, MARKED
from newsintel.errors import InvalidParameterError
from newsintel.storage.postgres.archive.lexemes import quote_lexeme
from newsintel.storage.postgres.archive.orders import CANDIDATES, READ_CANDIDATES
from newsintel.storage.postgres.archive.tags import TAGS

_TEXT = (Field.ANY, Field.TITLE)
_WORDS = (*_TEXT, Field.AUTHOR)


@frozen
class SqlCondition:
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

    def match_sources(self, names: Sequence[str]) -> str:
        if self.narrow:
            return f"{TAGS} && {self.bind(['s' + name for name in names], 'text[]')}"
        if len(names) == 1:  # only then does the index by source give the order of time
            return f"source = {self.bind(names[0], 'text')}"
        return f"source = ANY({self.bind(list(names), 'text[]')})"

    def match_publisher(self, name: str) -> str:
        bound = self.bind(fold_plain_name(name), "text")
        return f"{TAGS} @> ARRAY['p' || {bound}]" if self.narrow else f"publisher_key = {bound}"


def build_condition(query: ArchiveQuery, languages: Sequence[str]) -> Sliced[SqlCondition]:
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
    kept = [
        alternative
        for alternative in query.alternatives
        if not _has_only_function_words(alternative, languages)
    ]
    if query.alternatives and not kept:
        raise InvalidParameterError("q", "only_stop_words", STOP_WORDS_MESSAGE)
    narrow = bool(kept) and all(any(_is_wanted(one, _WORDS) for one in each) for each in kept)
    builder = _Builder(languages, narrow, (yield from _build_tsqueries(kept, languages)))
    sql = _build_filters(query, builder)
    if kept:
        sql.append(_build_alternatives(kept, builder))
    wanted = tuple(dict.fromkeys(one for each in kept for one in _select_wanted(each)))
    yield
    words = _join_with_or(
        dict.fromkeys(builder.tsqueries[one, language] for one in wanted for language in languages)
    )
    read = any(
        one.field is Field.TITLE or _is_phrase(one)
        for each in kept
        for one in each
        if one.field in _WORDS
    )
    return SqlCondition(
        sql=" AND ".join(sql) or "true",
        values=tuple(builder.values),
        words=words,
        exact=_join_with_or(_build_exact_query(_select_wanted(each)) for each in kept),
        wanted=wanted,
        candidates=READ_CANDIDATES if read else CANDIDATES,
        narrow=narrow,
    )


def _has_only_function_words(alternative: Sequence[Condition], languages: Sequence[str]) -> bool:
    """Return True if all wanted words are function words.

    This is true for function words of English, because people search in English, and for words that
    are function words in every language of the archive.
    """
    wanted = [one for one in alternative if _is_wanted(one, _TEXT)]
    return has_only_function_words(wanted) or (
        bool(wanted) and not any(select_essential(wanted, language) for language in languages)
    )


def _select_wanted(alternative: Sequence[Condition]) -> Sequence[Condition]:
    """Return the conditions that say what an alternative is about."""
    return select_essential([one for one in alternative if _is_wanted(one, _TEXT)], "en")


def _is_wanted(condition: Condition, fields: Sequence[Field]) -> bool:
    return condition.field in fields and not condition.negated


def _build_filters(query: ArchiveQuery, builder: _Builder) -> list[str]:
    """Return the conditions that apply to all alternatives.

    As in a live search, articles in another known language are left out, and articles without a
    known language are kept.
    """
    sql = []
    if query.sources:
        sql.append(builder.match_sources(query.sources))
    if query.publisher is not None:
        sql.append(builder.match_publisher(query.publisher))
    if query.language is not None:
        sql.append(f"(language IS NULL OR language = {builder.bind(query.language, 'text')})")
    if query.start is not None:
        sql.append(f"published_at >= {builder.bind(query.start, 'timestamptz')}")
    if query.end is not None:
        sql.append(f"published_at <= {builder.bind(query.end, 'timestamptz')}")
    return sql


def _build_alternatives(alternatives: Sequence[Sequence[Condition]], builder: _Builder) -> str:
    """Return one tsquery if all alternatives ask only for words, else one condition for each."""
    words = [_build_words_query(each, builder) for each in alternatives]
    alone = all(one.field in _WORDS for each in alternatives for one in each)
    # An alternative that only excludes function words has no tsquery: it matches all articles.
    if alone and all(words):
        return f"search @@ {builder.bind(_join_with_or(words), 'text')}::tsquery"
    either = " OR ".join(
        f"({_build_alternative(each, some, builder)})"
        for each, some in zip(alternatives, words, strict=True)
    )
    return f"({either})"


def _build_alternative(alternative: Sequence[Condition], words: str, builder: _Builder) -> str:
    sql = [f"search @@ {builder.bind(words, 'text')}::tsquery"] if words else []
    sql += [
        ("NOT " if one.negated else "") + f"({_build_outlet_condition(one, builder)})"
        for one in alternative
        if one.field not in _WORDS
    ]
    return " AND ".join(sql) or "true"


def _build_outlet_condition(condition: Condition, builder: _Builder) -> str:
    return (
        builder.match_sources((condition.text,))
        if condition.field is Field.SOURCE
        else builder.match_publisher(condition.text)
    )


def _build_words_query(alternative: Sequence[Condition], builder: _Builder) -> str:
    """Return the tsquery of an alternative; empty if it asks for no words."""
    texts = [one for one in alternative if one.field in _TEXT]
    authors = [one for one in alternative if one.field is Field.AUTHOR]
    parts = [("!" if one.negated else "") + f"({_build_author_query(one)})" for one in authors]
    unwanted = [one for one in texts if one.negated and not is_function_word_term(one, "en")]
    languages = builder.languages
    if any(not one.negated for one in texts):
        queries = (
            _build_language_query(language, texts, unwanted, builder) for language in languages
        )
        parts.append(_join_with_or(dict.fromkeys(queries)))
    else:
        for one in unwanted:
            words = dict.fromkeys(builder.tsqueries[one, language] for language in languages)
            parts.append(f"!({_join_with_or(words)})")
    return " & ".join(f"({part})" for part in parts if part)


def _build_language_query(
    language: str, texts: Sequence[Condition], unwanted: Sequence[Condition], builder: _Builder
) -> str:
    """Return the tsquery for texts in one language; empty if no wanted word is left."""
    wanted = select_essential([one for one in texts if not one.negated], language)
    asked = [("", one) for one in wanted] + [("!", one) for one in unwanted if wanted]
    return " & ".join(f"{sign}({builder.tsqueries[one, language]})" for sign, one in asked)


def _build_tsqueries(
    alternatives: Sequence[Sequence[Condition]], languages: Sequence[str]
) -> Sliced[dict[tuple[Condition, str], str]]:
    """Return the tsquery of each condition on texts by the rules of each language.

    This is most of the work, so it is done in slices.
    """
    found = {}
    for one in dict.fromkeys(one for each in alternatives for one in each if one.field in _TEXT):
        for language in languages:
            found[one, language] = _build_tsquery(one, language)
            yield
    return found


def _build_tsquery(condition: Condition, language: str) -> str:
    """Return a condition's tsquery by the rules of one language.

    A condition on the title asks for words of weight A: only the title's words have it.
    """
    weight = "A" if condition.field is Field.TITLE else ""
    return _build_phrase_query(_parse_run(condition.text, language), weight)


def _build_author_query(condition: Condition) -> str:
    found = _parse_run(condition.text, SIMPLE)
    return " <-> ".join(quote_lexeme(AUTHOR + word) for word in found.words)


def _build_phrase_query(found: Run, weight: str) -> str:
    *before, last = found.lexemes
    marks = f":{'*' if found.prefix else ''}{weight}" if found.prefix or weight else ""
    return " <-> ".join(
        [quote_lexeme(one) + (f":{weight}" if weight else "") for one in before]
        + [quote_lexeme(last) + marks]
    )


def _build_exact_query(conditions: Iterable[Condition]) -> str:
    """Return the tsquery that matches if every word has exactly the diacritics that were typed."""
    parts = []
    for one in conditions:
        found = _parse_run(one.text, SIMPLE)
        for word, exact in zip(found.words, found.exact, strict=True):
            parts.append(
                quote_lexeme(EXACT + exact) if word != exact else f"!{quote_lexeme(MARKED + word)}"
            )
    return " & ".join(dict.fromkeys(parts))


def _is_phrase(condition: Condition) -> bool:
    return len(_parse_run(condition.text, SIMPLE).words) > 1


def _parse_run(text: str, language: str) -> Run:
    """Return a term as a run. The grammar refuses terms without a letter or digit."""
    found = build_run(text, language)
    return Run(("",), prefix=False, words=("",), exact=("",)) if found is None else found


def _join_with_or(tsqueries: Iterable[str]) -> str:
    return " | ".join(f"({one})" for one in tsqueries if one)

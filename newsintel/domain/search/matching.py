"""Matches texts against queries word by word, like the index of the archive.

Live scores, topics and the lists of a person use it. A term matches as a run of lexemes (`lexemes`)
of the text's language. The match is weaker (NEAR_MATCH) if query and text differ in their marks, so
that an exact spelling comes first.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Protocol, TypeVar

from attrs import field, frozen

from newsintel.domain.bounds.sized_cache import memoize
from newsintel.domain.search.article import Article
from newsintel.domain.search.query_model import Clause, Term
from newsintel.domain.text import tokens
from newsintel.domain.text.languages import (
    detect_by_words,
    find_stemming_language,
    is_function_word,
)
from newsintel.domain.text.lexemes import make_lexeme
from newsintel.domain.text.tokens import WordToken

NEAR_MATCH = 0.9
"""The value of a match that differs only in its marks. A judgement: the loss is smaller than that
of any whole word."""

STOP_WORDS_MESSAGE = (
    "q must hold a word that says something: "
    "`the`, `of` and the like need a capital letter, or a phrase in quotes."
)

DETECTION_CHARS = 2_000
"""Characters of a description that are used to detect its language. Only imported descriptions are
longer."""

_BETWEEN = "\0"
_AND_EXACTLY = "\1"
"""Separators between words and between two lists of words. No word contains them."""


class TypedTerm(Protocol):
    """What a person typed: a `Term`, or a `Condition` of an archive query."""

    @property
    def text(self) -> str:
        """Unquoted."""
        ...

    @property
    def phrase(self) -> bool:
        """Whether it was quoted."""
        ...


T = TypeVar("T", bound=TypedTerm)


@frozen
class Run:
    """The words of a term in a row, by the rules of one language.

    Attributes:
        lexemes: at least one.
        prefix: the last lexeme matches the start of a word: a single letter of a script without
            spaces.
        words: the words in their plain form.
        exact: the words with their marks; equal to `words` if there are none.
        as_lexemes, as_words, as_typed: the same three as strings to find in `PreparedText`.
    """

    lexemes: tuple[str, ...]
    prefix: bool
    words: tuple[str, ...]
    exact: tuple[str, ...]
    as_lexemes: str = field(init=False)
    as_words: str = field(init=False)
    as_typed: str = field(init=False)

    def __attrs_post_init__(self) -> None:
        # Computed once: each string is searched for in hundreds of texts.
        for name, some in (
            ("as_lexemes", self.lexemes),
            ("as_words", self.words),
            ("as_typed", self.exact),
        ):
            object.__setattr__(self, name, _join_padded(some, open_ended=self.prefix))

    @property
    def has_marks(self) -> bool:
        """Whether it was typed with marks."""
        return self.as_typed != self.as_words


@frozen
class PreparedText:
    """A text to search: its words, separated by _BETWEEN.

    Attributes:
        lexemes: the words as lexemes.
        plain: the words in their plain form.
        exact: the words with their marks; None if there are none.
    """

    lexemes: str
    plain: str
    exact: str | None

    def list_words(self) -> Iterable[tuple[str, str, str]]:
        """Return the lexeme, the plain and the exact form of each word, in order."""
        plain = _split_padded(self.plain)
        exact = plain if self.exact is None else _split_padded(self.exact)
        return zip(_split_padded(self.lexemes), plain, exact, strict=True)

    def match_run(self, run: Run) -> float:
        """Return how well a run matches, 0..1."""
        if run.as_lexemes not in self.lexemes:
            return 0.0
        if run.has_marks:
            return 1.0 if self.exact is not None and run.as_typed in self.exact else NEAR_MATCH
        if self.exact is None or run.as_typed in self.exact:
            return 1.0
        return NEAR_MATCH if run.as_words in self.plain else 1.0

    def find_run(self, run: Run) -> int:
        """Return how many words stand before a run that matches."""
        return self.lexemes.count(_BETWEEN, 0, self.lexemes.index(run.as_lexemes))

    def list_places(self, run: Run, most: int) -> list[int]:
        """Return how many words stand before each occurrence of a run, at most some of them."""
        places: list[int] = []
        at = words = 0
        while len(places) < most and (found := self.lexemes.find(run.as_lexemes, at)) >= 0:
            words += self.lexemes.count(_BETWEEN, at, found)
            places.append(words)
            words, at = words + 1, found + 1
        return places


@frozen
class PreparedQuery:
    """The alternatives of a query, prepared for texts in any language."""

    clauses: tuple[Clause, ...]
    _read: dict[str, tuple["Alternative", ...]] = field(factory=dict, init=False, eq=False)

    def get_alternatives(self, language: str) -> tuple["Alternative", ...]:
        """Return the alternatives by the rules of one language, without those that become empty."""
        found = self._read.get(language)
        if found is None:
            read = []
            for one in self.clauses:
                wanted = build_runs(select_essential(one.wanted, language), language)
                if wanted or not one.wanted:
                    read.append(Alternative(wanted, build_runs(one.unwanted, language)))
            found = self._read[language] = tuple(read)
        return found

    def matches(self, texts: Sequence["PreparedText"], language: str) -> bool:
        """Whether an alternative matches: all it wants is in some text, nothing excluded in any."""
        return any(
            all(any(text.match_run(run) for text in texts) for run in one.wanted)
            and not any(text.match_run(run) for text in texts for run in one.unwanted)
            for one in self.get_alternatives(language)
        )


@frozen
class PreparedTopics:
    """Words or phrases of a person's topics, prepared for texts in any language."""

    texts: tuple[str, ...]
    _read: dict[str, tuple["Run", ...]] = field(factory=dict, init=False, eq=False)

    def matches(self, article: Article) -> bool:
        """Whether an article's title, description or section has at least one of them."""
        if not self.texts:
            return False
        language = choose_article_language(article)
        wanted = self._read.get(language)
        if wanted is None:
            wanted = self._read[language] = build_runs(
                (Term(text) for text in self.texts), language
            )
        looked_in = [
            prepare_text(text, language)
            for text in (article.title, article.description, article.section)
            if text
        ]
        return any(words.match_run(run) for words in looked_in for run in wanted)


@frozen
class Alternative:
    """Runs that a text must have, and those that it must not have."""

    wanted: tuple[Run, ...]
    unwanted: tuple[Run, ...]


def build_runs(terms: Iterable[TypedTerm], language: str) -> tuple[Run, ...]:
    """Turn terms into runs. Terms without a word are dropped."""
    found = (build_run(term.text, language) for term in terms)
    return tuple(one for one in found if one is not None)


def build_run(text: str, language: str) -> Run | None:
    """Turn a word or phrase, as typed, into a run of lexemes; None if it has no word."""
    kept, prefix = _select_words(_split_term(text))
    if not kept:
        return None
    words = tuple(one.word for one in kept)
    return Run(
        tuple(make_lexeme(word, language) for word in words),
        prefix,
        words,
        tuple(one.exact for one in kept),
    )


def select_essential(terms: Sequence[T], language: str) -> Sequence[T]:
    """Return those wanted terms that a text must have.

    Function words are dropped beside other terms: `the economy` is about the economy. On their own
    they count if any has a capital letter or is a phrase: IT, More, "The Who". In lower case
    nothing is left: ().
    """
    kept = [term for term in terms if not is_function_word_term(term, language)]
    if kept or not any(term.text != term.text.lower() for term in terms):
        return kept
    return terms


def has_only_function_words(terms: Sequence[TypedTerm]) -> bool:
    """Whether the terms are only function words, and at least one."""
    return bool(terms) and not select_essential(terms, "en")


def is_function_word_term(term: TypedTerm, language: str) -> bool:
    """Whether a term is a bare function word. One in capitals may be a name, so it is not."""
    if term.phrase or (len(term.text) > 1 and term.text.isupper()):
        return False
    found = _split_term(term.text)
    return len(found) == 1 and is_function_word(language, found[0].word, found[0].exact)


def choose_article_language(article: Article) -> str:
    """Return the language whose rules apply to an article."""
    return choose_language(article.language, article.title, article.description)


def choose_language(code: str | None, title: str, description: str | None) -> str:
    """Return the language whose rules apply to a text.

    It is the given one (ISO 639-1) if known, else it is detected from the words.
    """
    known = find_stemming_language(code)
    return detect_language(title, description) if known is None else known


def detect_language(title: str, description: str | None) -> str:
    """Detect the language of a title and a description."""
    return _detect_joined(
        join_plain_words(title) + join_plain_words((description or "")[:DETECTION_CHARS])
    )


def prepare_text(text: str, language: str) -> PreparedText:
    """Prepare a text for matching."""
    plain, _, exact = _join_spellings(text).partition(_AND_EXACTLY)
    return PreparedText(_join_lexemes(f"{language}{_BETWEEN}{plain}"), plain, exact or None)


def join_plain_words(text: str) -> str:
    """Return the plain words of a text, with _BETWEEN between them and at both ends."""
    return _join_spellings(text).partition(_AND_EXACTLY)[0]


def list_plain_words(text: str) -> list[str]:
    """Return the plain words of a text, in order."""
    return _split_padded(join_plain_words(text))


# Every merge of a search and every person's view of it read the same texts. The cache holds those
# of about eight searches.
@memoize(max_bytes=5 * 2**20)
def _join_spellings(text: str) -> str:
    """Return the plain words of a text; if any has marks, also _AND_EXACTLY and the exact words."""
    words = tokens.split_english_words(text)
    if words is not None:
        return _join_padded(words)
    found = list(tokens.split_words(text))
    plain, exact = (
        _join_padded([one.word for one in found]),
        _join_padded([one.exact for one in found]),
    )
    return plain if plain == exact else f"{plain}{_AND_EXACTLY}{exact}"


@memoize(max_bytes=4 * 2**20)
def _join_lexemes(text: str) -> str:
    language, _, *words, _ = text.split(_BETWEEN)
    return _join_padded([make_lexeme(word, language) for word in words])


@memoize(max_bytes=4 * 2**20)
def _detect_joined(text: str) -> str:
    return detect_by_words(text.split(_BETWEEN))


def _join_padded(words: Sequence[str], *, open_ended: bool = False) -> str:
    return _BETWEEN + _BETWEEN.join(words) + ("" if open_ended or not words else _BETWEEN)


def _split_padded(words: str) -> list[str]:
    return words.split(_BETWEEN)[1:-1]


# The terms of a query are read by the rules of every language, and for every text found.
@lru_cache(maxsize=128)
def _split_term(term: str) -> tuple[WordToken, ...]:
    return tuple(tokens.split_words(term))


def _select_words(found: Sequence[WordToken]) -> tuple[Sequence[WordToken], bool]:
    """Return the words to look for, and whether the last one matches as a prefix.

    The index stores the last letter of a run as a word, so that a single letter is found. After its
    pairs it adds nothing.
    """
    if not found or not found[-1].last:
        return found, False
    alone = len(found) == 1 or not found[-2].unspaced or found[-2].last
    return (found, True) if alone else (found[:-1], False)

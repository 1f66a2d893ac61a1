"""Whether a text has what was asked for, word by word as the archive's index has it: for live scores, topics and people's own lists.

A term is found as a run of lexemes (`lexemes`) of the text's language. What is asked for with marks, or found with marks though asked for
without, is found less well (NEAR), so that an exact spelling comes first.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Protocol, TypeVar

from attrs import field, frozen

from newsintel.domain.bounds.sized_cache import remembered
from newsintel.domain.search.article import Article
from newsintel.domain.search.query_model import Clause, Term
from newsintel.domain.text import tokens
from newsintel.domain.text.languages import detect, is_function_word, stemming_language
from newsintel.domain.text.lexemes import lexeme
from newsintel.domain.text.tokens import Token

NEAR = 0.9
"""How well a word is found that differs in its marks alone. A judgement: less than any whole word more or less."""

ONLY_STOP_WORDS = "q must hold a word that says something: `the`, `of` and the like need a capital letter, or a phrase in quotes."

TELLING_CHARS = 2_000
"""Of a description, from which a language is told: all of it, but for one that was imported."""

_BETWEEN = "\0"
_AND_EXACTLY = "\1"
"""Stand between words and between two lists of them; no word has either."""


class Typed(Protocol):
    """What a person typed: a `Term`, or a `Condition` of an archive query."""

    @property
    def text(self) -> str:
        """Unquoted."""
        ...

    @property
    def phrase(self) -> bool:
        """Whether it was quoted."""
        ...


T = TypeVar("T", bound=Typed)


@frozen
class Run:
    """A term's words in a row, by the rules of one language.

    Attributes:
        lexemes: at least one.
        prefix: the last one need only begin a word: a single letter of a script without spaces.
        words: the same in their plain form.
        exact: with their marks; as `words` if there are none.
        as_lexemes, as_words, as_typed: the three as they are looked for in `Words`.
    """

    lexemes: tuple[str, ...]
    prefix: bool
    words: tuple[str, ...]
    exact: tuple[str, ...]
    as_lexemes: str = field(init=False)
    as_words: str = field(init=False)
    as_typed: str = field(init=False)

    def __attrs_post_init__(self) -> None:
        # Once, since each is looked for in hundreds of texts.
        for name, some in (("as_lexemes", self.lexemes), ("as_words", self.words), ("as_typed", self.exact)):
            object.__setattr__(self, name, _padded(some, open_ended=self.prefix))

    @property
    def marked(self) -> bool:
        """True if it was typed with marks."""
        return self.as_typed != self.as_words


@frozen
class Words:
    """A text to look in: its words between _BETWEEN, as lexemes, in their plain form, and with their marks (None if there are none)."""

    lexemes: str
    plain: str
    exact: str | None

    def find(self, run: Run) -> float:
        """How well a run is found, 0..1."""
        if run.as_lexemes not in self.lexemes:
            return 0.0
        if run.marked:
            return 1.0 if self.exact is not None and run.as_typed in self.exact else NEAR
        if self.exact is None or run.as_typed in self.exact:
            return 1.0
        return NEAR if run.as_words in self.plain else 1.0


@frozen
class Asked:
    """Alternatives of a query, ready to be looked for in texts of any language."""

    clauses: tuple[Clause, ...]
    _read: dict[str, tuple["Alternative", ...]] = field(factory=dict, init=False, eq=False)

    def alternatives(self, language: str) -> tuple["Alternative", ...]:
        """The alternatives by the rules of one language; those in which nothing is left are not among them."""
        found = self._read.get(language)
        if found is None:
            read = [
                (one, Alternative(runs(essential(one.wanted, language), language), runs(one.unwanted, language))) for one in self.clauses
            ]
            found = self._read[language] = tuple(alternative for one, alternative in read if alternative.wanted or not one.wanted)
        return found

    def holds(self, texts: Sequence["Words"], language: str) -> bool:
        """Whether some texts together have all that one of the alternatives wants, and nothing that it excludes."""
        return any(
            all(any(text.find(run) for text in texts) for run in one.wanted)
            and not any(text.find(run) for text in texts for run in one.unwanted)
            for one in self.alternatives(language)
        )


@frozen
class Topics:
    """Words or runs of words of which a text may have one, in any language."""

    texts: tuple[str, ...]
    _read: dict[str, tuple["Run", ...]] = field(factory=dict, init=False, eq=False)

    def of(self, article: Article) -> bool:
        """Whether an article's title, description or section has one of them."""
        if not self.texts:
            return False
        language = language_of(article)
        wanted = self._read.get(language)
        if wanted is None:
            wanted = self._read[language] = runs((Term(text) for text in self.texts), language)
        looked_in = [words_of(text, language) for text in (article.title, article.description, article.section) if text]
        return any(words.find(run) for words in looked_in for run in wanted)


@frozen
class Alternative:
    """Runs that a text must have, and those that it must not have."""

    wanted: tuple[Run, ...]
    unwanted: tuple[Run, ...]


def runs(terms: Iterable[Typed], language: str) -> tuple[Run, ...]:
    """Each term as a run; a term without a word is left out."""
    found = (run(term.text, language) for term in terms)
    return tuple(one for one in found if one is not None)


def run(text: str, language: str) -> Run | None:
    """A word or phrase, as typed, as a run of lexemes; None if it has no word."""
    kept, prefix = _looked_for(_tokens(text))
    if not kept:
        return None
    words = tuple(one.word for one in kept)
    return Run(tuple(lexeme(word, language) for word in words), prefix, words, tuple(one.exact for one in kept))


def essential(terms: Sequence[T], language: str) -> Sequence[T]:
    """The terms that a text must have, of those wanted together.

    Function words are not asked for beside others: `the economy` is about the economy. By themselves they are, if any has a capital
    letter or they are a phrase: IT, More, "The Who". In lower case they are none: ().
    """
    kept = [term for term in terms if not is_light(term, language)]
    if kept or not any(term.text != term.text.lower() for term in terms):
        return kept
    return terms


def says_nothing(terms: Sequence[Typed]) -> bool:
    """Whether terms are wanted, but function words alone."""
    return bool(terms) and not essential(terms, "en")


def is_light(term: Typed, language: str) -> bool:
    """Whether a term is a bare function word; one in capitals alone may be a name."""
    if term.phrase or (len(term.text) > 1 and term.text.isupper()):
        return False
    found = _tokens(term.text)
    return len(found) == 1 and is_function_word(language, found[0].word, found[0].exact)


def language_of(article: Article) -> str:
    """The language by whose rules an article is compared."""
    return text_language(article.language, article.title, article.description)


def text_language(code: str | None, title: str, description: str | None) -> str:
    """The language by whose rules a text is compared: its own if that is known (ISO 639-1), else what its words tell."""
    known = stemming_language(code)
    return told_language(title, description) if known is None else known


def told_language(title: str, description: str | None) -> str:
    """The language that title and description tell."""
    return _told(plain_words(title) + plain_words((description or "")[:TELLING_CHARS]))


def words_of(text: str, language: str) -> Words:
    """A text to look in."""
    plain, _, exact = _spelt(text).partition(_AND_EXACTLY)
    return Words(_lexemes(f"{language}{_BETWEEN}{plain}"), plain, exact or None)


def plain_words(text: str) -> str:
    """The words of a text in their plain form, _BETWEEN them and at both ends."""
    return _spelt(text).partition(_AND_EXACTLY)[0]


# Each text is looked at by every merge of its search, and by every person's view of it: those of some eight searches are remembered.
@remembered(max_bytes=5 * 2**20)
def _spelt(text: str) -> str:
    """The words of a text in their plain form; if any has marks, then also _AND_EXACTLY and all of them with their marks."""
    if text.isascii():
        return _padded(tokens.plain_words(text))
    found = list(tokens.tokens(text))
    plain, exact = _padded([one.word for one in found]), _padded([one.exact for one in found])
    return plain if plain == exact else f"{plain}{_AND_EXACTLY}{exact}"


@remembered(max_bytes=4 * 2**20)
def _lexemes(text: str) -> str:
    language, _, *words, _ = text.split(_BETWEEN)
    return _padded([lexeme(word, language) for word in words])


@remembered(max_bytes=4 * 2**20)
def _told(text: str) -> str:
    return detect(text.split(_BETWEEN))


def _padded(words: Sequence[str], *, open_ended: bool = False) -> str:
    return _BETWEEN + _BETWEEN.join(words) + ("" if open_ended or not words else _BETWEEN)


# A query's terms are read by the rules of every language that there is, and for every text that is found.
@lru_cache(maxsize=128)
def _tokens(term: str) -> tuple[Token, ...]:
    return tuple(tokens.tokens(term))


def _looked_for(found: Sequence[Token]) -> tuple[Sequence[Token], bool]:
    """The words to look for, and whether the last need only begin one.

    The last letter of a run stands in the index for itself, so that it is found alone; behind its neighbours it says nothing new.
    """
    if not found or not found[-1].last:
        return found, False
    alone = len(found) == 1 or not found[-2].unspaced or found[-2].last
    return (found, True) if alone else (found[:-1], False)

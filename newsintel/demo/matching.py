"""The query languages of the APIs: one parser with a dialect for each, and text folding.

The differences (NewsAPI's and the Guardian's documentation, Reddit's behaviour):

- NewsAPI: adjacent words must all occur; AND OR NOT, parentheses, "phrases", +must and -not.
- Guardian: adjacent words are alternatives; AND binds tighter; negation is `AND NOT`; a hyphen does
  not negate.
- Reddit: adjacent words must all occur; AND OR NOT, parentheses, "phrases" and -not.
- GDELT: adjacent words must all occur; OR in parentheses, "phrases" and -not.
- Hacker News: adjacent words must all occur; "phrases" and -not, no operators.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Protocol

from attrs import field, frozen

_TOKENS = re.compile(r'(?P<sign>[+-]?)(?:"(?P<phrase>[^"]*)"?|(?P<paren>[()])|(?P<word>[^\s()"]+))')
_TAGS = re.compile(r"<[^>]*>")
_WORDS = re.compile(r"\w+")
MAX_NESTED = 100
"""Brackets and negations in a query. Each uses three calls of Python's recursion limit of 1,000."""
_OPERATORS = frozenset({"AND", "OR", "NOT"})


@frozen
class Dialect:
    """A query language.

    Attributes:
        between: the operator between two adjacent words.
        signs: the signs that it knows.
        operators: the words that are operators.
    """

    between: str
    signs: str
    operators: frozenset[str] = _OPERATORS


NEWSAPI = Dialect(between="AND", signs="+-")
GUARDIAN = Dialect(between="OR", signs="")
REDDIT = Dialect(between="AND", signs="-")
GDELT = Dialect(between="AND", signs="-", operators=frozenset({"OR"}))
HACKER_NEWS = Dialect(between="AND", signs="-", operators=frozenset())


@lru_cache(maxsize=8192)
def fold_text(text: str) -> str:
    """Fold text for comparison: lower-case words, each between spaces, without tags and plural s.

    The APIs' search engines stem words; removing the plural s is enough for a demo. The results are
    cached, because the rows of a story and of a theme share most of their text.
    """
    plain = (
        unicodedata.normalize("NFKC", _TAGS.sub(" ", text))
        .casefold()
        .replace("\u2019", "")
        .replace("'", "")
    )
    return "".join(f" {_strip_plural(word)} " for word in _WORDS.findall(plain))


def _strip_plural(word: str) -> str:
    return (
        word[:-1]
        if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "news"))
        else word
    )


class Expression(Protocol):
    """A parsed query."""

    def matches(self, text: str) -> bool:
        """Return whether folded text matches."""

    def list_needles(self) -> tuple[str, ...]:
        """Return the folded words and phrases, without negated ones."""


@frozen
class Has:
    """A word or phrase."""

    needle: str

    def matches(self, text: str) -> bool:
        """Return whether the words occur next to each other."""
        return self.needle in text

    def list_needles(self) -> tuple[str, ...]:
        """Return itself."""
        return (self.needle,)


@frozen
class Without:
    """A negation."""

    part: Expression

    def matches(self, text: str) -> bool:
        """Return the opposite of the part."""
        return not self.part.matches(text)

    def list_needles(self) -> tuple[str, ...]:
        """Return nothing."""
        return ()


@frozen
class Every:
    """Several parts; all must match."""

    parts: tuple[Expression, ...]

    def matches(self, text: str) -> bool:
        """Return whether all parts match."""
        return all(part.matches(text) for part in self.parts)

    def list_needles(self) -> tuple[str, ...]:
        """Return the words and phrases of all parts."""
        return tuple(needle for part in self.parts for needle in part.list_needles())


@frozen
class Either(Every):
    """Several parts; one must match."""

    def matches(self, text: str) -> bool:
        """Return whether any part matches."""
        return any(part.matches(text) for part in self.parts)


def parse_query(query: str, dialect: Dialect) -> Expression:
    """Parse a query as the API of that dialect does. Open brackets and quotes close at the end.

    A query without words finds nothing. So does one with over MAX_NESTED brackets and negations.
    """
    parser = _Parser(dialect)
    parser.tokenize(query)
    nested = sum(token in ("(", "NOT") for token in parser.tokens)
    return Either(()) if nested > MAX_NESTED else parser.parse_alternatives() or Either(())


@frozen
class _Parser:
    """Recursive descent over tokens: operators, brackets, and the folded words of a `Has` each."""

    dialect: Dialect
    tokens: list[str] = field(factory=list)

    def tokenize(self, query: str) -> None:
        for match in _TOKENS.finditer(query):
            if match["sign"] == "-" and "-" in self.dialect.signs:
                self.tokens.append("NOT")
            literal = match["paren"] or (
                match["word"]
                if match["word"] in self.dialect.operators and not match["sign"]
                else None
            )
            token = literal or fold_text(match["phrase"] or match["word"] or "")
            if token:
                self.tokens.append(token)

    def parse_alternatives(self) -> Expression | None:
        """Parse groups with OR between them (or nothing, if that means OR in the dialect)."""
        parts = []
        while self.tokens and self.tokens[0] != ")":
            if self.tokens[0] == "OR":
                self.tokens.pop(0)
                continue
            part = self.parse_group()
            if part:
                parts.append(part)
        return Either(tuple(parts)) if parts else None

    def parse_group(self) -> Expression | None:
        """Parse parts with AND between them (or nothing, if that means AND in the dialect)."""
        parts = [self.parse_part()]
        while self.tokens and self.tokens[0] not in ("OR", ")"):
            if self.tokens[0] == "AND":
                self.tokens.pop(0)
            elif self.dialect.between == "OR":
                break
            parts.append(self.parse_part())
        found = tuple(part for part in parts if part)
        return Every(found) if found else None

    def parse_part(self) -> Expression | None:
        """Parse a word, a phrase, a bracket, or the negation of one."""
        piece = self.tokens.pop(0) if self.tokens and self.tokens[0] != ")" else ""
        if piece == "NOT":
            part = self.parse_part()
            return Without(part) if part else None
        if piece == "(":
            inner = self.parse_alternatives()
            del self.tokens[:1]
            return inner
        return Has(piece) if piece and piece not in _OPERATORS else None

"""The query languages of the three APIs: one parser, three dialects, and the text they are matched against.

What tells them apart (NewsAPI's and the Guardian's documentation, Reddit's behaviour):

- NewsAPI: words in a row are all wanted; AND OR NOT, parentheses, "phrases", +must and -not.
- Guardian: words in a row are alternatives; AND binds tighter; negation is spelt `AND NOT`; a hyphen negates nothing.
- Reddit: words in a row are all wanted; AND OR NOT, parentheses, "phrases" and -not.
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
"""Brackets and negations in one query; each costs the parser three calls of Python's thousand."""
_OPERATORS = frozenset({"AND", "OR", "NOT"})


@frozen
class Dialect:
    """How a query language differs from the others: what stands between two bare words, and which signs it knows."""

    between: str
    signs: str


NEWSAPI = Dialect(between="AND", signs="+-")
GUARDIAN = Dialect(between="OR", signs="")
REDDIT = Dialect(between="AND", signs="-")


@lru_cache(maxsize=8192)
def fold(text: str) -> str:
    """Text as it is compared: words in lower case with a space on either side of each, without tags and without a plural s.

    The APIs' search engines stem words; leaving off the plural is enough of that for a demonstration. Remembered, because the copies of a
    story and the reports on a theme have most of their text in common.
    """
    plain = unicodedata.normalize("NFKC", _TAGS.sub(" ", text)).casefold().replace("\u2019", "").replace("'", "")
    return "".join(f" {_singular(word)} " for word in _WORDS.findall(plain))


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "news")) else word


class Expression(Protocol):
    """A parsed query."""

    def holds(self, text: str) -> bool:
        """True if folded text satisfies it."""

    def wanted(self) -> tuple[str, ...]:
        """The folded words and phrases that it looks for, negated ones left out."""


@frozen
class Has:
    """A word or phrase."""

    needle: str

    def holds(self, text: str) -> bool:
        """The words in a row, anywhere."""
        return self.needle in text

    def wanted(self) -> tuple[str, ...]:
        """Itself."""
        return (self.needle,)


@frozen
class Without:
    """A negation."""

    part: Expression

    def holds(self, text: str) -> bool:
        """The opposite."""
        return not self.part.holds(text)

    def wanted(self) -> tuple[str, ...]:
        """Nothing."""
        return ()


@frozen
class Every:
    """Several parts, all needed."""

    parts: tuple[Expression, ...]

    def holds(self, text: str) -> bool:
        """All of them."""
        return all(part.holds(text) for part in self.parts)

    def wanted(self) -> tuple[str, ...]:
        """What all of them look for."""
        return tuple(needle for part in self.parts for needle in part.wanted())


@frozen
class Either(Every):
    """Several parts, of which one is enough."""

    def holds(self, text: str) -> bool:
        """Any of them."""
        return any(part.holds(text) for part in self.parts)


def parse(query: str, dialect: Dialect) -> Expression:
    """Read a query as the API of that dialect does. Brackets and quotes left open are closed at the end.

    A query without any word finds nothing, nor does one nested beyond reason.
    """
    parser = _Parser(dialect)
    parser.read(query)
    nested = sum(token in ("(", "NOT") for token in parser.tokens)
    return Either(()) if nested > MAX_NESTED else parser.alternatives() or Either(())


@frozen
class _Parser:
    """Recursive descent over tokens; a token is an operator, a bracket, or the folded words of one `Has`."""

    dialect: Dialect
    tokens: list[str] = field(factory=list)

    def read(self, query: str) -> None:
        for match in _TOKENS.finditer(query):
            if match["sign"] == "-" and "-" in self.dialect.signs:
                self.tokens.append("NOT")
            literal = match["paren"] or (match["word"] if match["word"] in _OPERATORS and not match["sign"] else None)
            token = literal or fold(match["phrase"] or match["word"] or "")
            if token:
                self.tokens.append(token)

    def alternatives(self) -> Expression | None:
        """One group after another, with OR (or, where the dialect says so, nothing) between them."""
        parts = []
        while self.tokens and self.tokens[0] != ")":
            if self.tokens[0] == "OR":
                self.tokens.pop(0)
                continue
            part = self.group()
            if part:
                parts.append(part)
        return Either(tuple(parts)) if parts else None

    def group(self) -> Expression | None:
        """Parts with AND (or, where the dialect says so, nothing) between them."""
        parts = [self.part()]
        while self.tokens and self.tokens[0] not in ("OR", ")"):
            if self.tokens[0] == "AND":
                self.tokens.pop(0)
            elif self.dialect.between == "OR":
                break
            parts.append(self.part())
        found = tuple(part for part in parts if part)
        return Every(found) if found else None

    def part(self) -> Expression | None:
        """A word, a phrase, a bracket, or the negation of one."""
        piece = self.tokens.pop(0) if self.tokens and self.tokens[0] != ")" else ""
        if piece == "NOT":
            part = self.part()
            return Without(part) if part else None
        if piece == "(":
            inner = self.alternatives()
            del self.tokens[:1]
            return inner
        return Has(piece) if piece and piece not in _OPERATORS else None

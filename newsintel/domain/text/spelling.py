"""Splits a query into words and syntax: quotes, dashes, parentheses and operators of all keyboards.

Unicode's property Quotation_Mark decides what a quotation mark is, so people may type a phrase as
"…", “…”, „…“, «…», »…«, ‹…›, ＂…＂, 「…」 or 『…』. Apostrophes are part of their word. Only the
curly ‘…’ around whole words is a phrase.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator
from enum import Enum, auto

from attrs import frozen

# Grouped by kind: a phrase ends at the next mark of the kind that began it.
_STRAIGHT, _CURLY = '"＂', "“”„‟〝〞〟⹂"
_KINDS = (_STRAIGHT, _CURLY, "«»", "‹›", "「」｢｣﹁﹂", "『』﹃﹄")
_MARKS = "".join(_KINDS)
# These only close a phrase. All others open one in some language: Swedish has ”…”, Danish »…«.
_CLOSING_ONLY = "」｣﹂』﹄〞〟"
# One phrase may mix a typed straight mark and the curly mark of a word processor.
_ALSO_CLOSED_BY = {_STRAIGHT: _CURLY, _CURLY: _STRAIGHT}

DASHES = "-‐‑‒–—―−－﹣﹘"
"""Characters that people type as a hyphen, a dash or a minus."""
_OPEN, _CLOSE = "(（﹙", ")）﹚"

# Hebrew writes acronyms with a mark inside the word, before its last letter: צה"ל, or before an
# ending: דו"חות. After a single letter the mark opens a phrase: ב"הארץ החדשה", since Hebrew writes
# prepositions together with the next word.
_HEBREW = "א-ת\u0591-\u05c7\ufb1d-\ufb4f"
_GERSHAYIM = (
    rf'(?:(?<=[{_HEBREW}])["“”„](?=[{_HEBREW}](?![{_HEBREW}]))'
    rf'|(?<=[{_HEBREW}]{{2}})["“”„](?=[{_HEBREW}]))'
)

_MARK = re.compile(rf"(?!{_GERSHAYIM})[{_MARKS}]")
# ‘…’ and ‚…‘ begin before a word and end after one. The mark is an apostrophe if a digit follows
# (‘90s) or if the closing mark is missing (‘tis).
_SINGLE_MARKS = "‘‚‛"
_SINGLE = re.compile(
    rf"[{_SINGLE_MARKS}](?![\d\s])([^{_MARKS}]*?[^\s{_MARKS}])"
    rf"[’‘](?=[\s{_MARKS}{_CLOSE}.,;:!?…]|\Z)"
)
_EMOTICON = r"(?<!\S)[:;=]['’-]?[()]+(?!\S)"
_IDLE = re.compile(rf"(?:\s|[{_CLOSING_ONLY}]|{_EMOTICON})*")
_PREFIX = re.compile(
    rf"(?P<before>[{DASHES}]*)(?:(?P<field>[^\W\d_]+)[:：﹕](?P<after>[{DASHES}]*)(?=[^\s{_CLOSE}]))?"
)
_RUN = re.compile(rf"(?:[^\s{_MARKS}{_OPEN}{_CLOSE}]|{_GERSHAYIM})+")
# Parentheses that open and close inside a word: f(x), C(2), 東京（日本）, also nested once.
_INNER = re.compile(
    rf"[{_OPEN}](?:[^\s{_MARKS}{_OPEN}{_CLOSE}]"
    rf"|[{_OPEN}][^\s{_MARKS}{_OPEN}{_CLOSE}]*[{_CLOSE}])*[{_CLOSE}]"
)


class LexemeKind(Enum):
    """The kind of a lexeme."""

    WORD = auto()
    """A word or a phrase."""
    OPEN = auto()
    CLOSE = auto()
    AND = auto()
    OR = auto()
    NOT = auto()


_OPERATORS = {"AND": LexemeKind.AND, "OR": LexemeKind.OR, "NOT": LexemeKind.NOT}


@frozen
class Lexeme:
    """A piece of a query.

    Attributes:
        text: the word or phrase, as typed but unquoted; "" for all other kinds.
        field: the name before its colon, or None.
        excluded: a dash precedes it.
        quoted: it is in quotation marks.
    """

    kind: LexemeKind
    text: str = ""
    field: str | None = None
    excluded: bool = False
    quoted: bool = False


def split_lexemes(text: str, fields: Collection[str] = ()) -> Iterator[Lexeme]:
    """Yield the pieces of a query, in order.

    Args:
        text: from `grammar.tidy_query`.
        fields: the names that may precede a colon, in any case. Every other colon is part of its
            word.
    """
    at = 0
    while (at := _find_match_end(_IDLE, text, at)) < len(text):
        lexeme, at = _read_lexeme(text, at, fields)
        if lexeme is not None:
            yield lexeme


def write_lexeme(text: str, *, quoted: bool = False) -> str:
    """Return a word or phrase so that it parses again as the same lexeme, quoted only if needed.

    Args:
        text: the text of a lexeme.
        quoted: use quotes in any case.
    """
    bare = (
        not quoted
        and text[:1] not in _SINGLE_MARKS
        and [*split_lexemes(text)] == [Lexeme(LexemeKind.WORD, text)]
    )
    return text if bare else f'"{text}"'


def _read_lexeme(text: str, start: int, fields: Collection[str]) -> tuple[Lexeme | None, int]:
    """Return the lexeme at a position, None for punctuation without meaning, and its end."""
    dashes, field, at = _read_prefix(text, start, fields)
    if at == start and text[at] in _CLOSE:
        return Lexeme(LexemeKind.CLOSE), at + 1
    # Dashes without a word after them.
    if at == len(text) or text[at].isspace() or text[at] in _CLOSE + _CLOSING_ONLY:
        return None, at
    if text[at] in _OPEN:
        return Lexeme(LexemeKind.OPEN, "", field, dashes), at + 1
    quoted = True
    if text[at] in _MARKS:
        words, end = _read_phrase(text, at)
    elif single := _SINGLE.match(text, at):
        words, end = single[1], single.end()
    else:
        quoted = False
        end = _find_word_end(text, at)
        words = text[at:end]
        if at == start and (operator := _find_operator(words)):
            return Lexeme(operator), end
    return Lexeme(LexemeKind.WORD, words, field, dashes, quoted), end


def _read_prefix(text: str, start: int, fields: Collection[str]) -> tuple[bool, str | None, int]:
    """Return whether dashes exclude the next piece, its field, and where it begins.

    Dashes exclude only at the beginning of a word: not in `a-b`, not in `"a"-b`.
    """
    match = _PREFIX.match(text, start)
    assert match is not None  # noqa: S101 - it matches the empty text
    apart = start == 0 or text[start - 1].isspace() or text[start - 1] in _OPEN
    excluded = apart and bool(match["before"])
    name = unicodedata.normalize("NFKC", match["field"] or "").lower()
    if name in fields:
        return excluded or bool(match["after"]), name, match.end()
    return excluded, None, match.end("before")


def _read_phrase(text: str, start: int) -> tuple[str, int]:
    """Return the phrase after a quotation mark, without marks, and its end.

    Without a closing mark it ends with the text.
    """
    kind = next(kind for kind in _KINDS if text[start] in kind)
    end = len(text)
    for mark in _MARK.finditer(text, start + 1):
        if mark[0] in kind:
            end = mark.start()
            break
        if end == len(text) and mark[0] in _ALSO_CLOSED_BY.get(kind, ""):
            end = mark.start()
    return _strip_quotes(text[start + 1 : end]), min(end + 1, len(text))


def _strip_quotes(text: str) -> str:
    return " ".join(_MARK.sub(" ", text).split())


def _find_word_end(text: str, start: int) -> int:
    """Return where a word ends. An operator ends before a parenthesis: `NOT(a)` has a group."""
    end = _find_match_end(_RUN, text, start)
    while not _find_operator(text[start:end]) and (inner := _INNER.match(text, end)):
        end = _find_match_end(_RUN, text, inner.end())
    return end


def _find_operator(word: str) -> LexemeKind | None:
    return _OPERATORS.get(unicodedata.normalize("NFKC", word))


def _find_match_end(pattern: re.Pattern[str], text: str, start: int) -> int:
    """Return the end of the match at a position, or the position itself without a match."""
    match = pattern.match(text, start)
    return start if match is None else match.end()

"""Removes the outlet's name from a headline: "Title - BBC News" becomes "Title".

NewsAPI's top stories end with the outlet's name. About half of the recorded ones spell it
differently from `source.name`, so a comparison for equality is not enough. A tail is removed only
if there is evidence that it names this outlet; for "Spider-Man - the return" there is none.
"""

import re

from attrs import evolve

from newsintel.domain.text.clean import fold
from newsintel.outbound.sources.outlet_names import (
    DOMAIN,
    Outlet,
    describe_outlet,
    is_exact_name,
    is_longer_name,
    learn_name,
)
from newsintel.outbound.sources.outlet_words import is_lower_case, is_speech

_EAST_ASIAN = "[\u2e80-\u9fff\uac00-\ud7af\uff00-\uffef]"
_BARS = "|\uff5c\uff1a\u2502\u00a6_\u2022\u00b7\u30fb\u00bb\u203a"
# All separators between headlines and outlets that occur: bars, bullets and underscores with or
# without spaces; dashes without spaces only in East Asian text. They also occur within headlines,
# so the text after most of them must be exactly the outlet's name.
_SEPARATOR = re.compile(
    rf"\s?[{_BARS}]+"
    r"|\s[-\u2013\u2014\u2015:/~<]+(?=\s)"
    rf"|(?<={_EAST_ASIAN})[-\u2013\u2014\u2015\uff0d]+(?={_EAST_ASIAN})"
)
_LOOSE = re.compile(r"\s[-\u2013\u2014|]+\s")
"""These separate names that are longer or shorter than the outlet's label."""
_BAR = re.compile(rf"\s?[{_BARS}]+\s?")
_CLOSING = {")": "(", "\uff09": "\uff08", "]": "[", "\u3011": "\u3010", "\uff3d": "\uff3b"}
_OPENING = {opening: closing for closing, opening in _CLOSING.items()}
_ANY_SIGN = re.compile(
    "[-\u2013\u2014\u2015|\uff5c\uff1a\u2502\u00a6_\u2022\u00b7\u30fb\u00bb\u203a:/~<\uff0d"
    r")\uff09\]\u3011\uff3d]"
)
"""Each name of an outlet comes with one of these; most headlines have none."""
_CONTENT = re.compile(r"[^\W_]")
_DASHES = " -\u2013\u2014|\u2022:"
_MOST_SEPARATORS = 3
"""Separators that are tried, from the end of a headline: a name may contain some itself."""
_MOST_WORDS = 6  # the longest outlet recorded has five words
_MOST_CHARS = 80


def strip_outlet(title: str, *, publisher: str, host: str, author: str | None) -> str:
    """Return a headline without the names of its outlet at the end and the beginning.

    The result has a letter or a digit if the title has one.

    Args:
        title: plain text.
        publisher: the source's name for the outlet, e.g. `Www.rtl.be`, `Google News`.
        host: of the article's URL.
        author: as the source gives it. Google News has the outlet here; its name may contain a
            separator.
    """
    if not _ANY_SIGN.search(title):
        return title
    outlet = describe_outlet(host, publisher)
    separators = list(_SEPARATOR.finditer(title))
    end = len(title)
    while True:
        if author and (head := _cut_author(title[:end], author)) is not None:
            end, outlet = len(head), evolve(outlet, vouched=None)
        elif (place := _find_tail(title, end, separators, outlet)) is not None:
            outlet = learn_name(outlet, title[place:end])
            end = len(title[:place].rstrip())
        else:
            return _cut_beginning(title[:end], outlet)
        while separators and separators[-1].end() >= end:
            separators.pop()


def _cut_author(title: str, author: str) -> str | None:
    """Return the headline before its author's name, or None if it does not end with it.

    The name is compared and not compiled: a new pattern takes longer than all else in this file.
    """
    start = len(title) - len(author)
    if start <= 0 or title[start:].casefold() != author.casefold():
        return None
    before = title[:start].rstrip()
    if len(before) == start or before[-1:] not in tuple("-\u2013\u2014|"):
        return None
    head = before[:-1].rstrip()
    return head if len(head) < len(before) - 1 and _CONTENT.search(head) else None


def _find_tail(title: str, end: int, separators: list[re.Match[str]], outlet: Outlet) -> int | None:
    """Return where the outlet's name begins, with its separator; None if there is none."""
    for number, separator in enumerate(separators[: -_MOST_SEPARATORS - 1 : -1]):
        tail = title[separator.end() : end].strip()
        if len(tail) > _MOST_CHARS:
            break
        if _names_outlet(
            tail, title[separator.start() : separator.end() + 1], outlet, last=number == 0
        ) and _CONTENT.search(title, 0, separator.start()):
            return separator.start()
    closing = title[end - 1 : end]
    if opening := _CLOSING.get(closing):
        start = title.rfind(opening, max(0, end - _MOST_CHARS), end)
        if start > 0 and is_exact_name(title[start + 1 : end - 1], outlet):
            place = len(title[:start].rstrip(_DASHES))
            return place if _CONTENT.search(title, 0, place) else None
    return None


def _cut_beginning(title: str, outlet: Outlet) -> str:
    """Return a headline without its outlet's exact name before a bar, or in brackets."""
    while True:
        rest = ""
        if closing := _OPENING.get(title[:1]):
            inner, found, after = title[1:_MOST_CHARS].partition(closing)
            if found and is_exact_name(inner, outlet):
                rest = (after + title[_MOST_CHARS:]).lstrip(_DASHES)
        elif (bar := _BAR.search(title, 0, _MOST_CHARS)) and is_exact_name(
            title[: bar.start()], outlet
        ):
            rest = title[bar.end() :].lstrip()
        if not _CONTENT.search(rest):
            return title
        title = rest


def _names_outlet(tail: str, separator: str, outlet: Outlet, *, last: bool) -> bool:
    """Return whether the text after a separator names the outlet.

    Behind a dash, a name without capitals is a word (`'I was shaking' - star`), unless the outlet
    writes itself so.
    """
    if not (
        _BAR.match(separator)
        or tail in outlet.spelled
        or DOMAIN.fullmatch(tail)
        or not is_lower_case(tail)
    ):
        return False
    if is_exact_name(tail, outlet):
        return True
    fits = last and _LOOSE.fullmatch(separator) and 0 < len(tail.split()) <= _MOST_WORDS
    if not fits or is_speech(tail):
        return False
    foreign = outlet.vouched and not tail[0].islower() and outlet.vouched.fullmatch(fold(tail))
    return bool(foreign) or is_longer_name(tail, outlet)

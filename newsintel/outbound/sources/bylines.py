"""Reads a byline: the names of authors, without addresses, roles and the outlet."""

import re

from newsintel.domain.text.clean import fold

# Data instead of a name; all recorded. RSS 2.0 has authors as `mail@example.org (Name)`.
_DATA = re.compile(r"[{}\[\]]|\A\(.*\)\Z")
_MAIL_AND_NAME = re.compile(r"(?:mailto:)?[^\s@,;|<>()]+@[^\s@,;|<>()]+\s*\(([^()@]*)\)")
_BY = re.compile(r"(?:by(?::\s*|\s+)(?=\S))+", re.IGNORECASE)
_SPLIT = re.compile(r"\s*[,;|]\s*")
# What follows a name and a comma: the last word of a role, or a degree.
_ROLE = re.compile(
    r"(?:.*\s)?(?:contributors?|staff|writer|editor|correspondent|reporter|columnist|journalist|"
    r"freelancer|author|cfa|cfp|cpa|md|m\.d\.?|phd|ph\.d\.?)",
    re.IGNORECASE,
)


def read_byline(author: str | None, publisher: str) -> str | None:
    """Return the names in an author's field, separated by commas; None if there is none.

    A byline that is only a role or the outlet stays: `Reuters Staff`.

    Args:
        author: plain text.
        publisher: the outlet, which many bylines name after the author.
    """
    if author is None or _DATA.search(author):
        return None
    shown = _MAIL_AND_NAME.sub(r"\1", author)
    given = _SPLIT.split(shown)
    parts = [part for part in map(_drop_addresses, given) if part]
    outlet = fold(publisher).removeprefix("the ")
    names = [
        part
        for part in parts
        if not _ROLE.fullmatch(part) and fold(part).removeprefix("the ") != outlet
    ]
    unique = list({fold(part): part for part in reversed(names or parts)}.values())[::-1]
    return (shown if unique == given else ", ".join(unique)) or None


def _drop_addresses(part: str) -> str:
    """Return a part of a byline without web and mail addresses, handles and a leading `By`."""
    given = part.split()
    words = [word for word in given if not _is_address(word)]
    name = " ".join(words)
    # What stood around an address goes with it.
    name = name if len(words) == len(given) else name.strip("<>() ")
    match = _BY.match(name)
    shown = name[match.end() :] if match else name
    return shown if shown == part else _drop_addresses(shown)  # `By:www.` hides an address


def _is_address(word: str) -> bool:
    return "@" in word or "://" in word or word.lstrip("<>()").lower().startswith("www.")

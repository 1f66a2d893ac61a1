"""Removes the outlet's name from the end of a headline: "Title - BBC News" becomes "Title".

NewsAPI's top stories end with the outlet's name. About half of the recorded ones spell it
differently from `source.name`, so a comparison for equality is not enough. A tail is removed only
if there is evidence that it names this outlet; for "Spider-Man - the return" there is none.
"""

import re
import unicodedata
from functools import lru_cache

from newsintel.domain.text.clean import fold

# The last separator between spaces; hyphens within words do not count.
_TAIL = re.compile(r"(?P<head>.*\S)\s+[-\u2013\u2014|]\s+(?P<tail>\S.*)", re.DOTALL)
_EAST_ASIAN = "[\u2e80-\u9fff\uac00-\ud7af\uff00-\uffef]"
# All separators between headlines and outlets that occur: bars, bullets and underscores with or
# without spaces; dashes without spaces only in East Asian text. They also occur within headlines,
# so the text after them must be exactly the outlet's name.
_SEPARATOR = re.compile(
    r"\s*[|\uff5c\uff1a\u2502\u00a6_\u2022\u00b7\u30fb\u00bb\u203a]+\s*"
    r"|\s+[-\u2013\u2014\u2015:/~<]+\s+"
    rf"|(?<={_EAST_ASIAN})[-\u2013\u2014\u2015\uff0d]+(?={_EAST_ASIAN})"
)
_ANY_SEPARATOR = re.compile(
    "[-\u2013\u2014\u2015|\uff5c\uff1a\u2502\u00a6_\u2022\u00b7\u30fb\u00bb\u203a:/~<\uff0d]"
)
"""Each match of _TAIL and _SEPARATOR has one of these; most headlines have none."""
_BEFORE_AUTHOR = re.compile(r"(.*\S)\s+[-\u2013\u2014|]\s+")
_MOST_SEPARATORS = 3
"""Separators that are tried, from the end of a headline: a name may contain some itself."""
# A name that is a domain, e.g. RTE.ie, news.com.au.
_DOMAIN = re.compile(r"(?:[\w-]+\.)+[a-z]{2,24}", re.IGNORECASE)
# Feeds of other outlets' articles. If one is the publisher, the tail is the outlet; as a tail it is
# the name of the feed.
_GOOGLE_NEWS = re.compile(r"google news(?: \(\w+\))?")
_FEED = re.compile(
    rf"{_GOOGLE_NEWS.pattern}|msn|"
    r"yahoo!?(?: (?:entertainment|finance|life|money|news|sports|style))?|yahoo\.com"
)
# On a video host the tail may be half of a song's title, so only a name that looks like that of a
# broadcaster or a club counts as an outlet.
_CHANNEL = re.compile(r".*\b(?:channel|fc|news|radio|sports?|tv)")
_ARTICLES = frozenset(
    {"the", "la", "le", "les", "il", "el", "o", "der", "die", "das", "de", "het", "al"}
)
# Parts of a host that do not name an outlet.
_GENERIC_NAMES = (
    "www m amp mobile news edition blog en us uk com co org net gov edu ac or ne go gob gouv"
)
_GENERIC = frozenset(_GENERIC_NAMES.split())
_PRESS = (
    # What outlets call themselves,
    "agency associated blatt broadcasting bulletin chronicle club corporation courier dagblad "
    "daily diario dispatch echo evening examiner express gazette giornale group herald "
    "independent inquirer journal mail magazine media mirror morning network news newspaper "
    "newswire nieuws noticias observer online post press presse radio report review soir sera "
    "standard star sun telegraph television times today tribune tv weekly world zeitung "
    # their desks,
    "breaking business economics entertainment finance health info life live markets money "
    "opinion politics science sport sports style tech travel weather "
    # their editions,
    "africa afrique america arabic asia australia brasil canada deutsch english espa\u00f1ol "
    "europe france global hindi india international japan mundo t\u00fcrk\u00e7e t\u00fcrk uk "
    "urdu us usa "
    "\u4e2d\u6587 \u65e5\u672c\u8a9e \ucf54\ub9ac\uc544 \u0939\u093f\u0902\u0926\u0940 "
    "\u0639\u0631\u0628\u064a \u0641\u0627\u0631\u0633\u06cc \u0627\u0631\u062f\u0648 "
    "\u0440\u0443\u0441\u0441\u043a\u0430\u044f \u0441\u043b\u0443\u0436\u0431\u0430 "
    "\u0443\u043a\u0440\u0430\u0457\u043d\u0430 "
    # and the words that connect these.
    "a an and d da das de dei del della delle dello der des di do du e en et for la le les los of "
    "the und van y"
)
_MOST_WORDS = 6  # the longest outlet recorded has five words


def strip_outlet(title: str, *, publisher: str, host: str, author: str | None) -> str:
    """Return a headline without the names of its outlet at the end.

    Args:
        title: plain text.
        publisher: the source's name for the outlet, e.g. `Www.rtl.be`, `Google News`.
        host: of the article's URL.
        author: as the source gives it. Google News has the outlet here; its name may contain a
            separator.
    """
    if not _ANY_SEPARATOR.search(title):
        return title
    outlet = fold(publisher)
    aggregated = _GOOGLE_NEWS.fullmatch(outlet) is not None
    if author and (head := _cut_author(title, author)):
        title, aggregated = head, False
    vouched = re.compile(".*") if aggregated else _CHANNEL if "youtube" in outlet else None
    labels = _list_outlet_labels(host, publisher)
    while (head := _cut_outlet(title, labels, vouched)) is not None:
        title = head
        vouched = None if aggregated else vouched
    return title


def _cut_author(title: str, author: str) -> str | None:
    """Return the headline before its author's name, or None if it does not end with it."""
    match = _BEFORE_AUTHOR.fullmatch(title[: -len(author)])
    # The name is compiled only here: a new pattern takes longer than everything else in this file.
    same = match and re.fullmatch(re.escape(author), title[-len(author) :], re.IGNORECASE)
    return match[1] if match and same else None


def _cut_outlet(title: str, labels: frozenset[str], vouched: re.Pattern[str] | None) -> str | None:
    """Return the headline before the outlet's name, or None if it does not end with one."""
    match = _TAIL.fullmatch(title)
    if match and len(match["tail"].split()) <= _MOST_WORDS:
        tail = match["tail"]
        foreign = vouched is not None and vouched.fullmatch(fold(tail)) and not tail[0].islower()
        if foreign or _is_outlet_name(tail, labels):
            return match["head"]
    for separator in list(_SEPARATOR.finditer(title))[: -_MOST_SEPARATORS - 1 : -1]:
        if separator.start() and _list_spellings(_split_name(title[separator.end() :])) & labels:
            return title[: separator.start()]
    return None


# The same outlets occur again and again.
@lru_cache(maxsize=1024)
def _list_outlet_labels(host: str, publisher: str) -> frozenset[str]:
    """Return the possible one-word names of an outlet, from its host and publisher."""
    names = [
        host.removeprefix("www."),
        publisher,
        re.sub(r"\Awww\.", "", publisher, flags=re.IGNORECASE),
    ]
    for name in (host, publisher if _DOMAIN.fullmatch(publisher) else ""):
        names += [label for label in name.split(".")[:-1] if fold(label) not in _GENERIC]
    return frozenset(label for name in names for label in _list_spellings(_split_name(name))) - {""}


def _is_outlet_name(tail: str, labels: frozenset[str]) -> bool:
    """Return whether a tail names a feed, or the outlet by one of its labels.

    The label may stand alone, be a domain, come with words of the press, or be initials.
    """
    parts = _split_name(tail)
    if _FEED.fullmatch(fold(tail)) or _list_spellings(parts) & labels:
        return True
    if _DOMAIN.fullmatch(tail):
        return bool(
            labels.intersection("".join(_split_name(part)) for part in tail.split(".")[:-1])
            - _GENERIC
        )
    initials = "".join(part[0] for part in parts)
    for count in range(1, len(parts)):
        name = _list_spellings(parts[:count])
        # "Carlton Football Club" is carltonfc.
        if {spelling + initials[count:] for spelling in name} & labels or (
            name & labels and _is_press(parts[count:])
        ):
            return True
    return (
        len(parts) > 1
        and initials in labels
        and any(part in _PRESS_WORDS and len(part) > 3 for part in parts)
    )


def _is_press(parts: tuple[str, ...]) -> bool:
    return all(part in _PRESS_WORDS for part in parts)


def _split_name(name: str) -> tuple[str, ...]:
    """Return the words of a name, folded: their letters, digits and vowel signs.

    Accents are removed, since hosts have none.
    """
    bare = (
        char
        for char in unicodedata.normalize("NFKD", fold(name))
        if not unicodedata.combining(char)
    )
    return tuple(
        "".join(
            char if char.isalnum() or unicodedata.category(char)[0] == "M" else " " for char in bare
        ).split()
    )


def _list_spellings(parts: tuple[str, ...]) -> set[str]:
    """Return a name in one word, with and without its leading article.

    A name that is only an article has none.
    """
    if parts and parts[0] in _ARTICLES:
        return {"".join(parts), "".join(parts[1:])} if len(parts) > 1 else set()
    return {"".join(parts)}


_PRESS_WORDS = frozenset(_split_name(_PRESS))

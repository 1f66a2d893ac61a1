"""What an outlet is called: its name by its address, and which texts are names of it."""

import re
from functools import lru_cache

from attrs import evolve, frozen

from newsintel.domain.text.clean import fold
from newsintel.domain.text.safe_urls import get_host
from newsintel.domain.text.urls import canonicalize_url
from newsintel.outbound.sources.known_outlets import KNOWN_OUTLETS
from newsintel.outbound.sources.native_names import is_native_name, list_skeletons, split_scripts
from newsintel.outbound.sources.outlet_words import (
    ARTICLES,
    PRESS_WORDS,
    is_press,
    is_speech,
    split_name,
)

# A name that is a domain, e.g. RTE.ie, news.com.au.
DOMAIN = re.compile(r"(?:[\w-]+\.)+[a-z]{2,24}", re.IGNORECASE)
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
_ANY_NAME = re.compile(".*")
# Parts of a host that do not name an outlet.
_GENERIC_NAMES = (
    "www m amp mobile news edition blog en us uk com co org net gov edu ac or ne go gob gouv"
)
_GENERIC = frozenset(_GENERIC_NAMES.split())


@frozen
class Outlet:
    """What is known of the outlet of a row."""

    labels: frozenset[str]
    """Its possible names in one word."""
    skeletons: frozenset[str]
    """The consonants of these."""
    spelled: frozenset[str]
    """Its names with the capitals that it uses."""
    vouched: re.Pattern[str] | None
    """Which other names are outlets here, since the publisher is only a feed or a host."""


def name_outlet(url: str) -> str:
    """Return the name of the outlet of a page, where the source names none.

    It is the name by which NewsAPI knows the host or its parent domain. Else it is the host without
    parts that name no outlet in front, which is also what NewsAPI calls an outlet that it does not
    know: `sky.com` for news.sky.com. The names of one outlet are then equal, except for capitals.

    Args:
        url: a usable URL; behind a redirect page, the target's outlet counts.
    """
    labels = get_host(canonicalize_url(url)).split(".")
    domains = (".".join(labels[place:]) for place in range(len(labels) - 1))
    known = next((KNOWN_OUTLETS[domain] for domain in domains if domain in KNOWN_OUTLETS), None)
    while len(labels) > 2 and labels[0] in _GENERIC and not _GENERIC.issuperset(labels[1:-1]):
        del labels[0]
    return known or ".".join(labels)


# The same outlets occur again and again.
@lru_cache(maxsize=1024)
def describe_outlet(host: str, publisher: str) -> Outlet:
    """Return what the host and the publisher tell about an outlet."""
    bare = re.sub(r"\Awww\.", "", publisher, flags=re.IGNORECASE)
    names = [host.removeprefix("www."), publisher, bare]
    for name in (host, publisher if DOMAIN.fullmatch(publisher) else ""):
        names += [label for label in name.split(".")[:-1] if fold(label) not in _GENERIC]
    labels = {label for name in names for label in _list_spellings(split_name(name))}
    labels |= {label[3:] for label in labels if label.startswith("the") and len(label) > 6}
    folded = fold(publisher)
    # Elsewhere, Google News is only where NewsAPI found the article: the title is the outlet's own.
    vouched = (
        _ANY_NAME
        if _GOOGLE_NEWS.fullmatch(folded) and host == "news.google.com"
        else _CHANNEL
        if "youtube" in folded
        else None
    )
    return Outlet(frozenset(labels), list_skeletons(labels), frozenset({publisher}), vouched)


def learn_name(outlet: Outlet, tail: str) -> Outlet:
    """Return what is known after a tail was removed: a vouched name may occur once more."""
    if outlet.vouched is None:
        return outlet
    more = _list_spellings(split_name(tail)) if outlet.vouched is _ANY_NAME else set()
    return evolve(outlet, labels=outlet.labels | more, vouched=None)


def is_exact_name(name: str, outlet: Outlet) -> bool:
    """Return whether a text is one of the outlet's names, and not the word for a kind of article.

    `- Sources` tells who says a headline, also if an outlet has that name.
    """
    parts = split_name(name)
    if len(parts) == 1 and is_speech(name):
        return False
    if _list_spellings(parts) & outlet.labels:
        return True
    latin, native = split_scripts(name)
    return bool(native) and not latin and is_native_name(native, outlet.skeletons)


def is_longer_name(tail: str, outlet: Outlet) -> bool:
    """Return whether a tail names a feed, or the outlet by one of its labels.

    The label may be a domain, come with words of the press or its native name, or be initials.
    """
    if _FEED.fullmatch(fold(tail)):
        return True
    latin, native = split_scripts(tail)
    if latin and native and is_native_name(native, outlet.skeletons):
        tail = latin
    parts, labels = split_name(tail), outlet.labels
    if _list_spellings(parts) & labels:
        return True
    if DOMAIN.fullmatch(tail):
        names = {"".join(split_name(part)) for part in tail.split(".")[:-1]}
        return bool(labels & (names - _GENERIC))
    initials = "".join(part[0] for part in parts)
    for count in range(1, len(parts)):
        name = _list_spellings(parts[:count])
        # "Carlton Football Club" is carltonfc.
        if {spelling + initials[count:] for spelling in name} & labels or (
            name & labels and is_press(parts[count:])
        ):
            return True
    return (
        len(parts) > 1
        and initials in labels
        and any(part in PRESS_WORDS and len(part) > 3 for part in parts)
    )


def _list_spellings(parts: tuple[str, ...]) -> set[str]:
    """Return a name in one word, with and without its leading article.

    A name that is only an article has none.
    """
    if parts and parts[0] in ARTICLES:
        return {"".join(parts), "".join(parts[1:])} if len(parts) > 1 else set()
    return {"".join(parts)} - {""}

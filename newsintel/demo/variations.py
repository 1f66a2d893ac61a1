"""Variations of a headline and an address, as different outlets write them."""

import random
from collections.abc import Callable

from newsintel.demo.outlets import Outlet

_TRACKING = (
    "utm_source=newsletter&utm_medium=email",
    "utm_campaign=share&utm_medium=social",
    "fbclid=IwAR2x9demo",
    "ref=rss&utm_source=feed",
)
_WORDS = ((" and ", " & "), (" says ", " said "), ("% ", " per cent "), (" after ", " following "))


def add_outlet_name(title: str, outlet: Outlet) -> str:
    """Return the headline with the outlet's name after it, as aggregators do."""
    return f"{title} - {outlet.name}"


def _title_case(title: str) -> str:
    return " ".join(word[:1].upper() + word[1:] for word in title.split(" "))


def _straighten_quotes(title: str) -> str:
    return title.translate({0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"'})


def _curl_quotes(title: str) -> str:
    return title.replace("'", "\u2019")


def _reword_title(title: str) -> str:
    """Replace the first small word that has an alternative."""
    for old, new in _WORDS:
        if old in title:
            return title.replace(old, new, 1)
    return title


_RESPELLINGS: tuple[Callable[[str], str], ...] = (
    _title_case,
    _straighten_quotes,
    _curl_quotes,
    _reword_title,
    lambda title: title + ".",
    lambda title: title + " ",
    lambda title: title.replace(", ", " \u2013 ", 1),
    lambda title: title.replace(" ", "\u00a0", 1),
    lambda title: "Update: " + title,
)


def respell_title(title: str, dice: random.Random) -> str:
    """Return the headline with one small edit, as another editor would write it."""
    return dice.choice(_RESPELLINGS)(title)


def rewrite_url(url: str, dice: random.Random) -> str:
    """Return another spelling of the same address, or the address itself."""
    choice = dice.randrange(7)
    if choice == 0:
        return url.replace("https://", "http://", 1)
    if choice == 1:
        return url.replace("https://www.", "https://", 1)
    if choice == 2:
        return url + "/amp"
    if choice == 3:
        return url + "#comments"
    return f"{url}?{dice.choice(_TRACKING)}" if choice < 6 else url

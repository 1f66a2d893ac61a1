"""Taking the outlet's name off the end of a headline: "Title - BBC News" is the same story as "Title".

NewsAPI's top stories end in the outlet's name, in about half of the recordings spelled differently from `source.name`, so equality does not
do. A tail goes only if something vouches that it names the outlet; "Spider-Man - the return" has nothing that does.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from newsintel.text import fold, words

# The last separator with spaces round it; hyphens within words do not count.
_TAIL = re.compile(r"(?P<head>.*\S)\s+[-\u2013\u2014|]\s+(?P<tail>\S.*)", re.DOTALL)
# A tail that is itself a domain, e.g. RTE.ie, news.com.au.
_DOMAIN = re.compile(r"(?:[\w-]+\.)+[a-z]{2,6}", re.IGNORECASE)
# Feeds of others' articles: as publishers their tail is the outlet, as tails they are the feed itself.
_FEED = re.compile(r"google news(?: \(\w+\))?|msn|yahoo!?(?: (?:entertainment|finance|life|money|news|sports|style))?|yahoo\.com")
# On a video host the tail may be half of a song's title: only what sounds like a broadcaster or a club is one.
_CHANNEL = re.compile(r".*\b(?:channel|fc|news|radio|sports?|tv)")
_ARTICLES = frozenset({"the", "la", "le", "les", "il", "el", "der", "die", "das"})
_MOST_WORDS = 6  # the longest outlet recorded has five words


def without_outlet(title: str, *, publisher: str, host: str, author: str | None) -> str:
    """A headline without the names of its outlet at the end.

    Args:
        title: plain text.
        publisher: the source's name for the outlet, e.g. `Www.rtl.be`, `Google News`.
        host: of the article's URL.
        author: as the source gives it; Google News puts the outlet there, and it may hold a separator itself.
    """
    aggregated = _FEED.fullmatch(fold(publisher)) is not None
    video = "youtube" in fold(publisher)
    if author and (match := re.fullmatch(rf"(.*\S)\s+[-\u2013\u2014|]\s+{re.escape(author)}", title, re.IGNORECASE)):
        title, aggregated = match[1], False
    labels = _labels(host, publisher)
    while match := _TAIL.fullmatch(title):
        tail = match["tail"]
        vouched = aggregated or (video and _CHANNEL.fullmatch(fold(tail)))
        if len(tail.split()) > _MOST_WORDS or not (_is_outlet(tail, labels) or (vouched and not tail[0].islower())):
            break
        title, aggregated = match["head"], False
    return title


# The same outlets come again and again.
@lru_cache(maxsize=1024)
def _labels(host: str, publisher: str) -> frozenset[str]:
    """What an outlet may be called in one word, by its host and its publisher's name."""
    names = (*host.split("."), *publisher.split("."), publisher)
    return frozenset(label for name in names for label in _spellings(words(name))) - {"", "com", "www"}


def _is_outlet(tail: str, labels: Iterable[str]) -> bool:
    """Whether a tail names an outlet by itself, or one of the labels that its host and publisher consist of."""
    if _DOMAIN.fullmatch(tail) or _FEED.fullmatch(fold(tail)):
        return True
    parts = words(tail)
    # Behind the outlet's own word further ones may follow ("DH Les Sports +", dh.be), if they read like a name.
    reads_like_name = len(parts) <= 2 or not tail.rsplit(maxsplit=1)[-1][0].islower()
    leading = {joined for count in range(1 if reads_like_name else len(parts), len(parts) + 1) for joined in _spellings(parts[:count])}
    initials = "".join(part[0] for part in parts)
    return any(
        label in leading
        or (len(parts) > 1 and label == initials)
        or any(label.startswith(name) and len(name) >= 3 and len(name) >= 0.7 * len(label) for name in leading)
        for label in labels
    )


def _spellings(parts: tuple[str, ...]) -> set[str]:
    """A name in one word, with and without its leading article; nothing for a bare article."""
    if parts and parts[0] in _ARTICLES:
        return {"".join(parts), "".join(parts[1:])} if len(parts) > 1 else set()
    return {"".join(parts)}

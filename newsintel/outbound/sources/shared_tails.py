"""Finds outlets' names by the payload: two rows of one host that end alike name their outlet.

This finds names that neither the publisher nor the host shows, such as ` - Der Bote` at
example.org. It changes titles only. Identities must not depend on the other rows of a payload.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Sequence

from attrs import evolve

from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.search.article import Article
from newsintel.domain.text.clean import fold
from newsintel.domain.text.safe_urls import get_host
from newsintel.outbound.sources.outlet_words import (
    PRESS_WORDS,
    is_lower_case,
    is_rubric,
    is_speech,
    split_name,
)

# Separators that outlets use. A colon or a slash between two words is more often the headline's.
_ENDING = re.compile(
    r"(?P<head>.*[^\s|\u2022-])(?:\s[-\u2013\u2014:|\u2022\u00b7]\s|\s?[\uff5c_]\s?)"
    r"(?P<tail>[^|\u2022\uff5c_]+)"
)
_MOST_CHARS = 40
_MOST_WORDS = 5


def strip_shared_tails(
    articles: Sequence[Article], known_hosts: Collection[str]
) -> Sliced[tuple[Article, ...]]:
    """Return the articles, their titles without tails that two titles of one host share.

    It pauses after each article.

    Args:
        articles: of one payload.
        known_hosts: hosts whose outlet was already removed from a title. What other tails their
            titles share is a country, a series or a column.
    """
    found: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
    for place, article in enumerate(articles):
        yield
        host = get_host(article.url)
        if host not in known_hosts and (halves := _split_title(article)):
            found[host, fold(halves[1])].append((place, halves[0]))
    titles = {
        place: head
        for rows in found.values()
        # One story that is listed twice is no evidence.
        if len({fold(head) for _, head in rows}) > 1
        for place, head in rows
    }
    return tuple(
        evolve(article, title=titles[place]) if place in titles else article
        for place, article in enumerate(articles)
    )


def _split_title(article: Article) -> tuple[str, str] | None:
    """Return a headline and its tail, if that may be a name; None if it is something else."""
    match = _ENDING.fullmatch(article.title)
    if match is None or len(match["tail"]) > _MOST_CHARS:
        return None
    tail, parts = match["tail"], split_name(match["tail"])
    words = tail.split()
    named = all(not is_lower_case(word) or _connects(word) for word in words)
    if not parts or len(words) > _MOST_WORDS or not named or is_lower_case(tail):
        return None
    if is_speech(tail) or is_rubric(parts) or fold(tail) in fold(article.author or ""):
        return None
    return match["head"].rstrip(), tail


def _connects(word: str) -> bool:
    return all(part in PRESS_WORDS for part in split_name(word))

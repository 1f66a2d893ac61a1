"""The rules that are compared: ours, and those of the field in their usual settings."""

import re
from collections.abc import Callable
from functools import lru_cache

from attrs import frozen
from rapidfuzz import fuzz

from newsintel.domain.search.dedup import fold_title
from newsintel.domain.search.nearest_title import compare_similarity
from newsintel.domain.search.stories.judging import Told, judge_titles
from newsintel.domain.search.stories.parsed_title import ParsedTitle, parse_title
from newsintel.domain.search.stories.similarity import MIN_SIMILARITY
from newsintel.domain.text.tokens import split_plain_words


@frozen
class Rule:
    """A rule.

    Attributes:
        name: shown in the table.
        compare: the similarity of two titles, 0..1; 0 if the rule vetoes them.
        accepts: whether a similarity makes two titles one story.
    """

    name: str
    compare: Callable[[str, str], float]
    accepts: Callable[[float], bool]

    def is_same(self, one: str, other: str) -> bool:
        """Whether two titles tell one story by this rule."""
        return self.accepts(self.compare(one, other))


_parse = lru_cache(maxsize=200_000)(parse_title)
_fold = lru_cache(maxsize=200_000)(fold_title)


def parse(title: str) -> ParsedTitle:
    """Parse a title once."""
    return _parse(title)


def _compare_normal(one: str, other: str) -> float:
    judgement = judge_titles(Told(_parse(one)), Told(_parse(other)))
    equal = _parse(one).folded == _parse(other).folded
    return 1.0 if equal else judgement.similarity if judgement.veto is None else 0.0


@lru_cache(maxsize=200_000)
def _list_words(title: str) -> frozenset[str]:
    return frozenset(split_plain_words(title))


@lru_cache(maxsize=200_000)
def _list_trigrams(title: str) -> frozenset[str]:
    """The trigrams of each word, padded as PostgreSQL's pg_trgm does."""
    padded = (f"  {word} " for word in split_plain_words(title))
    return frozenset(word[at : at + 3] for word in padded for at in range(len(word) - 2))


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other) if one and other else 0.0


_NEWSBLUR_WORDS, _NEWSBLUR_COMMON = 5, 3
_NEWSBLUR_STOP_WORDS = frozenset(
    (  # noqa: SIM905
        "a an the and or but in on at to for of is it by with from as be was were are this that "
        "have has had do does did will would could should may might can not no its his her their "
        "our your"
    ).split()
)


@lru_cache(maxsize=200_000)
def _list_significant(title: str) -> frozenset[str]:
    words = re.sub(r"[^\w\s]", "", re.sub(r"[-/]", " ", title.lower())).split()
    return frozenset(
        word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
        for word in words
        if word not in _NEWSBLUR_STOP_WORDS and len(word) > 1 and not word.isdigit()
    )


def _compare_newsblur(one: str, other: str) -> float:
    """NewsBlur's overlap (apps/clustering/models.py): common words by those of the shorter title.

    Titles of fewer than five significant words, or with fewer than three in common, never match.
    """
    ours, theirs = _list_significant(one), _list_significant(other)
    common = len(ours & theirs)
    fewest = min(len(ours), len(theirs))
    return common / fewest if fewest >= _NEWSBLUR_WORDS and common >= _NEWSBLUR_COMMON else 0.0


RULES = (
    Rule("normal", _compare_normal, lambda value: value >= MIN_SIMILARITY),
    Rule(
        "strict",
        lambda one, other: compare_similarity(_fold(one), _fold(other)),
        lambda value: value > 0.8,
    ),
    Rule(
        "token_sort > .8",
        lambda one, other: fuzz.token_sort_ratio(_fold(one), _fold(other)) / 100,
        lambda value: value > 0.8,
    ),
    Rule(
        "token_set > .9",
        lambda one, other: fuzz.token_set_ratio(_fold(one), _fold(other)) / 100,
        lambda value: value > 0.9,
    ),
    Rule(
        "trigram >= .75",
        lambda one, other: _jaccard(_list_trigrams(one), _list_trigrams(other)),
        lambda value: value >= 0.75,
    ),
    Rule(
        "Jaccard >= .6",
        lambda one, other: _jaccard(_list_words(one), _list_words(other)),
        lambda value: value >= 0.6,
    ),
    Rule("NewsBlur overlap >= .6", _compare_newsblur, lambda value: value >= 0.6),
)
"""The first is ours. Sources of the settings: the strict rule is the contract's; 80 and 90 are the
cutoffs in rapidfuzz's own examples; .6 of overlap is NewsBlur's; .75 and .6 are common in tools for
feeds."""

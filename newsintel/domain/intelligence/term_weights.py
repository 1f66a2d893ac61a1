"""Weights the words of a text by how well they show its subject.

Words that few articles have, and words in important fields, weigh more. A word's weight is the root
of its inverse document frequency times the weight of its field. The frequency is weighted as by
Robertson and Sparck Jones (Relevance weighting of search terms, 1976) for no known relevant
article, within a logarithm that stays above 0 as in Lucene's BM25: ln(1 + (N - n + 0.5) / (n +
0.5)) for a word that n of N articles have. That formula is made for words that people search for.
The rarest words of an article are often incidental, such as a name or a number, and the root keeps
them from outweighing its subject. It was chosen on one half of the labelled stories
(docs/decisions/0017).
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from math import log, sqrt

from attrs import frozen

FIELD_WEIGHTS = {"A": 1.0, "B": 0.6, "C": 0.3, "D": 1.0}
"""Weights of title, description and content, and of a text without fields. A judgement, between
equal weights and PostgreSQL's own 1, 0.4 and 0.2, which are for words that people search for."""

MAX_COMMON_SHARE = 0.1
"""Words in a larger share of all articles are not significant. With 0.05 or less, whole topics of a
small archive are lost (docs/decisions/0017)."""

MIN_COMMON_ARTICLES = 20
"""A word in at most this many articles is never too common: in a new archive every share is
large."""

INDEX_BUDGET = 2_000
"""Maximum of index entries that one look-up may read for its anchors, 1.5 us each
(docs/decisions/0017)."""

MAX_ALONE_ARTICLES = 100
"""Maximum number of articles that the rarest words may make candidates on their own. Articles with
more common words also need a second shared word."""


@frozen
class Word:
    """A word of some text.

    Attributes:
        lexeme: as the archive's search indexes it.
        field: the heaviest field that has it: a key of FIELD_WEIGHTS.
        articles: how many articles have it.
    """

    lexeme: str
    field: str
    articles: int


@frozen
class Probe:
    """How to find candidates: they have one of `alone`, or one of `anchors` and another of `terms`.

    Attributes:
        wide: this would still read more of the index than INDEX_BUDGET. Then read it from its
            newest end.
    """

    alone: tuple[str, ...]
    anchors: tuple[str, ...]
    terms: tuple[str, ...]
    wide: bool


def idf(articles: int, total: int) -> float:
    """Return the inverse document frequency of a word that `articles` of `total` have; above 0."""
    articles = min(articles, total)
    return log(1 + (total - articles + 0.5) / (articles + 0.5))


def rank_terms(words: Iterable[Word], total: int, each: int, *, least: int) -> dict[str, float]:
    """Return the `each` most significant words with their weights, heaviest first; ties by lexeme.

    Args:
        words: the words of one text, each once.
        total: the number of articles.
        each: the maximum number of words.
        least: how many articles must have a word: 2 for an archived text, since a word that only it
            has finds nothing.
    """
    most = max(MAX_COMMON_SHARE * total, MIN_COMMON_ARTICLES)
    weights = {
        word.lexeme: FIELD_WEIGHTS[word.field] * sqrt(idf(word.articles, total))
        for word in words
        if least <= word.articles <= most
    }
    return dict(sorted(weights.items(), key=lambda one: (-one[1], one[0]))[:each])


def plan_probe(terms: Sequence[str], articles: Mapping[str, int]) -> Probe | None:
    """Return how to find the candidates of some terms without reading much of the index.

    None if no article has any of the terms. The rarest terms are the anchors, as many as
    INDEX_BUDGET allows, but at least one. An article without an anchor shares only common words
    with the text and would rank far down.

    Args:
        terms: the most significant first.
        articles: how many articles have each term; missing terms are in none.
    """
    known = [term for term in terms if articles.get(term)]
    if not known:
        return None
    rarest = sorted(known, key=lambda term: (articles[term], term))
    read = list(accumulate(articles[term] for term in rarest))
    anchors = rarest[: max(1, bisect_right(read, INDEX_BUDGET))]
    alone = 1 if len(known) == 1 else bisect_right(read, MAX_ALONE_ARTICLES)
    return Probe(
        tuple(anchors[:alone]), tuple(anchors[alone:]), tuple(known), wide=read[0] > INDEX_BUDGET
    )

"""Which words of a text tell what it is about: those that few articles have, and that stand where it says the most.

A word's weight is the root of its inverse document frequency times the weight of the field that it stands in. The frequency is weighed as
by Robertson and Sparck Jones (Relevance weighting of search terms, 1976) for no known relevant article, within a logarithm that stays above
0 as in Lucene's BM25: ln(1 + (N - n + 0.5) / (n + 0.5)) for a word that n of N articles have. That is made for words that somebody chose to
ask for; of an article's own words the rarest are often incidental, a name or a number, and the root keeps them from outweighing what it is
about. It was chosen on one half of the labelled stories (docs/decisions/0017).
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from math import log, sqrt

from attrs import frozen

FIELDS = {"A": 1.0, "B": 0.6, "C": 0.3, "D": 1.0}
"""Weights of title, description and content, and of a text without fields. A judgement, between PostgreSQL's own 1, 0.4 and 0.2, which are
for words that somebody asked for, and none at all."""

COMMON = 0.1
"""Words in a larger share of all articles tell nothing. With 0.05 or less, whole topics of a small archive go (docs/decisions/0017)."""

FEW = 20
"""Articles that may have a word whatever the share: of an archive that has just begun every word is common."""

INDEX_BUDGET = 2_000
"""Entries of the index that one look-up may read for its anchors: a microsecond and a half each (docs/decisions/0017)."""

ALONE = 100
"""Articles that the rarest words may together make candidates by themselves; of commoner ones only those that share a second word."""


@frozen
class Word:
    """A word of some text.

    Attributes:
        lexeme: as the archive's search indexes it.
        field: the weightiest field that it stands in: one of FIELDS.
        articles: how many articles have it.
    """

    lexeme: str
    field: str
    articles: int


@frozen
class Probe:
    """What makes an article a candidate: one of `alone`, or one of `anchors` together with another one of `terms`.

    Attributes:
        wide: even so the index would have to be read further than INDEX_BUDGET; then it is to be read from its newest end.
    """

    alone: tuple[str, ...]
    anchors: tuple[str, ...]
    terms: tuple[str, ...]
    wide: bool


def idf(articles: int, total: int) -> float:
    """How telling it is that an article has a word which `articles` of `total` have; above 0, and falling with `articles`."""
    articles = min(articles, total)
    return log(1 + (total - articles + 0.5) / (articles + 0.5))


def telling(words: Iterable[Word], total: int, each: int, *, least: int) -> dict[str, float]:
    """The `each` most telling words with their weights, the weightiest first; ties by lexeme.

    Args:
        words: of one text, each once.
        total: how many articles there are.
        each: how many words at most.
        least: articles that must have a word: 2 for a text that is archived itself, since one that it has alone leads nowhere.
    """
    most = max(COMMON * total, FEW)
    weights = {word.lexeme: FIELDS[word.field] * sqrt(idf(word.articles, total)) for word in words if least <= word.articles <= most}
    return dict(sorted(weights.items(), key=lambda one: (-one[1], one[0]))[:each])


def probe(terms: Sequence[str], articles: Mapping[str, int]) -> Probe | None:
    """How to find the candidates of some terms without reading much of the index; None if no article has any of them.

    The rarest are the anchors, as many as there is room for, but one at least. An article that has none of them shares common words alone
    with the text, and would stand far down.

    Args:
        terms: the most telling first.
        articles: how many articles have each; none for those that are not in it.
    """
    known = [term for term in terms if articles.get(term)]
    if not known:
        return None
    rarest = sorted(known, key=lambda term: (articles[term], term))
    read = list(accumulate(articles[term] for term in rarest))
    anchors = rarest[: max(1, bisect_right(read, INDEX_BUDGET))]
    alone = 1 if len(known) == 1 else bisect_right(read, ALONE)
    return Probe(tuple(anchors[:alone]), tuple(anchors[alone:]), tuple(known), wide=read[0] > INDEX_BUDGET)

"""Scores how well one text answers a query, 0..1: which words it has, where, and how close.

    share of the wanted terms x (0.2 + 0.5 x 3 / (3 + words before the first) + 0.3 x closeness)

- The share counts terms by `matching`: any form of a word, less if its marks differ.
- Headlines name their subject first, and news is written with the most important facts first
  (the inverted pyramid), so a term counts more the earlier it stands: after three words half.
- Closeness is the number of words of the terms found, divided by the length of the shortest stretch
  of the text that has them all: 1 for a phrase and for a single term. Rasolofo and Savoy, Term
  proximity scoring for keyword-based retrieval systems (ECIR 2003), show that it helps.

The numbers were chosen on the tuning half of `benchmarks/ranking` (docs/decisions/0036-score.md).
"""

from collections.abc import Sequence
from math import inf

from newsintel.domain.search.matching import Alternative, PreparedText, Run

ANYWHERE, EARLY, CLOSE = 0.2, 0.5, 0.3

HALF_AFTER_WORDS = 3

MAX_TERMS, MAX_PLACES = 8, 8
"""How many terms, and how many places of each, closeness looks at. They bound the work for a long
query, and for a text that repeats one word a thousand times."""


def score_text(text: PreparedText, alternatives: Sequence[Alternative]) -> float:
    """Return how well a text answers the best of some alternatives, 0..1."""
    return max([_score_alternative(text, one.wanted) for one in alternatives], default=0.0)


def _score_alternative(text: PreparedText, wanted: Sequence[Run]) -> float:
    share, found = 0.0, []
    for run in wanted:
        quality = text.match_run(run)
        if quality:
            share += quality / len(wanted)
            found.append(run)
    if not found:
        return 0.0
    first = min([text.find_run(run) for run in found])
    closeness = 1.0 if len(found) == 1 else _measure_runs(text, found[:MAX_TERMS])
    early = HALF_AFTER_WORDS / (HALF_AFTER_WORDS + first)
    return share * (ANYWHERE + EARLY * early + CLOSE * closeness)


def _measure_runs(text: PreparedText, found: Sequence[Run]) -> float:
    places = [text.list_places(run, MAX_PLACES) for run in found]
    return measure_closeness(places, [len(run.lexemes) for run in found])


def measure_closeness(places: Sequence[Sequence[int]], lengths: Sequence[int]) -> float:
    """Return the words of some terms as a part of the shortest stretch that has each term, 0..1.

    Args:
        places: of each term, where it begins, in words and in order; at least one each.
        lengths: of each term, its number of words.
    """
    shortest = inf
    for start in sorted({place for some in places for place in some}):
        end: float = start
        for some, length in zip(places, lengths, strict=True):
            # The first place from here on; without one, no later start has it either.
            end = max(end, next((place for place in some if place >= start), inf) + length)
        shortest = min(shortest, end - start)
    return min(1.0, sum(lengths) / shortest)

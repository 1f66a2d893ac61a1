"""How much two titles have in common, 0..1."""

from collections.abc import Set as AbstractSet

from rapidfuzz.distance import JaroWinkler
from rapidfuzz.fuzz import token_set_ratio

from newsintel.domain.search.stories.parsed_title import ParsedTitle

CLASS_SHARE, TEXT_SHARE = 0.6, 0.4
"""Shares of the common classes and of the common text in a similarity. Chosen on the training part
of the labelled pairs (docs/decisions/0033-stories.md)."""

MIN_SIMILARITY = 0.69
"""From this similarity on, two titles are one story unless something contradicts. Chosen in the
same way."""

MIN_COMMON = 2.0
"""The weight of the classes, numbers aside, that two titles of one story share at least: two words,
or four weak words, or four pairs of letters."""

MIN_DICE = 0.45
"""The Dice coefficient of the classes, names as they are spelled, below which titles are not
compared further. A speed-up: it changed no decision on the training part."""

MAX_NAMES = 8
"""Names of a title whose spelling is compared. The time is the product of both numbers."""

_MOST_SIMILAR = 0.9999
"""The highest similarity of two titles that are not equal."""

_ROUNDED = 0.0001
"""Similarities have four decimals: so much one may grow when it is rounded."""

_SPELLING = 0.88
"""From this Jaro-Winkler similarity on, two names are spellings of one: Morsi, Mursi."""


def compare_titles(one: ParsedTitle, other: ParsedTitle, at_least: float = 0.0) -> float:
    """Return the similarity of two titles, 0..1; equal for both orders.

    1.0 only for equal titles; 0.0 for those that share too little to be one story, and for those
    that are found to be below `at_least` before their texts are compared.
    """
    if one.folded == other.folded:
        return 1.0
    ours, theirs = one.weights, other.weights
    shared = ours.keys() & theirs.keys()
    words = numbers = 0.0
    for name in shared:
        weight = ours[name]
        # A weak word may share the class of another. `min` would take four times as long.
        if theirs[name] < weight:  # noqa: PLR1730
            weight = theirs[name]
        if name[0] == "#":
            numbers += weight
        else:
            words += weight
    common = words + numbers
    if words < MIN_COMMON or common < MIN_DICE * (one.total + other.total) / 2:
        return 0.0
    classes = CLASS_SHARE * _compare_classes(one, other, shared, common)
    least_text = (at_least - _ROUNDED - classes) / TEXT_SHARE
    if least_text > 1:
        return 0.0
    text = token_set_ratio(one.words, other.words, score_cutoff=max(0.0, 100 * least_text)) / 100
    return min(_MOST_SIMILAR, round(classes + TEXT_SHARE * text, 4))


def _compare_classes(
    one: ParsedTitle, other: ParsedTitle, shared: AbstractSet[str], common: float
) -> float:
    """Return the weighted Dice coefficient of the classes.

    Two spellings of a name are one class. A given name that only one title has does not count:
    `Yellen` is `Janet Yellen`.
    """
    total = one.total + other.total
    if one.names and other.names:
        ours = list_own_names(one, shared)
        if ours and (theirs := list_own_names(other, shared)):
            common += count_spellings(ours, theirs)
    for title in (one, other):
        for name, after in title.given:
            if after in shared and name not in shared:
                total -= title.weights[name]
    return min(1.0, 2 * common / total)


def count_spellings(ours: list[str], theirs: list[str]) -> int:
    """Return how many names of one title are spellings of names of the other."""
    alike = [(one, other) for one in ours for other in theirs if are_spellings(one, other)]
    return min(len({one for one, _ in alike}), len({other for _, other in alike}))


def are_spellings(one: str, other: str) -> bool:
    """Whether two names, in their folded form, are spellings of one."""
    return JaroWinkler.similarity(one, other) > _SPELLING


def list_own_names(title: ParsedTitle, shared: AbstractSet[str]) -> list[str]:
    """Return the first names of a title that the other does not have."""
    return [word for word, name in title.names if name not in shared][:MAX_NAMES]

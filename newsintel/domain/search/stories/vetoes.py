"""What shows that two similar titles are two stories, by name."""

from collections import Counter
from collections.abc import Callable, Sequence
from enum import StrEnum
from itertools import pairwise

from rapidfuzz.distance import Levenshtein

from newsintel.domain.search.stories.parsed_title import ParsedTitle
from newsintel.domain.search.stories.reading import Step
from newsintel.domain.search.stories.similarity import MAX_NAMES, are_spellings
from newsintel.domain.search.stories.vocabulary import read_actions


class Veto(StrEnum):
    """Why two similar titles are not one story."""

    NUMBER = "number"
    DATE = "date"
    WEEKDAY = "weekday"
    PLACE = "place"
    OPPOSITE = "opposite"
    NAME = "name"
    ACTOR = "actor"
    PUBLISHER = "publisher"
    WINDOW = "window"


def find_veto(one: ParsedTitle, other: ParsedTitle) -> Veto | None:
    """Return the first rule by which two titles are two stories; equal for both orders.

    Some rules walk through one title and look into the other, so they always get the same one
    first.
    """
    one, other = sorted((one, other), key=_get_order)
    return next((veto for veto, applies in VETOES_OF_TITLES.items() if applies(one, other)), None)


def _get_order(title: ParsedTitle) -> tuple[str, tuple[Step, ...]]:
    return title.folded, title.steps


def differ_in_numbers(one: ParsedTitle, other: ParsedTitle) -> bool:
    """Whether each has a number that the other lacks."""
    return bool(one.numbers - other.numbers and other.numbers - one.numbers)


def differ_in_dates(one: ParsedTitle, other: ParsedTitle) -> bool:
    """Whether each has a date, a year or a time, and none in common."""
    return (
        _exclude(one.dates, other.dates)
        or _exclude(one.years, other.years)
        or _exclude(one.times, other.times)
    )


def differ_in_weekdays(one: ParsedTitle, other: ParsedTitle) -> bool:
    """Whether each has a weekday, and none in common."""
    return _exclude(one.weekdays, other.weekdays)


def _exclude(one: frozenset[str], other: frozenset[str]) -> bool:
    return bool(one and other and not one & other)


def differ_in_places(one: ParsedTitle, other: ParsedTitle) -> bool:
    """Whether each has a city that the other lacks, or each a country; a city implies its own."""
    return bool(
        (one.cities - other.cities and other.cities - one.cities)
        or (one.countries - other.countries and other.countries - one.countries)
    )


def are_opposite(one: ParsedTitle, other: ParsedTitle) -> bool:
    """Whether one has only one side of an axis and the other only the other side.

    Or each has a thing of one kind that the other lacks: a fire is no flood.
    """
    ours, theirs = one.things - other.things, other.things - one.things
    if ours and theirs and {kind for kind, _ in ours} & {kind for kind, _ in theirs}:
        return True
    return any(
        (axis, not side) in other.sides
        and (axis, not side) not in one.sides
        and (axis, side) not in other.sides
        for axis, side in one.sides
    )


def differ_in_names(one: ParsedTitle, other: ParsedTitle) -> bool:
    """Whether a name at one place of the title is replaced by another name.

    An acronym, an abbreviation, another spelling and a longer form of the same name are no
    replacement.
    """
    if one.title_case or other.title_case:
        return False
    for change in Levenshtein.opcodes(
        [step.name for step in one.steps], [step.name for step in other.steps]
    ):
        if change.tag != "replace":
            continue
        old = one.steps[change.src_start : change.src_end]
        new = other.steps[change.dest_start : change.dest_end]
        if _are_names(old, other) and _are_names(new, one):
            whole = _widen(one.steps, change.src_start, change.src_end)
            if not _are_same_name(whole, _widen(other.steps, change.dest_start, change.dest_end)):
                return True
    return False


def _are_names(steps: Sequence[Step], other: ParsedTitle) -> bool:
    return all(step.named and step.name not in other.weights for step in steps)


def _widen(steps: Sequence[Step], start: int, end: int) -> Sequence[Step]:
    """Return a name with the capitalised words beside it."""
    while start > 0 and steps[start - 1].capital:
        start -= 1
    while end < len(steps) and steps[end].capital:
        end += 1
    return steps[start:end]


def _are_same_name(old: Sequence[Step], new: Sequence[Step]) -> bool:
    for short, long in ((old, new), (new, old)):
        initials = "".join(step.word[0] for step in long)
        if len(long) > 1 and any(step.word in initials for step in short if len(step.word) > 1):
            return True
    return any(
        _are_alike(one.word, other.word) for one in old[:MAX_NAMES] for other in new[:MAX_NAMES]
    )


def _are_alike(one: str, other: str) -> bool:
    """Whether two words are one, by spelling or because one abbreviates the other: St, Street."""
    shorter, longer = sorted((one, other), key=len)
    return are_spellings(one, other) or (len(shorter) > 1 and longer.startswith(shorter))


def have_swapped_actors(one: ParsedTitle, other: ParsedTitle) -> bool:
    """Whether two actors stand on the other sides of the same action: who attacked whom.

    A title with `by` may name them in the other order. In Title Case only places are known as
    actors. What a title says twice stands on no side.
    """
    if one.passive != other.passive:
        return False
    own, places = _find_places(one.steps), _find_places(other.steps)
    shared = [one.steps[place] for name, place in own.items() if name in places]
    actions = read_actions()
    only_places = one.title_case or other.title_case
    actors = [
        at
        for at, step in enumerate(shared)
        if step.name[0] == "@" or (step.named and not only_places)
    ]
    for first, last in pairwise(actors):
        between = [step.name for step in shared[first + 1 : last] if step.name in actions]
        start, end = places[shared[first].name], places[shared[last].name]
        if start > end and any(end < places[name] < start for name in between):
            return True
    return False


def _find_places(steps: Sequence[Step]) -> dict[str, int]:
    """Return the place of each class that occurs once, in the order of the title."""
    times = Counter(step.name for step in steps)
    return {step.name: place for place, step in enumerate(steps) if times[step.name] == 1}


VETOES_OF_TITLES: dict[Veto, Callable[[ParsedTitle, ParsedTitle], bool]] = {
    Veto.NUMBER: differ_in_numbers,
    Veto.DATE: differ_in_dates,
    Veto.WEEKDAY: differ_in_weekdays,
    Veto.PLACE: differ_in_places,
    Veto.OPPOSITE: are_opposite,
    Veto.NAME: differ_in_names,
    Veto.ACTOR: have_swapped_actors,
}
"""The rules about titles, in the order in which they are reported."""

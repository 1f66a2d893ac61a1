"""Anchors: by which an arriving article finds the saved searches that it may match.

An article that matches a query has, for at least one of the query's groups, all of the group's
anchors. So a search needs to be kept under only one anchor of each group, the rarest, with the
others as requirements. An article is then compared with the searches that are kept under one of its
own anchors and whose requirements it meets, and with no others.

The words of an alternative give one group for each language by whose rules texts are indexed. An
alternative without wanted words has the publisher or the sources that it names.
"""

from collections.abc import Iterable, Mapping, Sequence

from newsintel.domain.archive.model import ArchiveQuery, Condition, Field
from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.search.matching import build_run, select_essential
from newsintel.domain.text.folding import fold_plain_name
from newsintel.domain.text.languages import INDEX_LANGUAGES, SIMPLE
from newsintel.domain.text.lexemes import AUTHOR
from newsintel.errors import InvalidParameterError

LEXEME, BEGINNING, PUBLISHER, SOURCE = "l", "b", "p", "s"
"""What an anchor starts with: before a lexeme, before the first character of one, before a
publisher's plain name, and before a source."""

TOO_BROAD = "too_broad"
"""The code of the errors for queries that match too much."""

MOST_REQUIRED = 4
"""Further anchors that are required of an article: those few leave almost only matches."""

Group = tuple[str, ...]


def list_groups(query: ArchiveQuery) -> Sliced[tuple[Group, ...]]:
    """Return the groups of a query's anchors.

    Raises:
        InvalidParameterError: an alternative names nothing that an article must have.
    """
    groups: dict[Group, None] = {}
    for alternative in query.alternatives or ((),):
        found = (
            (yield from _list_word_groups(alternative))
            or _list_author_groups(alternative)
            or _list_outlet_groups(alternative, query)
        )
        if not found:
            raise InvalidParameterError("q", TOO_BROAD, _describe_fault(query))
        groups |= dict.fromkeys(found)
    return tuple(groups)


def choose_anchors(
    groups: Iterable[Group], articles: Mapping[str, int]
) -> dict[str, frozenset[str]]:
    """Return the rarest anchor of each group, of equals the longest, and what it requires.

    An anchor of several groups requires what all of them do.

    Args:
        groups: from `list_groups`.
        articles: in how many articles each lexeme occurs; 0 for those that are missing.
    """

    def rate(anchor: str) -> tuple[bool, int, int, str]:
        known = articles.get(anchor[1:], 0)
        return anchor.startswith(BEGINNING), known, -len(anchor), anchor

    chosen: dict[str, frozenset[str]] = {}
    for group in groups:
        rarest, *others = sorted(group, key=rate)
        required = frozenset(others[:MOST_REQUIRED])
        chosen[rarest] = chosen.get(rarest, required) & required
    return chosen


def _list_word_groups(alternative: Sequence[Condition]) -> Sliced[list[Group]]:
    """Return a group for each language in which the wanted words say something."""
    wanted = _select_wanted(alternative, Field.ANY, Field.TITLE)
    found = []
    for language in INDEX_LANGUAGES if wanted else ():
        terms = select_essential(wanted, language)
        group = [anchor for term in terms for anchor in _list_run_anchors(term.text, language)]
        if group:
            found.append(tuple(dict.fromkeys(group)))
        yield
    return found


def _list_run_anchors(text: str, language: str) -> list[str]:
    run = build_run(text, language)
    if run is None:
        return []
    anchors = [LEXEME + lexeme for lexeme in run.lexemes]
    return [*anchors[:-1], BEGINNING + run.lexemes[-1][0]] if run.prefix else anchors


def _list_author_groups(alternative: Sequence[Condition]) -> list[Group]:
    runs = [build_run(one.text, SIMPLE) for one in _select_wanted(alternative, Field.AUTHOR)]
    words = [word for run in runs if run is not None for word in run.words]
    return [tuple(LEXEME + AUTHOR + word for word in words)] if words else []


def _list_outlet_groups(alternative: Sequence[Condition], query: ArchiveQuery) -> list[Group]:
    """Return the publisher that is named, else the source or each of the sources."""
    publishers = [one.text for one in _select_wanted(alternative, Field.PUBLISHER)]
    if query.publisher is not None:
        publishers.append(query.publisher)
    if publishers:
        return [tuple(PUBLISHER + fold_plain_name(name) for name in publishers)]
    named = [one.text for one in _select_wanted(alternative, Field.SOURCE)]
    if named:
        return [tuple(SOURCE + name for name in named)]
    return [(SOURCE + name,) for name in query.sources]


def _select_wanted(alternative: Sequence[Condition], *fields: Field) -> list[Condition]:
    return [one for one in alternative if one.field in fields and not one.negated]


def _describe_fault(query: ArchiveQuery) -> str:
    if not query.alternatives:
        return "the query must hold a word to look for, or name a publisher or sources."
    return (
        "each alternative of q must hold a word that must occur, or name an author, a publisher or "
        "a source: one that only excludes would match nearly every article."
    )

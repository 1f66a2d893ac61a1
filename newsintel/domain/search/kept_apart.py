"""Lists near misses: stories with similar titles, and what shows that they are two."""

from collections.abc import Mapping, Sequence

from attrs import frozen

from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.search.article import Article, Group
from newsintel.domain.search.dedup import build_headline, read_headline
from newsintel.domain.search.stories.index import Stories
from newsintel.domain.search.stories.vetoes import Veto


@frozen
class KeptApart:
    """The founder of another group with a similar title.

    Attributes:
        veto: why it is another story.
        similarity: of the titles, 0..1.
    """

    article: Article
    veto: Veto
    similarity: float


def list_kept_apart(
    groups: Sequence[Group], shown: Sequence[Group]
) -> Sliced[Mapping[str, tuple[KeptApart, ...]]]:
    """List the near misses of some groups among all groups of a merge.

    Returns:
        By the id of a group's founder: at most five, the most similar first.
    """
    stories = Stories()
    numbers = {}
    for number, group in enumerate(groups):
        yield
        stories.add(read_headline(build_headline(group.founder)))
        numbers[group.founder.id] = number
    apart = {}
    for group in shown:
        yield
        misses = yield from stories.find_near_misses(
            read_headline(build_headline(group.founder)), numbers[group.founder.id]
        )
        apart[group.founder.id] = tuple(
            KeptApart(groups[miss.number].founder, miss.veto, miss.similarity) for miss in misses
        )
    return apart

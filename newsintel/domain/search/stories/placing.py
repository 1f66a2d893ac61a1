"""Places arriving articles into the stories of an archive."""

from collections.abc import Sequence

from attrs import frozen

from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.search.article import Rule
from newsintel.domain.search.stories.index import Stories
from newsintel.domain.search.stories.judging import Told


@frozen
class Numbered:
    """An article by its number in the archive; a lower number came earlier."""

    number: int
    told: Told


@frozen
class Placed:
    """The story of an article.

    Attributes:
        number: of the article.
        founder: the number of the story's first article; its own if it founded one.
        rule: why it matched; None if it founded a story.
        similarity: of the two titles, 0..1; None if it founded a story.
    """

    number: int
    founder: int
    rule: Rule | None = None
    similarity: float | None = None


def place_articles(
    founders: Sequence[Numbered], arrived: Sequence[Numbered]
) -> Sliced[list[Placed]]:
    """Find the story of each article: of an earlier founder, or of one that arrived before it.

    Args:
        founders: all founders that may be of the stories, the earliest first.
        arrived: the articles without a story, the earliest first.
    """
    stories, numbers = Stories(), []
    for founder in founders:
        stories.add(founder.told)
        numbers.append(founder.number)
    placed = []
    for article in arrived:
        yield
        found = yield from stories.find(article.told)
        if found is None:
            stories.add(article.told)
            numbers.append(article.number)
            placed.append(Placed(article.number, article.number))
        else:
            place, similarity = found
            rule = Rule.TITLE if similarity == 1.0 else Rule.NEAR_TITLE
            placed.append(Placed(article.number, numbers[place], rule, similarity))
    return placed

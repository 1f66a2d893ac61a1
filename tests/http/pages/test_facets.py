"""The publishers of a search: counts, and the stories of some."""

from newsintel.domain.search.article import Group, Member
from newsintel.domain.search.harvest import Ranked, ScoreParts
from newsintel.http.pages.facets import MOST_PUBLISHERS, count_publishers, filter_stories
from tests.make import article


def story(*publishers):
    """A story that these publishers report."""
    members = tuple(Member(article(f"{name}-{publishers}", publisher=name)) for name in publishers)
    return Ranked(Group(members, members[0].article), ScoreParts(0, 0, 0, 0, 0, 0))


ALONE, BOTH, OTHER = story("A"), story("A", "B", "A"), story("B")


def test_a_publisher_counts_once_a_story():
    """The most frequent come first; of equals, by name."""
    assert count_publishers([ALONE, BOTH, OTHER]) == [("A", 2), ("B", 2)]
    many = [story(f"p{number:02}") for number in range(20)]
    assert len(count_publishers(many)) == MOST_PUBLISHERS


def test_a_publisher_is_kept_or_dropped():
    """A story that others report too stays when one publisher is dropped."""
    stories = [ALONE, BOTH, OTHER]
    assert filter_stories(stories, None, None) == (ALONE, BOTH, OTHER)
    assert filter_stories(stories, "A", None) == (ALONE, BOTH)
    assert filter_stories(stories, None, "A") == (BOTH, OTHER)
    assert filter_stories(stories, "A", "A") == (BOTH,)

"""Articles, and stories: groups of articles about the same event.

All values are frozen; times are aware UTC.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from attrs import evolve, frozen

MAX_TITLE, MAX_DESCRIPTION, MAX_CONTENT, MAX_NAME = 300, 2000, 50_000, 200
"""In characters. Reddit allows 300 in a title, and the longest title recorded elsewhere has 150. A
description is shown in lists of results, up to 100 on a page; the content is for reading one
article. A name (author, publisher, section) is one line."""


@frozen
class Engagement:
    """Reactions of readers, as counted by the source.

    Attributes:
        url: of the page where they discuss; None if unknown.
    """

    points: int
    comments: int
    url: str | None = None


@frozen
class Article:
    """One article, post or video, normalised by its source's adapter. All text is plain text.

    Attributes:
        id: `a_` and the first 20 lower-case base32 characters of SHA-256(canonical_url); the public
            id.
        source: the adapter's name, e.g. `guardian`.
        external_id: the source's id of the item (for NewsAPI, which has none, the URL it gave).
        url: the URL to open: http or https, at most 2048 characters.
        canonical_url: the identity: one URL for all spellings of the same page.
        publisher: the outlet, e.g. `The Guardian`, `BBC News`; `r/worldnews` only for posts without
            a link.
        country: of the publisher, two capitals (ISO 3166-1), if the source says it.
        published_at_estimated: True if the source gave no usable date. Then the date is the time of
            the fetch.
    """

    id: str
    source: str
    external_id: str
    url: str
    canonical_url: str
    title: str
    publisher: str
    published_at: datetime
    published_at_estimated: bool = False
    description: str | None = None
    content: str | None = None
    author: str | None = None
    section: str | None = None
    image_url: str | None = None
    language: str | None = None
    country: str | None = None
    engagement: Engagement | None = None


class Rule(StrEnum):
    """Why two articles count as one."""

    URL = "url"
    TITLE = "title"
    NEAR_TITLE = "near_title"


@frozen
class Member:
    """An article of a group, and why it matched.

    Attributes:
        rule: None for the founder.
        similarity: of the title to the founder's, 0..1; None for the founder.
    """

    article: Article
    rule: Rule | None = None
    similarity: float | None = None


@frozen
class Group:
    """Articles that count as one story.

    `members` is in founder order, with the founder first. `leader` is the member that is shown.
    """

    members: tuple[Member, ...]
    leader: Article

    @property
    def founder(self) -> Article:
        """The first member, with which the others were compared."""
        return self.members[0].article

    @property
    def discussion(self) -> Engagement | None:
        """Where readers discuss the story: the leader's page, else any other page of the group."""
        return self.find_discussion(self.leader.id) or _choose_discussion(self.members)

    def list_others(self, article: Article) -> list[Member]:
        """Return every member except one article, in founder order.

        If the founder is among them, it gets the rule and the similarity of that article: they tie
        the two together.
        """
        place = next(at for at, member in enumerate(self.members) if member.article == article)
        others = [member for at, member in enumerate(self.members) if at != place]
        if place > 0:
            own = self.members[place]
            others[0] = evolve(others[0], rule=own.rule, similarity=own.similarity)
        return others

    def find_discussion(self, article_id: str) -> Engagement | None:
        """Return where readers discuss a page: several members may be the same page."""
        return _choose_discussion(
            member for member in self.members if member.article.id == article_id
        )


def _choose_discussion(members: Iterable[Member]) -> Engagement | None:
    """Return the discussion with the most points, on a tie the first; None if there is none."""
    counted = (member.article.engagement for member in members)
    return max(
        (it for it in counted if it is not None and it.url is not None),
        key=lambda it: it.points,
        default=None,
    )


@frozen
class ArchivedArticle:
    """An article in the archive.

    Attributes:
        leader_id: public id of the article that lists this one as a duplicate; its own id if there
            is none.
        group_id: public id of the first article of its story, which never changes; None while the
            story is not known yet.
        duplicates: the other articles of its story, the earliest first.
    """

    article: Article
    first_seen_at: datetime
    fetched_at: datetime
    leader_id: str
    group_id: str | None = None
    duplicates: tuple[Member, ...] = ()


@frozen
class Pair:
    """A member and the founder of its group in one merge, by public id."""

    member_id: str
    founder_id: str
    rule: Rule
    similarity: float

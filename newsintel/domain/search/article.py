"""Articles, and stories: groups of articles that tell the same. All values are frozen; times are aware UTC."""

from datetime import datetime
from enum import StrEnum

from attrs import frozen

MAX_TITLE, MAX_DESCRIPTION, MAX_CONTENT, MAX_NAME = 300, 2000, 50_000, 200
"""Characters. Reddit allows 300 in a title, and the longest title recorded elsewhere has 150. A description is for a list of results, of
which a page may hold 100; the content is for reading one. A name (author, publisher, section) is a line."""


@frozen
class Engagement:
    """What readers did, as a source counts it."""

    points: int
    comments: int


@frozen
class Article:
    """One article, post or video, normalised by its source's adapter. All text is plain text.

    Attributes:
        id: `a_` and the first 20 lower-case base32 characters of SHA-256(canonical_url); the public id.
        source: the adapter's name, e.g. `guardian`.
        external_id: the source's own identity of the item (for NewsAPI, which has none, the URL it gave).
        url: the address to open: http or https, at most 2048 characters.
        canonical_url: the identity: one address for all spellings of the same page.
        publisher: the outlet, e.g. `The Guardian`, `BBC News`, `r/worldnews`.
        published_at_estimated: True where the source gave no usable date and the time of the fetch stands in.
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
    engagement: Engagement | None = None


class Rule(StrEnum):
    """Why two articles count as one."""

    URL = "url"
    TITLE = "title"
    NEAR_TITLE = "near_title"


@frozen
class Member:
    """An article of a group, and what tied it to the group's founder.

    Attributes:
        rule: None on the founder itself.
        similarity: of the titles, 0..1; None on the founder itself.
    """

    article: Article
    rule: Rule | None = None
    similarity: float | None = None


@frozen
class Group:
    """Articles that count as one story. `members` is in founder order, the founder first; `leader` is the one shown."""

    members: tuple[Member, ...]
    leader: Article

    @property
    def founder(self) -> Article:
        """The member that the others were compared with."""
        return self.members[0].article


@frozen
class ArchivedArticle:
    """An article as the archive has it.

    Attributes:
        leader_id: public id of the article this one is listed under as a duplicate; its own id if it stands alone.
    """

    article: Article
    first_seen_at: datetime
    fetched_at: datetime
    leader_id: str


@frozen
class Pair:
    """Two articles that one merge put into one group: the member and its founder, by public id."""

    member_id: str
    founder_id: str
    rule: Rule
    similarity: float

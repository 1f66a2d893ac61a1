"""Saved searches and what they matched. All values are frozen; times are aware UTC."""

from datetime import datetime, timedelta

from attrs import frozen

from newsintel.domain.alerts.channels import ChannelKind
from newsintel.domain.alerts.digests import Every
from newsintel.domain.archive.model import Hit
from newsintel.domain.paging import Position
from newsintel.domain.search.article import Article

MOST_CHANNELS = 5
"""Maximum channels of one saved search."""

MOST_PUBLISHERS = 50
"""Of one story. Hundreds of outlets print an agency's report, under one title."""

PREVIEW_DAYS = 30
"""How far back a preview looks."""

MATCHES_KEPT = timedelta(days=90)
"""How long a match is listed. A story has no new members after three days, so it cannot alert
again."""


@frozen
class WatchedQuery:
    """What a saved search looks for, as its person asked for it.

    Attributes:
        q: a query of the archive's grammar, tidied; None = every article that the filters leave.
        sources: the adapters wanted; () = all.
        publisher: the whole name of a publisher, or None.
        language: two lower-case letters, or None.
    """

    q: str | None
    sources: tuple[str, ...] = ()
    publisher: str | None = None
    language: str | None = None


@frozen
class Channel:
    """A way in which a saved search's alerts are sent, as its person sees it.

    Attributes:
        id: the internal id.
        address: empty for a feed.
        confirmed_at: when the owner of an e-mail address agreed; None for other kinds.
        disabled_at: since when nothing is sent; None = alerts are sent.
        disabled_reason: why, in one line.
        failing_since: the first of the failures since the last success; None = no failures.
        last_delivered_at: None = never.
    """

    id: int
    kind: ChannelKind
    address: str
    confirmed_at: datetime | None = None
    disabled_at: datetime | None = None
    disabled_reason: str | None = None
    failing_since: datetime | None = None
    last_delivered_at: datetime | None = None

    @property
    def works(self) -> bool:
        """Whether alerts arrive, as far as known."""
        waits = self.kind is ChannelKind.EMAIL and self.confirmed_at is None
        return self.disabled_at is None and self.failing_since is None and not waits


@frozen
class NewChannel:
    """A channel to be stored.

    Attributes:
        secret: the signing secret of a webhook, `whsec_…`; stored sealed. None for other kinds.
        feed_digest: SHA-256 of the secret in a feed's address, in hexadecimal; None for other
            kinds.
    """

    kind: ChannelKind
    address: str
    secret: str | None = None
    feed_digest: str | None = None


@frozen
class SearchDraft:
    """What a person decides about a saved search.

    Attributes:
        later_members: whether each publisher that tells a story later alerts, too.
    """

    name: str
    query: WatchedQuery
    every: Every
    time_zone: str
    paused: bool = False
    later_members: bool = False


@frozen
class SavedSearch:
    """A saved search as its person sees it.

    Attributes:
        public_id: `w_` and 20 lower-case base32 characters.
        name: the person's own.
        time_zone: an IANA name, for digests.
        changed_at: the last change of anything here.
        last_matched_at: the newest match that is still kept, or None.
        later_members: whether each publisher that tells a story later alerts, too.
    """

    public_id: str
    name: str
    query: WatchedQuery
    channels: tuple[Channel, ...]
    every: Every
    time_zone: str
    paused: bool
    created_at: datetime
    changed_at: datetime
    last_matched_at: datetime | None = None
    later_members: bool = False

    @property
    def works(self) -> bool:
        """Whether all channels work."""
        return all(channel.works for channel in self.channels)


@frozen
class Match:
    """A story that a saved search matched, or a later member of it.

    Attributes:
        group_id: public id of the story's first article.
        article: the article that matched first, or the later member.
        publishers: who else tells it, in alphabetical order; at most MOST_PUBLISHERS.
        is_later: it is a later member: the search had matched this story before.
        first_title: of a later member, the title of the article that matched first; None if that
            was deleted.
    """

    group_id: str
    article: Article
    matched_at: datetime
    publishers: tuple[str, ...] = ()
    is_later: bool = False
    first_title: str | None = None


@frozen
class MatchPage:
    """Some matches, the latest first, and where the next page begins; None on the last page."""

    matches: tuple[Match, ...]
    next: Position | None


@frozen
class Preview:
    """What a query would have brought in the last PREVIEW_DAYS, each story once.

    Attributes:
        count: stories.
        per_day: the start of each UTC day, the earliest first, with its stories; without gaps.
        publishers: the most frequent ones of the stories' first matches, at most 20.
        hits: the first match of each of the newest stories, at most 10, the newest first.
        later_members: how many more alerts the later publishers of these stories would make.
    """

    count: int
    per_day: tuple[tuple[datetime, int], ...]
    publishers: tuple[tuple[str, int], ...]
    hits: tuple[Hit, ...]
    later_members: int = 0

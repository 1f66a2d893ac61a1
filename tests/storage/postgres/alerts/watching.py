"""What tests of saved searches share: drafts, and articles that arrive now."""

from datetime import UTC, datetime, timedelta

from attrs import evolve

from newsintel.domain.alerts.channels import ChannelKind
from newsintel.domain.alerts.digests import Every
from newsintel.domain.alerts.model import NewChannel, SearchDraft, WatchedQuery
from newsintel.domain.alerts.ports import Revise
from newsintel.domain.search.article import Article
from tests.storage.support import article

BEFORE = datetime.now(UTC) - timedelta(hours=2)
"""When the searches of a test are saved. It is real time: the database's trigger compares with its
own clock."""
NOW = BEFORE + timedelta(hours=1)

NTFY = NewChannel(ChannelKind.NTFY, "https://ntfy.sh/storms")


def draft(q: str | None = "storm", **changes) -> SearchDraft:
    """A saved search for some words; `sources`, `publisher` and `language` are its filters."""
    filters = {
        name: changes.pop(name) for name in ("sources", "publisher", "language") if name in changes
    }
    given = SearchDraft("Storms", WatchedQuery(q, **filters), Every.AT_ONCE, "UTC")
    return evolve(given, **changes)


def becomes(wanted: SearchDraft, *channels: NewChannel) -> Revise:
    """A change to these values and channels; without channels, the search keeps its own."""
    return lambda _: (wanted, channels or None)


def told(name: str, title: str, **changes) -> Article:
    """An article of its own outlet that arrives now."""
    given = {"publisher": f"{name} News", "published_at": NOW, "description": None, "content": None}
    return article(name, title=title, **(given | changes))


class Newsroom:
    """An archive with stories and saved searches.

    Args:
        archive, stories, searches, matching: the stores.
        user_id: the account that saves searches.
    """

    def __init__(self, archive, stories, searches, matching, user_id: int) -> None:
        self._archive, self._stories = archive, stories
        self.searches, self.matching, self.user_id = searches, matching, user_id

    async def save(self, q: str | None = "storm", *channels: NewChannel, **changes) -> str:
        """Save a search; return its public id."""
        made = await self.searches.create(
            self.user_id, draft(q, **changes), channels or (NTFY,), 1_000_000, BEFORE
        )
        return made.public_id

    async def archive(self, *articles: Article, at: datetime = NOW) -> None:
        """Save articles and find their stories."""
        await self._archive.save_articles([(one, at) for one in articles], [])
        while await self._stories.place_batch():
            pass

    async def arrive(self, *articles: Article, at: datetime = NOW) -> None:
        """Save articles, find their stories, and match them."""
        await self.archive(*articles, at=at)
        while await self.matching.match_batch():
            pass

    async def list_titles(self, search: str) -> list[str]:
        """The titles that a search matched, the latest first."""
        page = await self.searches.list_matches(self.user_id, search, 100, None)
        return [match.article.title for match in page.matches]

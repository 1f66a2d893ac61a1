"""A feed reader that talks to a world: literally what newsboat and others send."""

from datetime import timedelta

from attrs import evolve

from newsintel.domain.archive.model import Hit
from newsintel.domain.personal.model import FeedList, PrivateFeed
from newsintel.domain.reader.item_ids import compute_number, write_long
from newsintel.domain.search.article import ArchivedArticle
from newsintel.http.application import create_app
from tests.fakes.accounts import program
from tests.http.world import NOW, World, article

ROOT = "/compat/greader"
API = f"{ROOT}/reader/api/0"
STATE = "user/-/state/com.google/"
FORM = "application/x-www-form-urlencoded"


def numbered(number, title=None):
    """Return an article whose id begins with its number, as a hit that arrived when published."""
    one = article(number)
    letters = one.id[2:][::-1].ljust(20, "a")
    one = evolve(one, id=f"a_{letters}", title=title or one.title)
    return Hit(one, one.published_at, one.published_at)


def long_id(hit):
    """Return the long form of an article's item id."""
    return write_long(compute_number(hit.article.id))


async def make_world(*hits, feeds=(("All news", None),), username="alice"):
    """Return a world with these articles, in which a person follows feeds."""
    world = World()
    world.reader_articles.hits = list(hits)
    for hit in hits:
        world.desk.archived[hit.article.id] = ArchivedArticle(hit.article, NOW, NOW, hit.article.id)
    await follow(world, username, *feeds)
    return world


async def follow(world, username, *feeds):
    """Make feeds for a person."""
    account = await world.accounts.sign_in("dev", username, username, NOW)
    for place, (name, q) in enumerate(feeds):
        made_at = NOW + timedelta(seconds=place)
        feed = PrivateFeed("", name, FeedList.ARCHIVE, q, made_at)
        await world.feeds.create(account.id, feed, f"{username}{name}", 20)


class Reader:
    """A reader with a person's key."""

    def __init__(self, world, headers):
        self._client = create_app(world.services).test_client()
        self.key = headers["Authorization"].removeprefix("Bearer ")

    @classmethod
    async def of(cls, world, username="alice", **more):
        """Give a person's key to a reader."""
        return cls(world, await program(world, username, **more))

    async def ask(self, path, *, form=None, method=None, **headers):
        """Send one request as a client of Google Reader does."""
        sent = {"Authorization": f"GoogleLogin auth={self.key}"} | headers
        if form is None:
            return await self._client.open(path, method=method or "GET", headers=sent)
        sent = {"Content-Type": FORM} | sent
        return await self._client.open(path, method="POST", headers=sent, data=form)

    async def get(self, path):
        """Return the body of a GET, which must succeed."""
        response = await self.ask(path)
        assert response.status_code == 200, await response.get_data()
        return await response.get_json()

    async def post(self, path, form):
        """Return the text of a POST, which must succeed."""
        response = await self.ask(path, form=form)
        assert response.status_code == 200, await response.get_data()
        return (await response.get_data()).decode()

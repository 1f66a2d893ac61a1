"""The simulated feeds, read by feedparser and by newsintel."""

from datetime import timedelta

import feedparser
import pytest

from newsintel.demo.api import Clocks
from newsintel.demo.bulletins import generate_bulletins
from newsintel.demo.feeds import LIST, FeedsApi
from newsintel.demo.wire import Request
from newsintel.domain.bounds.slices import run_all
from newsintel.outbound.sources.feeds.opml import read_opml
from tests.demo.conftest import NOW
from tests.outbound.sources.feeds.reading import page

ROOT = "http://127.0.0.1:1"


class Api:
    """The simulated feeds, and the seconds since the start."""

    def __init__(self) -> None:
        self.ran_s = 0.0
        self.feeds = FeedsApi(ROOT, Clocks(NOW, lambda: self.ran_s), 1)

    def get(self, path: str, **headers):
        """The answer to a request."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.feeds.answer_request(Request("GET", path, {}, named))

    def list_paths(self) -> list[str]:
        """The paths of all feeds."""
        return [one.address.removeprefix(ROOT) for one in run_all(read_opml(self.get(LIST).body))]


@pytest.fixture
def api() -> Api:
    """The feeds of a server that has just started."""
    return Api()


def test_every_outlet_has_a_feed_in_one_of_four_formats(api):
    """feedparser finds no fault; both find the same items."""
    paths = api.list_paths()
    assert len(paths) == 13
    assert {path.rpartition(".")[2] for path in paths} == {"rss", "atom", "rdf", "json"}
    for path in paths:
        reply = api.get(path)
        ours = page(reply.body, NOW).articles
        assert ours, path
        if not path.endswith(".json"):
            theirs = feedparser.parse(reply.body)
            assert not theirs.bozo
            assert [one.title for one in theirs.entries] == [one.title for one in ours]
            assert [one.link for one in theirs.entries] == [one.url for one in ours]


def test_an_unchanged_feed_is_not_sent_again(api):
    """By its entity tag."""
    path = api.list_paths()[0]
    tag = api.get(path).headers["ETag"]
    again = api.get(path, if_none_match=tag)
    assert (again.status, again.body) == (304, b"")
    assert api.get(path, if_none_match='"other"').status == 200


def test_news_keeps_arriving(api):
    """A new event each minute, told by some outlets; nothing is from the future."""
    paths = api.list_paths()
    before = {path: api.get(path).body for path in paths}
    api.ran_s = 600
    now = NOW + timedelta(seconds=600)
    changed = [path for path in paths if api.get(path).body != before[path]]
    assert len(changed) >= 5
    for path in changed:
        found = page(api.get(path).body, now).articles
        assert found[0].published_at > NOW
        assert all(one.published_at <= now for one in found)


def test_equal_arguments_give_equal_bulletins():
    """In every process; later ones only add to them."""
    short = list(generate_bulletins(NOW, NOW + timedelta(hours=1), 3))
    longer = list(generate_bulletins(NOW, NOW + timedelta(hours=2), 3))
    assert longer[: len(short)] == short
    assert len({one.title for one in short}) >= 55
    assert len(list(generate_bulletins(NOW, NOW, 3))) == 0


def test_another_path_is_404(api):
    """It says where the list is."""
    assert api.get("/feeds/nope.rss").status == 404

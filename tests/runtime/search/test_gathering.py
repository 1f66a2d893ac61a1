"""A flight's outcomes, grouped as they arrive."""

from itertools import permutations

import pytest
import trio

from newsintel.domain.bounds.room import ByteBudget
from newsintel.domain.search.dedup import Grouping, group_articles
from newsintel.domain.search.outcome import Status
from newsintel.domain.search.popularity import SaveCounter
from newsintel.domain.search.query_model import Dedupe
from newsintel.runtime.search import gathering
from newsintel.runtime.search.flight import Flight
from newsintel.runtime.search.gathering import Gathering
from tests.make import NOON, article, outcome, query

SOURCES = ("newsapi", "guardian", "reddit", "feeds")
SHARED = "Parliament passes the budget after a long night"
ORDERS = list(permutations(SOURCES))
OUTCOMES = {
    name: outcome(
        name,
        articles=(
            article(f"{name}1", source=name, title=SHARED, publisher=name),
            article(f"{name}2", source=name),
        ),
    )
    for name in SOURCES[:3]
} | {"feeds": outcome("feeds", Status.DISABLED)}


@pytest.fixture
def grouped(monkeypatch):
    """The names of all articles that were grouped, in order."""
    names = []

    class Noted(Grouping):
        def add(self, articles):
            articles = tuple(articles)
            names.extend(one.external_id for one in articles)
            return super().add(articles)

    monkeypatch.setattr(gathering, "Grouping", Noted)
    return names


async def gather(order):
    """Report outcomes in some order of arrival; return the groups."""
    flight = Flight(query(sources=SOURCES), trio.current_time() + 1, on_answer=lambda *_: None)
    saves = SaveCounter()
    with Gathering(flight, ByteBudget(2**20), saves, lambda: NOON) as found:
        for name in order:
            await found.receive(OUTCOMES[name])
        return found.found.groups


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
async def test_the_order_of_arrival_does_not_change_the_groups(order):
    """They are those of all articles in founder order."""
    articles = [one for name in SOURCES for one in OUTCOMES[name].articles]
    assert await gather(order) == group_articles(articles, Dedupe.NORMAL)


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
async def test_articles_are_grouped_again_only_if_earlier_ones_arrive(order, grouped):
    """A source without articles, whenever it reports, groups nothing again."""
    await gather(order)
    expected, known = [], []
    for name in order:
        if name == "feeds":
            continue
        known = sorted([*known, name], key=SOURCES.index)
        again = [name] if known[-1] == name else known
        expected += [one.external_id for source in again for one in OUTCOMES[source].articles]
    assert grouped == expected

"""Builds values for tests: each function fills in the members that a test does not set."""

from datetime import UTC, datetime, timedelta

from newsintel.domain.search.article import Article
from newsintel.domain.search.harvest import Answer, Harvest
from newsintel.domain.search.history import SearchRecord
from newsintel.domain.search.merging import merge_articles
from newsintel.domain.search.outcome import FetchOutcome, Status
from newsintel.domain.search.query_model import Dedupe, Query, Sort
from newsintel.runtime.search.flight import Failed, Flight, Landed, StaleFound, find_answer

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """A time, in seconds after NOON."""
    return NOON + timedelta(seconds=seconds)


def article(name: str = "a", **changes) -> Article:
    """An article, identified by its name."""
    values = {
        "id": f"a_{name}",
        "source": "guardian",
        "external_id": name,
        "url": f"https://news.example/{name}",
        "canonical_url": f"https://news.example/{name}",
        "title": f"Title of {name}",
        "publisher": "The Example",
        "published_at": NOON,
    }
    return Article(**(values | changes))


async def landing(flight: Flight) -> Landed:
    """Wait until a flight has landed; raise its error if it failed."""
    end, seen = None, 0
    while not isinstance(end, Landed):
        *_, end = events = await flight.wait_for_events(seen)
        seen += len(events)
        if isinstance(end, Failed):
            raise end.error
    return end


async def wait_for_answer(flight: Flight) -> Landed | StaleFound:
    """Wait until a flight has an answer: its last event, or an older answer."""
    seen, found = 0, None
    while found is None:
        events = await flight.wait_for_events(seen)
        seen, found = seen + len(events), find_answer(events)
    return found


def query(
    key: str = "k", sources: tuple[str, ...] = ("newsapi", "guardian", "reddit"), **changes
) -> Query:
    """A query, identified by its key."""
    values = {
        "text": key,
        "clauses": (),
        "sources": sources,
        "start": None,
        "end": None,
        "language": None,
        "sort": Sort.RELEVANCE,
        "key": key,
    }
    return Query(**(values | changes))


def outcome(
    source: str = "guardian", status: Status = Status.OK, when: datetime = NOON, **changes
) -> FetchOutcome:
    """A source's outcome: one article named after the source, unless it failed."""
    articles = (article(f"{source}1", source=source),) if status is Status.OK else ()
    return FetchOutcome(
        source, status, when, **({"articles": articles, "returned": len(articles)} | changes)
    )


def harvest(
    *outcomes: FetchOutcome, when: datetime = NOON, asked: Query | None = None, **changes
) -> Harvest:
    """A harvest of the given outcomes; by default of one successful outcome."""
    outcomes = outcomes or (outcome(when=when),)
    return Harvest(
        asked or query(sources=tuple(o.source for o in outcomes)), when, outcomes, **changes
    )


def answer(*outcomes: FetchOutcome, when: datetime = NOON, asked: Query | None = None) -> Answer:
    """A harvest with its default merge."""
    whole = harvest(*outcomes, when=when, asked=asked)
    return Answer(whole, merge_articles(whole.query, whole.articles, Dedupe.NORMAL, when))


def account_id(number: int) -> str:
    """Return a public id of an account, another one for each number."""
    return f"u_{number:020d}".translate(str.maketrans("0189", "abcd"))


def search_record(**changes) -> SearchRecord:
    """A search by an anonymous caller, identified by its query."""
    values = {
        "query": "q",
        "key": "k",
        "results_count": 1,
        "searched_at": NOON,
        "user_id": None,
        "person": "p",
        "articles": (),
    }
    follows = {
        "repeat_key": changes.get("query", "q"),
        "form": changes.get("query", "q").casefold(),
    }
    return SearchRecord(**(follows | values | changes))

"""Articles, queries and harvests for tests.

Simple ones by name, and Hypothesis strategies that make the interesting cases likely.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from newsintel.domain.search.article import Article, Engagement
from newsintel.domain.search.harvest import Harvest, Origin
from newsintel.domain.search.outcome import FetchOutcome, HeldFrom, Status
from newsintel.domain.search.query_model import Clause, Dedupe, Query, Sort, Term

NOW = datetime(2026, 3, 4, 5, 6, 7, 891234, tzinfo=UTC)
# For properties that are checked against slow definitions: a busy machine must not fail them.
unhurried = settings(deadline=None)

SOURCES = ("newsapi", "guardian", "reddit")
THREADS = tuple(f"https://www.reddit.com/r/{name}/comments/1/" for name in ("news", "world"))


def article(page: str = "one", **changes: Any) -> Article:
    """An article on the given page, an hour old."""
    values: dict[str, Any] = {
        "id": f"a_{page:0>20}",
        "source": "guardian",
        "external_id": page,
        "url": f"https://example.org/{page}?from=front",
        "canonical_url": f"https://example.org/{page}",
        "title": f"The story of {page}",
        "publisher": "The Guardian",
        "published_at": NOW - timedelta(hours=1),
    }
    return Article(**values | changes)


def query(*clauses: Clause, sort: Sort = Sort.RELEVANCE) -> Query:
    """A query with these alternatives; by default for `story`."""
    return Query(
        "story", clauses or (Clause((Term("story"),)),), SOURCES, None, None, None, sort, "0" * 32
    )


def outcome(source: str, *articles: Article, **changes: Any) -> FetchOutcome:
    """A successful outcome of a source."""
    values: dict[str, Any] = {
        "status": Status.OK,
        "fetched_at": NOW,
        "articles": articles,
        "returned": len(articles),
    }
    return FetchOutcome(source, **values | changes)


# Few letters and lengths: near titles, ties, equal titles and similarities of exactly 0.8 all
# occur.
titles = st.text("ab ", max_size=11) | st.sampled_from(
    ["", " ", "aaaaa", "AAAAA", "aaaab", "Live: aaaaa", "aaaaa (video)", "ÄÖÜßé漢字"]
)
moments = st.datetimes(timezones=st.just(UTC))
_maybe_text = st.none() | st.text(max_size=8)


@st.composite
def articles(
    draw: st.DrawFn, title: st.SearchStrategy[str] = titles, source: str | None = None
) -> Article:
    """Any article, on one of a few pages."""
    return article(
        draw(st.sampled_from("pqrstuvwxyz")),
        source=source or draw(st.sampled_from(SOURCES)),
        title=draw(title),
        publisher=draw(st.sampled_from(["BBC News", "bbc  news", "r/worldnews", ""])),
        published_at=draw(moments),
        published_at_estimated=draw(st.booleans()),
        description=draw(_maybe_text),
        content=draw(_maybe_text),
        author=draw(_maybe_text),
        section=draw(_maybe_text),
        image_url=draw(_maybe_text),
        language=draw(st.none() | st.just("en")),
        engagement=draw(
            st.none()
            | st.builds(
                Engagement,
                st.integers(-5, 10**7),
                st.integers(0, 10**6),
                st.none() | st.sampled_from(THREADS),
            )
        ),
    )


terms = st.builds(Term, st.text(max_size=6) | st.sampled_from(["a", "ab", "aa b"]), st.booleans())
clauses = st.builds(
    Clause,
    st.lists(terms, min_size=1, max_size=3).map(tuple),
    st.lists(terms, max_size=1).map(tuple),
)
queries = st.builds(
    Query,
    text=st.text(min_size=1, max_size=20),
    clauses=st.lists(clauses, min_size=1, max_size=3).map(tuple),
    sources=st.just(SOURCES),
    start=st.none() | moments,
    end=st.none() | moments,
    language=st.none() | st.just("de"),
    sort=st.sampled_from(Sort),
    key=st.just("ab" * 16),
)
modes = st.sampled_from(Dedupe)


@st.composite
def harvests(draw: st.DrawFn) -> Harvest:
    """Any harvest, sometimes from the archive."""
    outcomes = tuple(
        FetchOutcome(
            source,
            draw(st.sampled_from(Status)),
            draw(moments),
            articles=tuple(draw(st.lists(articles(source=source), max_size=4))),
            returned=draw(st.integers(0, 100)),
            dropped=draw(st.dictionaries(st.text(max_size=5), st.integers(0, 9), max_size=2)),
            latency_ms=draw(st.none() | st.floats(0, 1e6)),
            http_status=draw(st.none() | st.integers(100, 599)),
            retry_at=draw(st.none() | moments),
            ignored=tuple(draw(st.lists(st.text(max_size=5), max_size=2))),
            detail=draw(_maybe_text),
            keep_s=draw(st.floats(0, 1e5)),
            held_back=draw(st.sampled_from([None, *HeldFrom])),
        )
        for source in SOURCES
    )
    archived = tuple(draw(st.lists(articles(), max_size=2)))
    origin = Origin.ARCHIVE if archived else Origin.LIVE
    ids = [
        article.id
        for article in (
            *archived,
            *(article for outcome in outcomes for article in outcome.articles),
        )
    ]
    saves = (
        draw(st.dictionaries(st.sampled_from(ids), st.integers(3, 5_000), max_size=3))
        if ids
        else {}
    )
    return Harvest(draw(queries), draw(moments), outcomes, origin, archived, saves)

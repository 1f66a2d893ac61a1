"""Coverage: who reported a story, when, and in which of the known countries nobody did."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

from attrs import frozen

from newsintel.domain.search.article import Article
from newsintel.domain.search.publisher_facts import COUNTRIES, find_publisher_facts
from newsintel.domain.text.clean import fold
from newsintel.domain.text.safe_urls import get_host

_FORUMS = frozenset({"reddit.com", "redd.it", "news.ycombinator.com"})
"""Hosts of posts that discuss a story. Who posts there is no publisher."""


@frozen
class Report:
    """A publisher's first article on a story.

    Attributes:
        country: two capitals (ISO 3166-1); None if no source and no feed list says it.
        language: two letters, or None.
        published_at: aware UTC; the time at which its source saw it, if the publisher's is unknown.
    """

    publisher: str
    country: str | None
    language: str | None
    published_at: datetime
    url: str


@frozen
class Coverage:
    """How a story was covered.

    Attributes:
        reports: one per publisher, the earliest first.
        countries: publishers by country; those of unknown country are left out.
        languages: the same by language.
        hours: publishers by the hour in which they reported, without empty hours.
        missing: the countries of the feed list without a report, in the order of their codes.
    """

    reports: tuple[Report, ...]
    countries: Mapping[str, int]
    languages: Mapping[str, int]
    hours: Mapping[datetime, int]
    missing: tuple[str, ...]

    @property
    def first(self) -> Report | None:
        """The first report; None if only forums discuss the story."""
        return self.reports[0] if self.reports else None


def measure_coverage(articles: Iterable[Article]) -> Coverage:
    """Return the coverage of a story, given all its articles in any order."""
    reports: dict[str, Report] = {}
    for article in sorted(articles, key=_find_place):
        host = get_host(article.canonical_url)
        if host not in _FORUMS:
            reports.setdefault(fold(article.publisher), _make_report(article, host))
    found = tuple(reports.values())
    countries = _count(report.country for report in found)
    return Coverage(
        reports=found,
        countries=countries,
        languages=_count(report.language for report in found),
        hours=Counter(
            report.published_at.replace(minute=0, second=0, microsecond=0) for report in found
        ),
        missing=tuple(sorted(COUNTRIES - countries.keys())),
    )


def _find_place(article: Article) -> tuple[bool, datetime, str]:
    """An estimated date is the time of a fetch, so it never makes an article the first."""
    return article.published_at_estimated, article.published_at, article.id


def _make_report(article: Article, host: str) -> Report:
    facts = find_publisher_facts(host)
    return Report(
        publisher=article.publisher,
        country=article.country or facts.country,
        language=article.language or facts.language,
        published_at=article.published_at,
        url=article.url,
    )


def _count(values: Iterable[str | None]) -> dict[str, int]:
    """Count the known values, the most frequent first; of equals, in the order of their names."""
    counts = Counter(value for value in values if value is not None)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

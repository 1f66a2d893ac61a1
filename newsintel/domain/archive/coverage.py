"""Coverage: who reported a story, when, and in which of the known countries nobody did."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
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
    reporting = [one for one in sorted(articles, key=_find_place) if _host_of(one) not in _FORUMS]
    found = tuple(map(_make_report, _group_by_publisher(reporting)))
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


def _group_by_publisher(articles: Iterable[Article]) -> list[list[Article]]:
    """Return the articles of each publisher, in the order of its first article.

    A source that knows no name calls a publisher by its host: such articles belong to the publisher
    of that host, whatever other sources call it. Two names at one host are two publishers.
    """
    groups: list[list[Article]] = []
    of_name: dict[str, list[Article]] = {}
    of_host: dict[str, list[Article]] = {}
    for article in articles:
        name, host = fold(article.publisher), _host_of(article)
        group = of_name.get(name)
        at_host = of_host.get(host)
        if group is None and at_host and (_is_unnamed(article) or all(map(_is_unnamed, at_host))):
            group = at_host
        if group is None:
            group = []
            groups.append(group)
        group.append(article)
        of_name[name] = group
        of_host.setdefault(host, group)
    return groups


def _is_unnamed(article: Article) -> bool:
    return f".{_host_of(article)}".endswith(f".{fold(article.publisher)}")


def _host_of(article: Article) -> str:
    return get_host(article.canonical_url)


def _make_report(articles: Sequence[Article]) -> Report:
    """Return a publisher's report, by its first article; each fact by the first that has it."""
    first, facts = articles[0], find_publisher_facts(_host_of(articles[0]))
    named = next((one for one in articles if not _is_unnamed(one)), first)
    return Report(
        publisher=named.publisher,
        country=next((one.country for one in articles if one.country), facts.country),
        language=first.language or facts.language,
        published_at=first.published_at,
        url=first.url,
    )


def _count(values: Iterable[str | None]) -> dict[str, int]:
    """Count the known values, the most frequent first; of equals, in the order of their names."""
    counts = Counter(value for value in values if value is not None)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

"""The filters of NewsAPI that our searches do not have: by site, publisher, section and field."""

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from newsintel.domain.search.matching import PreparedQuery, choose_language, prepare_text
from newsintel.domain.search.publisher_facts import find_publisher_facts
from newsintel.domain.text.clean import fold
from newsintel.domain.text.safe_urls import get_host
from newsintel.http.bodies.newsapi import make_source_id

GENERAL = "general"
SECTIONS: Mapping[str, frozenset[str]] = {
    "business": frozenset({"business", "money", "economy", "finance", "markets"}),
    "entertainment": frozenset(
        {"entertainment", "culture", "film", "music", "television & radio", "stage", "arts"}
    ),
    "health": frozenset({"health", "society", "wellness"}),
    "science": frozenset({"science", "environment", "space"}),
    "sports": frozenset({"sport", "sports", "football", "cricket", "tennis"}),
    "technology": frozenset({"technology", "tech"}),
}
"""The sections that make up each category of NewsAPI; `general` is everything."""
CATEGORIES = (GENERAL, *SECTIONS)


@frozen(kw_only=True)
class ArticleFilter:
    """Which articles to show. What is empty or None filters nothing.

    Attributes:
        sources: the ids of publishers.
        domains, without_domains: sites; each includes its subdomains.
        category: one of CATEGORIES.
        country: of the publisher, two lower-case letters.
        words: must match in `fields`.
        fields: members of an article.
    """

    sources: Sequence[str] = ()
    domains: Sequence[str] = ()
    without_domains: Sequence[str] = ()
    category: str = GENERAL
    country: str | None = None
    words: PreparedQuery | None = None
    fields: Sequence[str] = ()

    def keeps(self, article: Mapping[str, Any]) -> bool:
        """Whether to show an article, given as in our own bodies."""
        host = get_host(article["url"])
        return (
            (not self.sources or make_source_id(article["publisher"]) in self.sources)
            and (not self.domains or _is_within(host, self.domains))
            and not _is_within(host, self.without_domains)
            and self._has_category(article)
            and self.country in (None, _find_country(host))
            and self._has_words(article)
        )

    def _has_category(self, article: Mapping[str, Any]) -> bool:
        if self.category == GENERAL:
            return True
        return fold(article["section"] or "") in SECTIONS[self.category]

    def _has_words(self, article: Mapping[str, Any]) -> bool:
        if self.words is None:
            return True
        language = choose_language(article["language"], article["title"], article["description"])
        texts = [prepare_text(article[name], language) for name in self.fields if article.get(name)]
        return self.words.matches(texts, language)


def _is_within(host: str, domains: Sequence[str]) -> bool:
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)


def _find_country(host: str) -> str | None:
    country = find_publisher_facts(host).country
    return None if country is None else country.lower()

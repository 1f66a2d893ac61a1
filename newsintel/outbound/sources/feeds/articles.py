"""Turns the rows of a feed into articles: title, summary and address, nothing else.

Feeds are for readers who then open the page. So full texts and images are left out, and a summary
is short.
"""

from datetime import datetime

from attrs import evolve

from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.feeds.harvests import EVERYTHING, NAME
from newsintel.domain.feeds.model import Subscription
from newsintel.domain.search.article import MAX_NAME, MAX_TITLE, Article
from newsintel.domain.search.outcome import SourcePage
from newsintel.domain.text.clean import to_plain_text
from newsintel.domain.text.markup import read_html, read_snippet
from newsintel.domain.text.safe_urls import get_host, sanitize_url
from newsintel.domain.text.urls import canonicalize_url, make_article_id
from newsintel.outbound.sources.bylines import read_byline
from newsintel.outbound.sources.feeds.dates import parse_date
from newsintel.outbound.sources.feeds.rows import FeedRows
from newsintel.outbound.sources.outlet_names import name_outlet
from newsintel.outbound.sources.rows import SourceRow, read_date, read_page, read_text
from newsintel.outbound.sources.shared_tails import strip_shared_tails
from newsintel.outbound.sources.tails import strip_outlet

MAX_SUMMARY = 500
"""Characters. A summary in a list of results; the text itself is read at the publisher's."""

_READERS = {"text": None, "html": read_html, "snippet": read_snippet}


def read_articles(feed: FeedRows, subscription: Subscription, now: datetime) -> Sliced[SourcePage]:
    """Return the articles of a feed.

    Args:
        feed: as it was read.
        subscription: names the publisher and the language, if they are known.
        now: items without a date get it.
    """
    known_hosts: set[str] = set()
    page = yield from read_page(
        feed.rows,
        lambda row: _read_article(row, feed, subscription, now, known_hosts),
        EVERYTHING,
        http_status=200,
    )
    articles = yield from strip_shared_tails(page.articles, known_hosts)
    return evolve(page, articles=articles)


def read_title(feed: FeedRows) -> str | None:
    """Return a feed's own title as plain text; None if it has none."""
    form, text = feed.title
    return to_plain_text(text, MAX_NAME, _READERS[form])


def _read_article(
    row: SourceRow,
    feed: FeedRows,
    subscription: Subscription,
    now: datetime,
    known_hosts: set[str],
) -> Sliced[Article | str]:
    """Read a row; add its host to `known_hosts` if its title names the outlet."""
    url = sanitize_url(row["link"])
    if url is None:
        return "bad_url"
    title = _read_form(row["title"], MAX_TITLE)
    if title is None:
        return "no_title"
    publisher = subscription.publisher or name_outlet(url)
    author = read_text(row, "author", MAX_NAME, read_snippet)
    yield
    host = get_host(url)
    stripped = strip_outlet(title, publisher=publisher, host=host, author=author)
    if stripped != title:
        known_hosts.add(host)
    found = parse_date(row["published"])
    published_at, estimated = read_date(found.isoformat() if found else None, now)
    yield
    identity = canonicalize_url(url)
    summary = _read_form(row["summary"], MAX_SUMMARY) or _read_form(row["full_text"], MAX_SUMMARY)
    yield
    return Article(
        id=make_article_id(identity),
        source=NAME,
        external_id=(to_plain_text(row["id"], 512) or url),
        url=url,
        canonical_url=identity,
        title=stripped,
        publisher=publisher,
        published_at=published_at,
        published_at_estimated=estimated,
        description=None if summary == title else summary,
        author=read_byline(author, publisher),
        language=subscription.language or _read_language(row["language"] or feed.language),
    )


def _read_form(pair: tuple[str, str], max_chars: int) -> str | None:
    form, text = pair
    return to_plain_text(text, max_chars, _READERS[form])


def _read_language(tag: str) -> str | None:
    """Return the language of a tag such as `en-GB` (BCP 47) as two letters; None if unknown."""
    language = tag.strip().replace("_", "-").partition("-")[0].lower()
    return language if len(language) == 2 and language.isascii() and language.isalpha() else None

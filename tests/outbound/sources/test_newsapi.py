"""NewsAPI: requests, rows and refusals."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from newsintel.config.reading import read_settings
from newsintel.config.settings import SourceSettings
from newsintel.config.values import Secret
from newsintel.domain.search.article import Article
from newsintel.domain.search.outcome import Refusal, SourcePage, Status
from newsintel.domain.search.query import build_query
from newsintel.domain.search.query_model import Sort
from newsintel.outbound.sources import REGISTRY
from tests.domain.text.test_markup import ABOUT_TAGS
from tests.outbound.sources.replies import (
    NOW,
    QUERY,
    query,
    recorded_bodies,
    recorded_exchanges,
    reply,
)
from tests.shared import needs_shared

SOURCE = REGISTRY["newsapi"]
SETTINGS: SourceSettings = read_settings([SOURCE.options], {"NEWSINTEL_NEWSAPI_KEY": "k"}).source[
    "newsapi"
]


def row(**changes: Any) -> dict[str, Any]:
    """A good row with changes."""
    return {
        "source": {"id": None, "name": "Daily Bugle"},
        "author": "J. Doe",
        "title": "Storm ahead - Daily Bugle",
        "description": "<p>It will&nbsp;rain.</p>",
        "url": "https://www.bugle.example/storm?utm_source=x",
        "urlToImage": "https://img.example.org/1.jpg",
        "publishedAt": "2026-11-20T10:00:00Z",
        "content": "It will rain.\r\nA lot… [+1234 chars]",
    } | changes


def read(*rows: Any) -> SourcePage:
    """The page of these rows."""
    found = SOURCE.read(
        reply({"status": "ok", "totalResults": 7249, "articles": list(rows)}), QUERY, NOW
    )
    assert isinstance(found, SourcePage)
    return found


def test_key_enables_the_source() -> None:
    """Only the key is needed; the quota is that of the developer plan."""
    assert isinstance(SETTINGS.values["key"], Secret)
    assert (SETTINGS.url, SETTINGS.pace_s, str(SETTINGS.quota), SETTINGS.enabled) == (
        "https://newsapi.org",
        0.0,
        "100/1d",
        True,
    )
    assert not SOURCE.uses_token


def test_request_has_every_parameter() -> None:
    """One call requests the first 100 rows. The key is in a header and not in the repr."""
    asked = build_query(
        'Storm "high tide" -film',
        sources=("newsapi",),
        start=datetime(2026, 11, 1, tzinfo=UTC),
        end=datetime(2026, 11, 2, 23, 59, 59, 999999, tzinfo=UTC),
        language="de",
        sort=Sort.POPULAR,
    )
    request = SOURCE.build_request(asked, SETTINGS, "the-key", NOW)
    assert request.path == "/v2/everything"
    assert dict(request.params) == {
        "q": 'Storm AND "high tide" NOT film',
        "sortBy": "popularity",
        "pageSize": "100",
        "page": "1",
        "from": "2026-11-01T00:00:00",
        "to": "2026-11-02T23:59:59",
        "language": "de",
    }
    assert dict(request.headers) == {"X-Api-Key": "the-key"}
    assert "the-key" not in repr(request)


@pytest.mark.parametrize(
    ("bound", "sent"),
    [
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00"),
        (datetime(999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), "0999-12-31T23:59:59"),
        (datetime(1000, 1, 1, tzinfo=UTC), "1000-01-01T00:00:00"),
        (datetime.max.replace(tzinfo=UTC), "9999-12-31T23:59:59"),
    ],
)
def test_years_have_four_digits(bound: datetime, sent: str) -> None:
    """ISO 8601 requires four digits for every year."""
    params = dict(SOURCE.build_request(query(start=bound, end=bound), SETTINGS, "k", NOW).params)
    assert (params["from"], params["to"]) == (sent, sent)


@pytest.mark.parametrize(
    ("sort", "expected"), [(Sort.RELEVANCE, "relevancy"), (Sort.NEWEST, "publishedAt")]
)
def test_absent_bounds_are_not_sent(sort: Sort, expected: str) -> None:
    """Only bounds of the query are sent."""
    params = dict(SOURCE.build_request(query(sort=sort), SETTINGS, "k", NOW).params)
    assert params["sortBy"] == expected
    assert not params.keys() & {"from", "to", "language"}


def test_long_query_fits_500_characters() -> None:
    """NewsAPI accepts 500 characters; many short words joined by AND can exceed that."""
    params = dict(
        SOURCE.build_request(
            build_query("ab " * 85, sources=("newsapi",)), SETTINGS, "k", NOW
        ).params
    )
    assert len(params["q"]) <= 500


def test_unsupported_language_is_ignored() -> None:
    """It is not sent, and the rows do not get it."""
    assert (
        SOURCE.list_ignored_parameters(QUERY)
        == SOURCE.list_ignored_parameters(query(language="de"))
        == ()
    )
    assert SOURCE.list_ignored_parameters(query(language="fi")) == ("language",)
    assert "language" not in dict(
        SOURCE.build_request(query(language="fi"), SETTINGS, "k", NOW).params
    )
    body = reply({"status": "ok", "articles": [row()]})
    for language, expected in (("fi", None), ("de", "de")):
        found = SOURCE.read(body, query(language=language), NOW)
        assert isinstance(found, SourcePage)
        assert found.articles[0].language == expected


def test_row_becomes_an_article() -> None:
    """The row is cleaned.

    The title loses the outlet, texts lose HTML, the content loses its tail, and the canonical URL
    loses tracking parameters.
    """
    article = read(row()).articles[0]
    assert article == Article(
        id=article.id,
        source="newsapi",
        external_id="https://www.bugle.example/storm?utm_source=x",
        url="https://www.bugle.example/storm?utm_source=x",
        canonical_url="https://bugle.example/storm",
        title="Storm ahead",
        publisher="Daily Bugle",
        published_at=datetime(2026, 11, 20, 10, tzinfo=UTC),
        description="It will rain.",
        content="It will rain. A lot…",
        author="J. Doe",
        image_url="https://img.example.org/1.jpg",
    )


@pytest.mark.parametrize("text", ABOUT_TAGS)
def test_texts_about_tags_are_shown_whole(text: str) -> None:
    """No field is documented as HTML.

    Only descriptions and contents that look like HTML lose tags.
    """
    article = read(
        row(title=text, author=text, description=text, content=text, source={"name": text})
    ).articles[0]
    assert (
        article.title,
        article.description,
        article.content,
        article.author,
        article.publisher,
    ) == (text,) * 5
    article = read(
        row(title="S&amp;P&#8217;s <b>", author="O&#39;Neil", source={"name": "A&amp;E"})
    ).articles[0]
    assert (article.title, article.author, article.publisher) == ("S&P\u2019s <b>", "O'Neil", "A&E")


@pytest.mark.parametrize(
    ("address", "publisher"),
    [
        ("https://www.bbc.co.uk/news/1", "BBC News"),
        ("https://www.kyivindependent.com/1", "kyivindependent.com"),
    ],
)
@pytest.mark.parametrize("source", [None, {}, {"id": None, "name": None}, {"name": " "}])
def test_outlet_without_a_name_is_named_as_in_a_link_post(
    source: object, address: str, publisher: str
) -> None:
    """The name follows from the address by the rule that Reddit's links have."""
    assert read(row(source=source, url=address)).articles[0].publisher == publisher


def test_title_and_url_are_enough() -> None:
    """The host replaces a missing publisher, and the time of the fetch a missing date."""
    article = read({"title": "Storm", "url": "http://bugle.example/1"}).articles[0]
    assert (article.publisher, article.published_at, article.published_at_estimated) == (
        "bugle.example",
        NOW,
        True,
    )
    assert (article.description, article.content, article.author, article.image_url) == (
        None,
        None,
        None,
        None,
    )


@pytest.mark.parametrize(
    "author",
    [
        "https://www.facebook.com/bugle",
        "www.bugle.example",
        "desk@bugle.example",
        '[{"name": "X"}]',
        "",
        None,
        5,
    ],
)
def test_invalid_author_is_none(author: object) -> None:
    """URLs, e-mail addresses and markup data are not authors."""
    assert read(row(author=author)).articles[0].author is None


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (row(title="[Removed]", url="https://removed.com"), "removed"),
        (row(title="[Removed]", url=None), "removed"),
        (row(url="https://removed.com"), "removed"),
        (row(url="javascript:alert(1)"), "bad_url"),
        (row(url=None), "bad_url"),
        (row(title=None), "no_title"),
        (row(title=" \u200b"), "no_title"),
        ("junk", "not_an_object"),
    ],
)
def test_bad_row_is_left_out_and_counted(bad: object, reason: str) -> None:
    """The 49 good rows are kept."""
    page = read(*[row()] * 49, bad)
    assert (len(page.articles), page.returned, page.dropped) == (49, 50, {reason: 1})


def test_content_with_only_a_tail_is_none() -> None:
    """The only text is the count of missing characters."""
    assert read(row(content="[+1234 chars]")).articles[0].content is None


def test_consent_pages_are_told_apart_without_their_session() -> None:
    """The same page in two sessions is one page; another page in a session is another."""
    hidden = "https://consent.yahoo.com/v2/collectConsent?sessionId="
    undated, later = (
        SOURCE.read(
            reply({"status": "ok", "articles": [row(url=hidden, publishedAt=None)]}), QUERY, now
        )
        for now in (NOW, NOW + timedelta(days=9))
    )
    assert isinstance(undated, SourcePage)
    assert isinstance(later, SourcePage)
    assert undated.articles[0].id == later.articles[0].id
    one, again, other = read(
        row(url=hidden + "1_a"), row(url=hidden + "1_b"), row(url=hidden + "1_a", title="Sun ahead")
    ).articles
    assert one.canonical_url == again.canonical_url != other.canonical_url
    assert one.url != again.url


@pytest.mark.parametrize(
    ("status", "code", "expected", "pause_s"),
    [
        (401, "apiKeyInvalid", Status.UNAUTHORIZED, None),
        (401, "apiKeyDisabled", Status.UNAUTHORIZED, None),
        (401, "apiKeyMissing", Status.UNAUTHORIZED, None),
        (401, "apiKeyExhausted", Status.QUOTA_EXHAUSTED, 3600.0),
        (429, "rateLimited", Status.RATE_LIMITED, 3600.0),
        (200, "rateLimited", Status.RATE_LIMITED, 3600.0),
        (200, "apiKeyInvalid", Status.UNAUTHORIZED, None),
        (200, "maximumResultsReached", Status.UNSUPPORTED, None),
        (200, "somethingNew", Status.BAD_PAYLOAD, None),
        (200, ["x"], Status.BAD_PAYLOAD, None),
        (426, "somethingNew", Status.UNSUPPORTED, None),
        (426, "parameterInvalid", Status.UNSUPPORTED, None),
        (426, "corsNotAllowed", Status.UNAUTHORIZED, None),
        (400, "parameterInvalid", Status.BAD_PAYLOAD, None),
        (500, "unexpectedError", Status.UNREACHABLE, None),
        (503, "somethingNew", Status.UNREACHABLE, None),
    ],
)
def test_errors_become_refusals(
    status: int, code: object, expected: Status, pause_s: float | None
) -> None:
    """A known code decides whatever the HTTP status is; otherwise the status decides.

    A plan's limit has no pause: waiting does not help.
    """
    found = SOURCE.read(
        reply(
            {
                "status": "error",
                "code": code,
                "message": "key 0123456789abcdef01 at https://x.example",
            },
            status,
        ),
        QUERY,
        NOW,
    )
    assert isinstance(found, Refusal)
    assert (found.status, found.http_status, found.pause_s) == (expected, status, pause_s)
    assert "0123456789abcdef01" not in found.detail
    assert "https://" not in found.detail


def test_retry_after_overrides_the_default_pause() -> None:
    """A pause that NewsAPI names replaces ours."""
    found = SOURCE.read(
        reply({"status": "error", "code": "rateLimited"}, 429, retry_after="90"), QUERY, NOW
    )
    assert isinstance(found, Refusal)
    assert found.pause_s == 90.0


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        (b"<html>Just a moment...", 403, Status.UNAUTHORIZED),
        (b"<html>Just a moment...", 503, Status.UNREACHABLE),
        (b"<html>Just a moment...", 200, Status.BAD_PAYLOAD),
        ({"status": "ok"}, 200, Status.BAD_PAYLOAD),
        ({"status": "ok", "articles": {}}, 200, Status.BAD_PAYLOAD),
        ({"articles": []}, 200, Status.BAD_PAYLOAD),
    ],
)
def test_foreign_bodies_are_refusals(body: object, status: int, expected: Status) -> None:
    """A proxy's page, or an answer of another shape, is never an empty result."""
    found = SOURCE.read(reply(body, status), QUERY, NOW)
    assert isinstance(found, Refusal)
    assert found.status is expected


def test_empty_result_is_a_page() -> None:
    """An answer without articles is not an error."""
    assert read() == SourcePage((), 0, {}, 200)


RECORDED = {
    "002ayush_src_sampleoutput": 20,
    "282000ypk_static_test": 3,
    "adamregan53_newsapi": 10,
    "arpana_sitoula_src_newsapi": 14,
    "awasekhirni_newsapi": 20,
    "awasekhirni_npa": 20,
    "awasekhirni_wsjnewsarticle": 20,
    "deadlymind_articles": 100,
    "drseuss127_top_headlines_2020_07_01": 20,
    "mauroguida_top_headlinesit": 20,
    "nguyenngocthach1403_newsapi": 20,
    "sherifashahin_top_headlines": 20,
    "sovos15_creator_news": 20,
    "sovos15_hosting_news": 20,
    "sovos15_streaming_news": 20,
    "suryakosaraju_top_headlines": 20,
    "wikizell_top_headlines": 20,
}
"""Rows by file, as counted in the recordings' index."""
DROPPED = {"deadlymind_articles": {"removed": 2}}


@needs_shared
def test_recorded_rows_become_articles() -> None:
    """Only the two articles that NewsAPI removed are left out."""
    seen = {}
    for name, body in recorded_bodies("newsapi"):
        page = SOURCE.read(reply(body), QUERY, NOW)
        assert isinstance(page, SourcePage)
        assert page.dropped == DROPPED.get(name, {})
        assert len(page.articles) + sum(page.dropped.values()) == page.returned
        seen[name] = page.returned
        if name == "deadlymind_articles":
            hidden = [article for article in page.articles if "consent.yahoo.com" in article.url]
            assert len(hidden) == len({article.id for article in hidden}) == 26
            assert not any("sessionId" in article.canonical_url for article in hidden)
        if name == "wikizell_top_headlines":
            assert sum(article.published_at.microsecond > 0 for article in page.articles) == 3
            assert not any(article.published_at_estimated for article in page.articles)
    assert seen == RECORDED


EXCHANGES = {
    "400_parametersMissing_everything": Status.BAD_PAYLOAD,
    "400_sourceDoesntExist_old": Status.BAD_PAYLOAD,
    "401_apiKeyInvalid": Status.UNAUTHORIZED,
    "401_apiKeyMissing": Status.UNAUTHORIZED,
    "426_corsNotAllowed": Status.UNAUTHORIZED,
    "426_maximumResultsReached": Status.UNSUPPORTED,
    "426_maximumResultsReached_page2": Status.UNSUPPORTED,
    "426_parameterInvalid_too_far_back": Status.UNSUPPORTED,
    "429_rateLimited": Status.RATE_LIMITED,
}


@needs_shared
def test_recorded_errors_have_their_status() -> None:
    """The recordings cover nine errors."""
    found = {
        name: SOURCE.read(response, QUERY, NOW) for name, response in recorded_exchanges("newsapi")
    }
    assert {
        name: refusal.status for name, refusal in found.items() if isinstance(refusal, Refusal)
    } == EXCHANGES


@needs_shared
def test_faults_of_the_query_are_marked() -> None:
    """These are the recorded errors that another query would not cause.

    The docs say that the plan's limit comes with 400, so that case is included.
    """
    found = {
        name: SOURCE.read(response, QUERY, NOW) for name, response in recorded_exchanges("newsapi")
    }
    too_far_back = next(
        response
        for name, response in recorded_exchanges("newsapi")
        if name == "426_parameterInvalid_too_far_back"
    )
    found["400 too far back"] = SOURCE.read(evolve(too_far_back, status=400), QUERY, NOW)
    assert isinstance(found["400 too far back"], Refusal)
    assert found["400 too far back"].status is Status.UNSUPPORTED
    assert {
        name
        for name, refusal in found.items()
        if isinstance(refusal, Refusal) and refusal.query_fault
    } == {
        "400_parametersMissing_everything",
        "400_sourceDoesntExist_old",
        "400 too far back",
        "426_maximumResultsReached",
        "426_maximumResultsReached_page2",
        "426_parameterInvalid_too_far_back",
    }

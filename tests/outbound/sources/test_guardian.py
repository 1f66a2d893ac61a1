"""The Guardian: requests, rows and refusals."""

import html
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from newsintel.config.reading import read_settings
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

SOURCE = REGISTRY["guardian"]
SETTINGS = read_settings([SOURCE.options], {"NEWSINTEL_GUARDIAN_KEY": "k"}).source["guardian"]


def row(**changes: Any) -> dict[str, Any]:
    """A good row with changes."""
    return {
        "id": "weather/2026/nov/20/storm",
        "type": "article",
        "sectionId": "weather",
        "sectionName": "Weather",
        "webPublicationDate": "2026-11-20T10:00:00Z",
        "webTitle": "Storm ahead | J Doe\r\n",
        "webUrl": "https://www.theguardian.com/weather/2026/nov/20/storm",
        "isHosted": False,
        "fields": {
            "trailText": "<p>It <strong>will</strong> rain</p>",
            "byline": "J Doe",
            "thumbnail": "https://img.example.org/1.jpg",
            "lang": "EN",
        },
    } | changes


def read(*rows: Any) -> SourcePage:
    """The page of these rows."""
    found = SOURCE.read(
        reply({"response": {"status": "ok", "total": 9, "results": list(rows)}}), QUERY, NOW
    )
    assert isinstance(found, SourcePage)
    return found


def test_key_enables_the_source() -> None:
    """Only the key is needed; pace and quota are those of the developer key."""
    assert (SETTINGS.url, SETTINGS.pace_s, str(SETTINGS.quota)) == (
        "https://content.guardianapis.com",
        1.0,
        "500/1d",
    )
    assert SETTINGS.enabled


def test_request_has_every_parameter() -> None:
    """AND and NOT are explicit, order-by is always sent, and the key is not in the repr."""
    asked = build_query(
        'Storm "high tide" -film OR flood',
        sources=("guardian",),
        start=datetime(2026, 11, 1, tzinfo=UTC),
        end=datetime(2026, 11, 2, 23, 59, 59, tzinfo=UTC),
        language="en",
        sort=Sort.NEWEST,
    )
    request = SOURCE.build_request(asked, SETTINGS, "the-key", NOW)
    assert (request.path, request.headers) == ("/search", ())
    assert dict(request.params) == {
        "q": '(Storm AND "high tide" AND NOT film) OR flood',
        "order-by": "newest",
        "page-size": "50",
        "show-fields": "trailText,byline,thumbnail,lang",
        "from-date": "2026-11-01T00:00:00Z",
        "to-date": "2026-11-02T23:59:59Z",
        "lang": "en",
        "api-key": "the-key",
    }
    assert "the-key" not in repr(request)


def test_articles_are_checked_by_their_ids() -> None:
    """One call takes fifty articles, as many as a search finds."""
    assert SOURCE.recheck
    ids = ["weather/2026/nov/20/storm", "world/live/2026/nov/20/a-b"]
    request = SOURCE.recheck.build_request(ids, SETTINGS, "the-key")
    assert (request.path, dict(request.params)) == (
        "/search",
        {
            "ids": ",".join(ids),
            "page-size": "50",
            "show-fields": "trailText,byline,thumbnail,lang",
            "api-key": "the-key",
        },
    )
    assert all(re.fullmatch(SOURCE.recheck.id_pattern, one) for one in ids)
    assert not re.fullmatch(SOURCE.recheck.id_pattern, "https://example.org/a,b")


@pytest.mark.parametrize(
    ("bound", "sent"),
    [
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00Z"),
        (datetime(999, 12, 31, tzinfo=UTC), "0999-12-31T00:00:00Z"),
        (datetime.max.replace(tzinfo=UTC), "9999-12-31T23:59:59Z"),
    ],
)
def test_years_have_four_digits(bound: datetime, sent: str) -> None:
    """ISO 8601 requires four digits for every year."""
    params = dict(SOURCE.build_request(query(start=bound, end=bound), SETTINGS, "k", NOW).params)
    assert (params["from-date"], params["to-date"]) == (sent, sent)


@pytest.mark.parametrize(("sort", "ignored"), [(Sort.RELEVANCE, ()), (Sort.POPULAR, ("sort",))])
def test_sort_by_popularity_is_ignored(sort: Sort, ignored: tuple[str, ...]) -> None:
    """The request sorts by relevance instead, and the answer says that the sort was ignored."""
    params = dict(SOURCE.build_request(query(sort=sort), SETTINGS, "k", NOW).params)
    assert params["order-by"] == "relevance"
    assert not params.keys() & {"from-date", "to-date", "lang"}
    assert SOURCE.list_ignored_parameters(query(sort=sort)) == ignored


def test_row_becomes_an_article() -> None:
    """The texts are cleaned."""
    article = read(row()).articles[0]
    assert article == Article(
        id=article.id,
        source="guardian",
        external_id="weather/2026/nov/20/storm",
        url="https://www.theguardian.com/weather/2026/nov/20/storm",
        canonical_url="https://theguardian.com/weather/2026/nov/20/storm",
        title="Storm ahead",
        publisher="The Guardian",
        published_at=datetime(2026, 11, 20, 10, tzinfo=UTC),
        description="It will rain",
        author="J Doe",
        section="Weather",
        image_url="https://img.example.org/1.jpg",
        language="en",
    )


@pytest.mark.parametrize("text", ABOUT_TAGS)
def test_texts_about_tags_are_shown_whole(text: str) -> None:
    """A headline is plain text.

    Trail and byline are HTML and escape such a text; a section's name may be HTML.
    """
    escaped = html.escape(text, quote=False)
    fields = {"trailText": f"<p>{escaped}</p>", "byline": escaped}
    article = read(row(webTitle=text, sectionName=escaped, fields=fields)).articles[0]
    assert (article.title, article.description, article.author, article.section) == (text,) * 4


def test_row_with_missing_fields_becomes_an_article() -> None:
    """Old rows have no type, section, fields or date. A URL of the old host is the same page."""
    article = read({"webTitle": "Storm", "webUrl": "http://www.guardian.co.uk/a"}).articles[0]
    assert (article.external_id, article.canonical_url) == (
        "http://www.guardian.co.uk/a",
        "https://theguardian.com/a",
    )
    assert (article.published_at, article.published_at_estimated) == (NOW, True)
    assert (
        article.description,
        article.author,
        article.section,
        article.image_url,
        article.language,
    ) == (None, None, None, None, None)


@pytest.mark.parametrize("fields", [{"lang": "english"}, {"lang": 5}, "junk", None])
def test_invalid_language_is_none(fields: object) -> None:
    """Only a two-letter code is a language."""
    assert read(row(fields=fields)).articles[0].language is None


@pytest.mark.parametrize(
    ("title", "byline", "expected"),
    [
        ("Storm ahead | Jo Doe", None, "Storm ahead"),
        ("Storm ahead | Jo Doe and others", None, "Storm ahead"),
        ("Storm ahead | jo doe", "Jo Doe and Al Roe", "Storm ahead"),
        ("Storm ahead | Letters", None, "Storm ahead"),
        ("Storm ahead | Brief letters", None, "Storm ahead"),
        ("Storm ahead | Editorial", None, "Storm ahead"),
        ("Storm ahead | Cookbook review", None, "Storm ahead"),
        ("Storm ahead | Élise de Doe", None, "Storm ahead"),
        ("Storm ahead | @handle", None, "Storm ahead"),
        ("The Weather | Storm ahead of us | Jo Doe", None, "The Weather | Storm ahead of us"),
        ("The Weather | Storm ahead of us", None, "The Weather | Storm ahead of us"),
        ("City 2-1 United \u2013 as it happened", None, "City 2-1 United \u2013 as it happened"),
        ("Storm|ahead", "ahead", "Storm|ahead"),
    ],
)
def test_byline_is_removed_from_the_headline(title: str, byline: str | None, expected: str) -> None:
    """The name of the columnist or of the genre is removed. A second half of the headline stays."""
    assert read(row(webTitle=title, fields={"byline": byline})).articles[0].title == expected


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (row(isHosted=True), "promoted"),
        (row(isHosted="true"), "promoted"),
        (row(webUrl=None), "bad_url"),
        (row(webUrl="data:text/html,x"), "bad_url"),
        (row(webTitle=5), "no_title"),
        ([], "not_an_object"),
    ],
)
def test_bad_row_is_left_out_and_counted(bad: object, reason: str) -> None:
    """The 49 good rows are kept."""
    page = read(*[row(isHosted="false")] * 49, bad)
    assert (len(page.articles), page.returned, page.dropped) == (49, 50, {reason: 1})


@pytest.mark.parametrize(
    ("body", "status", "expected", "pause_s"),
    [
        ({"message": "Unauthorized"}, 401, Status.UNAUTHORIZED, None),
        ({"message": "You cannot consume this service"}, 403, Status.UNAUTHORIZED, None),
        ({"message": "API rate limit exceeded"}, 429, Status.RATE_LIMITED, 60.0),
        (b"<html>", 429, Status.RATE_LIMITED, 60.0),
        (b"<html>", 502, Status.UNREACHABLE, None),
        (b"<html>", 200, Status.BAD_PAYLOAD, None),
        ({"response": {"status": "error", "message": "odd"}}, 200, Status.BAD_PAYLOAD, None),
        ({"response": {"status": "ok", "content": {}}}, 200, Status.BAD_PAYLOAD, None),
        ({"response": "x"}, 400, Status.BAD_PAYLOAD, None),
    ],
)
def test_errors_become_refusals(
    body: object, status: int, expected: Status, pause_s: float | None
) -> None:
    """Errors may have the envelope or not, and may be JSON or not."""
    found = SOURCE.read(reply(body, status), QUERY, NOW)
    assert isinstance(found, Refusal)
    assert (found.status, found.http_status, found.pause_s) == (expected, status, pause_s)


def test_used_up_day_is_quota_exhausted() -> None:
    """The gateway says that no calls are left today, so the quota is the limit, not the pace."""
    found = SOURCE.read(
        reply({"message": "API rate limit exceeded"}, 429, x_ratelimit_remaining_day="0"),
        QUERY,
        NOW,
    )
    assert isinstance(found, Refusal)
    assert (found.status, found.pause_s) == (Status.QUOTA_EXHAUSTED, 3600.0)


def test_a_page_beyond_the_last_is_empty() -> None:
    """The Guardian reports a missing page as an error; for us it is an empty answer."""
    body = {
        "response": {
            "status": "error",
            "message": "requested page is beyond the number of available pages",
        }
    }
    assert SOURCE.read(reply(body, 400), QUERY, NOW) == SourcePage((), 0, {}, 400)


RECORDED = {
    "arshavskiy_testing_gardian": 10,
    "cxilotl_fixtures_uk_news": 10,
    "guardian_fronts_client_integration_fixtures_snap_tag": 2,
    "jlebensold__sample_response_2012": 50,
    "jonathanpark03__guardian_p1": 50,
    "makers__api": 10,
    "makers__data": 10,
    "makers__example_guardian_api_call": 20,
    "makers__exampleresponses_guardianpolitics": 10,
    "makers__fixtures_response": 10,
    "makers__gardian": 10,
    "makers__js_marathon_testguardianfeed_5a1374": 10,
    "makers__lib_models_api_data": 10,
    "makers__mock_api": 10,
    "makers__sampleguardiandata": 10,
    "makers__src_testoutput": 10,
    "makers__tests_uk_news": 10,
}
"""Rows by file, as counted in the recordings' index; none is bad."""
ITEMS = {f"makers__src_json_article{number}" for number in ("two", "three", "five")} | {
    "official_template_item-content"
}
"""Recorded answers of the endpoint for one item; they are not search results."""


@needs_shared
def test_recorded_rows_become_articles() -> None:
    """Columnists are removed from all headlines except one, and trails are plain text."""
    seen = {}
    for name, body in recorded_bodies("guardian"):
        page = SOURCE.read(reply(body), QUERY, NOW)
        if isinstance(page, Refusal):
            assert page.status is Status.BAD_PAYLOAD
            assert name in ITEMS
            continue
        assert page.dropped == {}
        assert page.returned == len(page.articles)
        seen[name] = page.returned
        # One recorded headline contains a bar of its own, before the columnist's bar.
        assert sum(" | " in article.title for article in page.articles) == (
            name == "jlebensold__sample_response_2012"
        )
        assert not any("<" in (article.description or "") for article in page.articles)
        assert all(
            article.canonical_url.startswith("https://theguardian.com/")
            for article in page.articles
        )
    assert seen == RECORDED


EXCHANGES = {
    "400_bad_date": Status.BAD_PAYLOAD,
    "400_page_size": Status.BAD_PAYLOAD,
    "400_paging_too_deep": Status.BAD_PAYLOAD,
    "401_invalid_key": Status.UNAUTHORIZED,
    "404_not_found": Status.BAD_PAYLOAD,
    "410_expired_rights": Status.BAD_PAYLOAD,
    "429_rate_limit_UNVERIFIED": Status.RATE_LIMITED,
}


@needs_shared
def test_recorded_errors_have_their_status() -> None:
    """The page beyond the last is empty."""
    found = {
        name: SOURCE.read(response, QUERY, NOW) for name, response in recorded_exchanges("guardian")
    }
    assert isinstance(found.pop("400_page_beyond"), SourcePage)
    assert {
        name: refusal.status for name, refusal in found.items() if isinstance(refusal, Refusal)
    } == EXCHANGES
    assert found.keys() == EXCHANGES.keys()

"""GDELT's DOC API: requests, pages and refusals."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from newsintel.config.reading import read_settings
from newsintel.domain.search.article import Article
from newsintel.domain.search.outcome import Refusal, SourcePage, Status
from newsintel.domain.search.query import build_query
from newsintel.domain.search.query_model import Sort
from newsintel.outbound.sources import REGISTRY
from newsintel.outbound.sources.gdelt import tidy_title
from newsintel.outbound.sources.gdelt_names import find_country, find_language, name_language
from newsintel.outbound.sources.source import Request
from tests.outbound.sources.replies import NOW, QUERY, query, reply

SOURCE = REGISTRY["gdelt"]
SETTINGS = read_settings([SOURCE.options], {}).source["gdelt"]

TITLE = "Healthcare & Life Sciences : Drug Pricing Digest - May 2026 # 2 | Latham & Watkins LLP"
RECORDED = b"""{
  "articles": [
    {
      "url": "https://www.jdsupra.com/legalnews/healthcare-life-sciences-drug-pricing-6826333/",
      "url_mobile": "",
      "title": "%s",
      "seendate": "20260520T221500Z",
      "socialimage": "https://jdsupra-static.s3.amazonaws.com/profile-images/og.15361_4613.jpg",
      "domain": "jdsupra.com",
      "language": "English",
      "sourcecountry": "United States"
    },
    {
      "url": "https://www.24-horas.mx/2023/09/17/asesinan-en-mexico-a-ana-maria-serrano/",
      "url_mobile": "",
      "title": "Asesinan en M\xc3\xa9xico a Ana Mar\xc3\xada Serrano , sobrina",
      "seendate": "20230918T033000Z",
      "socialimage": "",
      "domain": "24-horas.mx",
      "language": "Spanish",
      "sourcecountry": "Mexico"
    }
  ]
}""" % TITLE.encode()
"""Rows of the real API as others published them: the first in the notes of a test of the API of
2026-05-20, the second in a notebook of 2023-09-18 that used the client gdeltdoc."""

MESSAGES = {
    "Please limit requests to one every 5 seconds or contact kalev.leetaru5@gmail.com for larger "
    "queries.": Status.RATE_LIMITED,
    "One or more of your keywords were too short, too long or too common: (locationcc:br)": (
        Status.UNSUPPORTED
    ),
    "The specified phrase is too short.": Status.UNSUPPORTED,
    "Parentheses may only be used around OR'd statements.": Status.UNSUPPORTED,
    "Your query contained an invalid location search (the search keyword/phrase must be enclosed "
    "in quotation marks).": Status.UNSUPPORTED,
    "Invalid query: too many queries in OR clause": Status.UNSUPPORTED,
    "Timespan is too short.": Status.UNSUPPORTED,
}
"""Texts that the real API has sent with HTTP 200, as its clients quote them."""


def row(**changes: Any) -> dict[str, Any]:
    """A good row with changes."""
    return {
        "url": "https://www.bugle.example/storm?utm_source=g",
        "url_mobile": "",
        "title": "Storm ahead , they say - Bugle",
        "seendate": "20261120T101500Z",
        "socialimage": "https://img.example.org/1.jpg",
        "domain": "bugle.example",
        "language": "English",
        "sourcecountry": "Ireland",
    } | changes


def read(*rows: Any, **bounds: Any) -> SourcePage:
    """The page of these rows."""
    found = SOURCE.read(reply({"articles": list(rows)}), query(**bounds), NOW)
    assert isinstance(found, SourcePage)
    return found


def ask(text: str, **more: Any) -> dict[str, str]:
    """The parameters of a search."""
    found = SOURCE.build_request(build_query(text, sources=("gdelt",), **more), SETTINGS, "", NOW)
    assert isinstance(found, Request)
    assert (found.path, found.headers) == ("/api/v2/doc/doc", ())
    return dict(found.params)


def refuse(text: str, **more: Any) -> Refusal:
    """The refusal of a search that is not sent."""
    found = SOURCE.build_request(build_query(text, sources=("gdelt",), **more), SETTINGS, "", NOW)
    assert isinstance(found, Refusal)
    return found


def test_source_needs_no_key() -> None:
    """It is on without any setting, a little slower than its own message asks."""
    assert SETTINGS.enabled
    assert (SETTINGS.url, SETTINGS.pace_s, SETTINGS.quota) == (
        "https://api.gdeltproject.org",
        6.5,
        None,
    )


def test_request_has_every_parameter() -> None:
    """Times are digits; the language is named."""
    assert ask(
        'Storm "high tide" -film',
        start=datetime(2026, 11, 1, tzinfo=UTC),
        end=datetime(2026, 11, 2, 23, 59, 59, tzinfo=UTC),
        language="de",
        sort=Sort.NEWEST,
    ) == {
        "query": 'Storm "high tide" -film sourcelang:german',
        "mode": "artlist",
        "format": "json",
        "maxrecords": "100",
        "sort": "datedesc",
        "startdatetime": "20261101000000",
        "enddatetime": "20261102235959",
    }


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("storm flood", "storm flood"),
        ("storm OR flood", "(storm OR flood)"),
        ("coast (storm OR flood) -film", "coast (storm OR flood) -film"),
        # Parentheses hold only words and OR: an alternative of two words is asked place by place.
        ("high tide OR big wave", "(high OR big) (tide OR wave)"),
        ("high tide OR wave", "(high OR wave)"),
        ("coast high tide OR coast", "coast"),
        ("storm -film OR flood -book", "(storm OR flood)"),
        ("storm -film OR flood -film", "(storm OR flood) -film"),
        ("high tide OR high wave OR high tide pools", "high (tide OR wave)"),
        ('"high tide" OR flood', '("high tide" OR flood)'),
        ("storm OR Storm OR STORM", "storm"),
        ('"climate change" OR "CLIMATE change" OR heat', '("climate change" OR heat)'),
        # Too short for GDELT: words of two letters, phrases of four.
        ("AI robots", "robots"),
        ("EU OR robots", "robots"),
        ("robots -UK", "robots"),
        ('robots "that"', "robots"),
        ('robots "about"', 'robots "about"'),
        ("F-16 jets", '"F-16" jets'),
        ("AT&T merger", '"AT&T" merger'),
        ("C++", '"C++"'),
        # Nothing is known of other scripts; a single character says too little.
        ("台风", "台风"),
        ("ÖVP жк", "ÖVP жк"),
        ("台 robots", "robots"),
        ("storm AND", "storm"),
        ('"OR" robots', "robots"),
    ],
)
def test_queries_are_translated(text: str, sent: str) -> None:
    """The result is one that GDELT can parse, and never narrower than what was asked for."""
    assert ask(text)["query"] == sent


@pytest.mark.parametrize("text", ["AI", "EU OR UK", '"it"', "AI -robots", "a b c d"])
def test_query_of_short_words_is_refused_without_a_call(text: str) -> None:
    """Other queries are not affected."""
    refusal = refuse(text)
    assert (refusal.status, refusal.http_status, refusal.query_fault) == (
        Status.UNSUPPORTED,
        None,
        True,
    )
    assert "too short" in refusal.detail


def test_dates_stay_within_three_months() -> None:
    """An earlier start is cut, a later end too; an earlier end is refused without a call."""
    sent = ask("storm", start=NOW - timedelta(days=400), end=NOW + timedelta(days=2))
    assert (sent["startdatetime"], sent["enddatetime"]) == ("20260825120000", "20261123120000")
    assert refuse("storm", end=NOW - timedelta(days=91)).status is Status.UNSUPPORTED
    assert not ask("storm").keys() & {"startdatetime", "enddatetime"}


@pytest.mark.parametrize(
    ("bounds", "ignored"),
    [
        ({}, ()),
        ({"language": "uk"}, ()),
        ({"language": "la"}, ("language",)),
        ({"sort": Sort.POPULAR}, ("sort",)),
        ({"sort": Sort.NEWEST}, ()),
    ],
)
def test_what_gdelt_cannot_apply_is_ignored(bounds: dict[str, Any], ignored: tuple[str]) -> None:
    """It knows 60 languages and no popularity."""
    assert SOURCE.list_ignored_parameters(query(**bounds)) == ignored
    assert ("sourcelang" in ask("storm", **bounds)["query"]) == (bounds.get("language") == "uk")


def test_row_becomes_an_article() -> None:
    """The outlet's name is removed from the title, and the names become codes."""
    article = read(row()).articles[0]
    assert article == Article(
        id=article.id,
        source="gdelt",
        external_id="https://www.bugle.example/storm?utm_source=g",
        url="https://www.bugle.example/storm?utm_source=g",
        canonical_url="https://bugle.example/storm",
        title="Storm ahead, they say",
        publisher="bugle.example",
        published_at=datetime(2026, 11, 20, 10, 15, tzinfo=UTC),
        image_url="https://img.example.org/1.jpg",
        language="en",
        country="IE",
    )


def test_row_with_missing_fields_becomes_an_article() -> None:
    """Keys may be missing or empty."""
    article = read({"url": "https://x.example/1", "title": "Storm"}).articles[0]
    assert (article.published_at, article.published_at_estimated) == (NOW, True)
    assert (article.language, article.country, article.image_url) == (None, None, None)
    empty = read(row(language="", sourcecountry="", socialimage="", seendate="")).articles[0]
    assert (empty.language, empty.country, empty.image_url) == (None, None, None)
    assert empty.published_at_estimated


@pytest.mark.parametrize(
    ("bad", "reason"),
    [(row(url="ftp://x"), "bad_url"), (row(title=""), "no_title"), (5, "not_an_object")],
)
def test_bad_row_is_left_out_and_counted(bad: object, reason: str) -> None:
    """The good rows are kept."""
    page = read(*[row()] * 9, bad)
    assert (len(page.articles), page.returned, page.dropped) == (9, 10, {reason: 1})


def test_known_other_language_is_left_out() -> None:
    """GDELT says the language of each page."""
    page = read(row(), row(language="Klingon"), language="de")
    assert (len(page.articles), page.dropped) == (1, {"other_language": 1})


def test_tail_that_two_rows_share_is_an_outlet() -> None:
    """As with NewsAPI: neither host nor publisher shows the name, two headlines do."""
    pages = [
        row(url=f"https://www.h{n // 2}.example/{n}", title=f"{title} - Der Bote")
        for n, title in enumerate(["Storm over the coast", "Flood in the valley"])
    ]
    assert [article.title for article in read(*pages).articles] == [
        "Storm over the coast",
        "Flood in the valley",
    ]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("Asesinan en México a Ana , sobrina", "Asesinan en México a Ana, sobrina"),
        ("What now ? Nothing !", "What now? Nothing!"),
        ("It ' s a storm , isn ' t it ?", "It's a storm, isn't it?"),
        ("Minister \u2019 s plan ( again )", "Minister\u2019s plan (again)"),
        ("Up 5 % in May .", "Up 5% in May."),
        ("台风 登陆 。", "台风 登陆。"),
        (".NET 9 and a :) face", ".NET 9 and a :) face"),
        ("a .5 share , 30,000 people", "a .5 share, 30,000 people"),
        ("Rock 'n' roll", "Rock 'n' roll"),
        ("", ""),
    ],
)
def test_tokens_are_joined(given: str, expected: str) -> None:
    """Spaces before and after signs go, those between words stay."""
    assert tidy_title(given) == expected


@pytest.mark.parametrize(
    ("escaped", "title"),
    [
        (rb"It\'s a storm", "It's a storm"),
        (rb"C:\storm", "C:storm"),
        (rb"quoted \"storm\" \\ \u00e9\/", 'quoted "storm" \\ \u00e9/'),
        (b"tab\there", "tabhere"),
        (rb"\\'s", "\\'s"),
        (rb"half \ud83d", "half"),
        (rb"\u12 x", "u12 x"),
    ],
)
def test_unknown_escapes_are_repaired(escaped: bytes, title: str) -> None:
    """GDELT's JSON may have a backslash before any character, and bare control characters."""
    body = b'{"articles": [{"url": "https://x.example/1", "title": "%s"}]}' % escaped
    found = SOURCE.read(reply(body), QUERY, NOW)
    assert isinstance(found, SourcePage)
    assert [article.title for article in found.articles] == [title]


def test_large_body_is_not_repaired() -> None:
    """Repairing it would block the loop."""
    title = rb"It\'s" + b" a storm" * 40_000
    body = b'{"articles": [{"url": "https://x.example/1", "title": "%s"}]}' % title
    found = SOURCE.read(reply(body), QUERY, NOW)
    assert isinstance(found, Refusal)
    assert found.status is Status.BAD_PAYLOAD


def test_nothing_found_is_an_empty_object() -> None:
    """It is an answer, not a failure."""
    assert SOURCE.read(reply(b"{}"), QUERY, NOW) == SourcePage((), 0, {}, 200)


@pytest.mark.parametrize(("text", "status"), MESSAGES.items())
def test_message_with_status_200_is_a_refusal(text: str, status: Status) -> None:
    """The real API sends plain text with HTTP 200 and the media type of JSON."""
    found = SOURCE.read(reply(text.encode()), QUERY, NOW)
    assert isinstance(found, Refusal)
    assert (found.status, found.http_status) == (status, 200)
    assert found.query_fault is (status is Status.UNSUPPORTED)
    assert found.pause_s == (60.0 if status is Status.RATE_LIMITED else None)
    assert "kalev" not in found.detail or "@" in found.detail


@pytest.mark.parametrize(
    ("body", "status", "expected", "pause_s"),
    [
        (next(iter(MESSAGES)).encode(), 429, Status.RATE_LIMITED, 60.0),
        (b"", 429, Status.RATE_LIMITED, 60.0),
        (b"", 200, Status.BAD_PAYLOAD, None),
        (b"<html>Too many keywords</html>", 200, Status.BAD_PAYLOAD, None),
        (b"An unknown error occurred.", 200, Status.BAD_PAYLOAD, None),
        (b"<html>", 503, Status.UNREACHABLE, None),
        (b'{"error": 1}', 500, Status.UNREACHABLE, None),
        (b'{"articles": {}}', 200, Status.BAD_PAYLOAD, None),
        (b'{"articles": [', 200, Status.BAD_PAYLOAD, None),
    ],
)
def test_errors_become_refusals(
    body: bytes, status: int, expected: Status, pause_s: float | None
) -> None:
    """Texts, pages and broken JSON."""
    found = SOURCE.read(reply(body, status), QUERY, NOW)
    assert isinstance(found, Refusal)
    assert (found.status, found.http_status, found.pause_s) == (expected, status, pause_s)


def test_retry_after_is_respected() -> None:
    """If GDELT names a time, it counts."""
    found = SOURCE.read(reply(next(iter(MESSAGES)).encode(), retry_after="90"), QUERY, NOW)
    assert isinstance(found, Refusal)
    assert found.pause_s == 90.0


def test_recorded_rows_become_articles() -> None:
    """Rows of the real API."""
    found = SOURCE.read(reply(RECORDED), QUERY, NOW)
    assert isinstance(found, SourcePage)
    assert [(a.title, a.language, a.country, a.published_at) for a in found.articles] == [
        (
            TITLE.replace(" :", ":"),
            "en",
            "US",
            datetime(2026, 5, 20, 22, 15, tzinfo=UTC),
        ),
        (
            "Asesinan en México a Ana María Serrano, sobrina",
            "es",
            "MX",
            datetime(2023, 9, 18, 3, 30, tzinfo=UTC),
        ),
    ]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("United States", "US"),
        ("united kingdom ", "GB"),
        ("Cote d'Ivoire", "CI"),
        ("Bahamas, The", "BS"),
        ("Atlantis", None),
        ("", None),
        (None, None),
    ],
)
def test_countries_have_codes(name: object, code: str | None) -> None:
    """By their English names."""
    assert find_country(name) == code


@pytest.mark.parametrize(
    ("name", "code"),
    [("English", "en"), ("deu", "de"), ("Norwegian Bokmal", "no"), ("zho", "zh"), (5, None)],
)
def test_languages_have_codes(name: object, code: str | None) -> None:
    """By their English names, or by three letters."""
    assert find_language(name) == code


def test_language_names_lead_back() -> None:
    """What we ask for is what the rows then have."""
    codes = {
        code
        for name in ("english", "spanish", "norwegian", "chinese")
        if (code := find_language(name))
    }
    assert {find_language(name_language(code)) for code in codes} == codes

"""Skywatch, an invented service for weather reports, as a source of newsintel."""

from newsintel.config.values import SourceOptions, parse_secret
from newsintel.domain.search.article import MAX_DESCRIPTION, MAX_TITLE, Article
from newsintel.domain.search.outcome import Refusal
from newsintel.domain.search.query import translate_clauses
from newsintel.domain.text.urls import canonicalize_url, make_article_id
from newsintel.outbound.sources.payload import read_json_object
from newsintel.outbound.sources.refusals import make_status_refusal
from newsintel.outbound.sources.rows import read_date, read_page, read_text, read_url
from newsintel.outbound.sources.source import Request, Source


def build_request(query, settings, key, now):
    q = translate_clauses(query.clauses, max_chars=200)
    return Request("/v1/reports", (("q", q), ("limit", "100")), (("X-Api-Key", key),))


def read_slices(response, query, now):
    body = yield from read_json_object(response)
    if isinstance(body, Refusal):
        return body if response.status == 200 else make_status_refusal(response, now)
    if response.status != 200 or not isinstance(body.get("reports"), list):
        return make_status_refusal(response, now)
    read = lambda row: read_report(row, now)  # noqa: E731
    return (yield from read_page(body["reports"], read, query, http_status=200))


def read_report(row, now):
    yield
    title, url = read_text(row, "headline", MAX_TITLE), read_url(row, "link")
    if title is None or url is None:
        return "no_title" if title is None else "bad_url"
    published_at, estimated = read_date(row.get("issued"), now)
    identity = canonicalize_url(url)
    return Article(
        id=make_article_id(identity),
        source="skywatch",
        external_id=url,
        url=url,
        canonical_url=identity,
        title=title,
        publisher="Skywatch",
        published_at=published_at,
        published_at_estimated=estimated,
        description=read_text(row, "summary", MAX_DESCRIPTION),
        language="en",
    )


SOURCE = Source(
    options=SourceOptions(
        "skywatch", "https://api.skywatch.example", 1.0, None, {"KEY": parse_secret}
    ),
    build_request=build_request,
    read_slices=read_slices,
    list_ignored_parameters=lambda query: (),
)

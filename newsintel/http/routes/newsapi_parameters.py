"""The parameters of NewsAPI, as newsapi.org/docs/endpoints has them."""

import re
from datetime import datetime
from typing import Any

from attrs import frozen

from newsintel.domain.text.moments import parse_time
from newsintel.errors import InvalidParameterError
from newsintel.http.bodies.newsapi_filter import CATEGORIES
from newsintel.http.bodies.search import MAX_PAGE
from newsintel.http.request.query_kinds import (
    Kind,
    choice,
    date_or_time,
    free_text,
    language_code,
    matching_text,
    whole_number,
)
from newsintel.http.request.query_string import Parameter

FIELDS = ("title", "description", "content")
MAX_PAGE_SIZE = 100
MAX_SITES = 100
"""Each article is compared with all of them. NewsAPI names no limit."""
MAX_SOURCES = 20
"""newsapi.org/docs/endpoints/everything."""


@frozen
class PagedParameters:
    """The values that both lists of articles have."""

    api_key: str
    q: str
    sources: str
    language: str | None
    page_size: int
    page: int


@frozen
class EverythingParameters(PagedParameters):
    """The values of /everything."""

    q_in_title: str
    search_in: str
    domains: str
    exclude_domains: str
    from_: datetime | None
    to: datetime | None
    sort_by: str


@frozen
class HeadlineParameters(PagedParameters):
    """The values of /top-headlines."""

    country: str | None
    category: str | None


@frozen
class SourceParameters:
    """The values of /top-headlines/sources."""

    api_key: str
    language: str | None
    country: str | None
    category: str | None


def _date_or_local_time(*, end: bool) -> Kind:
    """A date or a time. NewsAPI's times have no zone and mean UTC; those with a zone work too."""
    strict = date_or_time(end=end)
    local = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}"

    def parse(raw: str) -> datetime:
        if re.fullmatch(local, raw):
            try:
                return parse_time(raw.replace(" ", "T") + "Z", end=end)
            except ValueError:
                pass
        moment: datetime = strict.parse(raw)
        return moment

    anywhere: list[dict[str, Any]] = [*strict.schema["anyOf"]]
    return Kind({"anyOf": [*anywhere, {"type": "string", "format": "date-time-local"}]}, parse)


_KEY = Parameter(
    "apiKey", free_text(), "An API key of this service; the header X-Api-Key is better.", ""
)
_LANGUAGE = Parameter("language", language_code(), "Two letters; all languages by default.")
_COUNTRY = Parameter(
    "country",
    matching_text({"type": "string", "pattern": "^[a-z]{2}$"}, "two small letters such as us"),
    "The country of the publisher, as far as the feed list knows it.",
)
_CATEGORY = Parameter("category", choice(*CATEGORIES), "Chosen by the section of each article.")
_WORDS = Parameter(
    "q", free_text(), 'Words, "phrases", AND, OR, NOT, + and -, as in GET /articles.', ""
)
_SOURCES = Parameter("sources", free_text(), "A comma list of at most 20 ids of publishers.", "")
_PAGE = Parameter("page", whole_number(1, MAX_PAGE), "Which page; one past the end is empty.", 1)


def _page_size(default: int) -> Parameter:
    return Parameter("pageSize", whole_number(1, MAX_PAGE_SIZE), "Articles on a page.", default)


TAKEN_BY_EVERYTHING = (
    _KEY,
    _WORDS,
    Parameter("qInTitle", free_text(), "Words that must occur in the title.", ""),
    Parameter(
        "searchIn", free_text(), f"A comma list out of {', '.join(FIELDS)}, where q must occur.", ""
    ),
    _SOURCES,
    Parameter("domains", free_text(), "A comma list of sites, e.g. bbc.co.uk.", ""),
    Parameter("excludeDomains", free_text(), "A comma list of sites to leave out.", ""),
    Parameter("from", _date_or_local_time(end=False), "The first moment wanted, in UTC."),
    Parameter("to", _date_or_local_time(end=True), "The last moment wanted, in UTC."),
    _LANGUAGE,
    Parameter(
        "sortBy", choice("relevancy", "popularity", "publishedAt"), "The order.", "publishedAt"
    ),
    _page_size(100),
    _PAGE,
)
TAKEN_BY_HEADLINES = (_KEY, _WORDS, _SOURCES, _LANGUAGE, _COUNTRY, _CATEGORY, _page_size(20), _PAGE)
TAKEN_BY_SOURCES = (_KEY, _LANGUAGE, _COUNTRY, _CATEGORY)


def miss_parameters(names: str) -> InvalidParameterError:
    """Return the error of a request without any of these parameters."""
    return InvalidParameterError(
        names.partition(",")[0],
        "parametersMissing",
        "Required parameters are missing, the scope of your search is too broad. Please set any "
        f"of the following required parameters and try again: {names}.",
    )


def read_fields(search_in: str) -> tuple[str, ...]:
    """Return the fields of searchIn; () = all, which needs no filter."""
    fields = split_names(search_in)
    if not set(fields) <= set(FIELDS):
        raise InvalidParameterError(
            "searchIn",
            "parameterInvalid",
            f"searchIn must be a comma list out of {', '.join(FIELDS)}",
        )
    return () if set(fields) == set(FIELDS) else fields


def read_sources(sources: str) -> tuple[str, ...]:
    """Return the ids of publishers in a comma list."""
    found = split_names(sources)
    if len(found) > MAX_SOURCES:
        raise InvalidParameterError(
            "sources",
            "sourcesTooMany",
            "You have requested too many sources in a single request. "
            "Try splitting the request into 2 smaller requests.",
        )
    for one in found:
        if not re.fullmatch(r"\w+(-\w+)*", one):
            raise InvalidParameterError(
                "sources",
                "sourceDoesNotExist",
                f"The news source you've entered doesn't exist: {one[:64]}. "
                "Check your spelling, or see /top-headlines/sources.",
            )
    return found


def read_sites(field: str, sites: str) -> tuple[str, ...]:
    """Return the sites in the comma list of a parameter."""
    found = split_names(sites)
    if len(found) > MAX_SITES:
        raise InvalidParameterError(
            field, "parameterInvalid", f"{field} must have at most {MAX_SITES} entries"
        )
    return found


def split_names(names: str) -> tuple[str, ...]:
    """Return the entries of a comma list, in small letters, each once."""
    lowered = (name.strip().lower() for name in names.split(","))
    return tuple(dict.fromkeys(filter(None, lowered)))

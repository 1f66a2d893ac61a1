"""JSON Schemas of every body, for /openapi.json and for the tests that validate real bodies.

Later versions may add members, so no schema forbids unknown members.
"""

from typing import Any

from newsintel.domain.alerts.channels import ChannelKind
from newsintel.domain.alerts.delivery_model import DeliveryState, Outcome
from newsintel.domain.alerts.digests import Every
from newsintel.domain.intelligence.interest_model import Basis
from newsintel.domain.intelligence.search_counts import TrendWindow
from newsintel.domain.operations.ports import Phase
from newsintel.domain.personal.model import Dismissal, FeedList
from newsintel.domain.personal.preferences import KEY
from newsintel.domain.search.article import Rule
from newsintel.domain.search.harvest import Origin
from newsintel.domain.search.outcome import Status
from newsintel.domain.search.stories.vetoes import Veto
from newsintel.http.bodies.json_feed import VERSION as JSON_FEED_VERSION

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
BLANK: Schema = {"type": "string", "maxLength": 0}
MOMENT: Schema = {"type": "string", "format": "date-time"}
URI: Schema = {"type": "string", "format": "uri"}
COUNTRY: Schema = {"type": "string", "pattern": "^[A-Z]{2}$"}
SESSION_ID: Schema = {"type": "string", "pattern": "^s_[a-z2-7]{20}$"}
KEY_ID: Schema = {"type": "string", "pattern": "^k_[a-z2-7]{20}$"}
ARTICLE_ID: Schema = {"type": "string", "pattern": "^a_[a-z2-7]{20}$"}
PREFERENCE_KEY: Schema = {"type": "string", "pattern": f"^{KEY}$"}
FEED_ID: Schema = {"type": "string", "pattern": "^f_[a-z2-7]{20}$"}
FEED_SECRET: Schema = {"type": "string", "pattern": "^[A-Za-z0-9_-]{43}$"}
SAVED_SEARCH_ID: Schema = {"type": "string", "pattern": "^w_[a-z2-7]{20}$"}
SEARCH_ID: Schema = {"type": "string", "pattern": "^h_[a-z2-7]{20}$"}


def one_of(values: Any) -> Schema:
    """One of an enum's values."""
    return {"type": "string", "enum": [str(value) for value in values]}


def nullable(schema: Schema) -> Schema:
    """A schema's value or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def or_blank(schema: Schema) -> Schema:
    """A schema's value in a form or on a page, or nothing: forms send their empty fields too."""
    if schema.keys() <= {"type", "minLength", "maxLength"} and schema["type"] == "string":
        return {name: value for name, value in schema.items() if name != "minLength"}
    if schema.get("type") != "array":
        return {"anyOf": [schema, BLANK]}
    # The type stays outside, because it decides how the values are written into a query string.
    rules = {name: value for name, value in schema.items() if name != "type"}
    return {"type": "array", "anyOf": [rules, {"items": BLANK, "maxItems": 1}]}


def list_of(items: Schema) -> Schema:
    """A list."""
    return {"type": "array", "items": items}


def map_of(values: Schema) -> Schema:
    """An object used as a map."""
    return {"type": "object", "additionalProperties": values}


def object_of(required: dict[str, Schema], **optional: Schema) -> Schema:
    """An object with required and optional members."""
    return {"type": "object", "properties": required | optional, "required": list(required)}


def event_of(name: str, data: Schema) -> Schema:
    """A server-sent event with JSON as its data."""
    json_text = TEXT | {"contentMediaType": "application/json", "contentSchema": data}
    return object_of({"event": TEXT | {"const": name}, "id": TEXT, "data": json_text})


def ref(name: str) -> Schema:
    """A reference to a member of COMPONENTS."""
    return {"$ref": f"#/components/schemas/{name}"}


_ARTICLE = {
    "id": ARTICLE_ID,
    "title": TEXT,
    "description": nullable(TEXT),
    "url": URI,
    "source": TEXT,
    "publisher": TEXT,
    "section": nullable(TEXT),
    "author": nullable(TEXT),
    "image_url": nullable(URI),
    "language": nullable(TEXT),
    "published_at": MOMENT,
    "discussion": nullable(ref("Discussion")),
}

_SAVED = _ARTICLE | {"saved": object_of({"notes": nullable(TEXT), "saved_at": MOMENT})}
_OPENED = _ARTICLE | {"opened": object_of({"opened_at": MOMENT})}
_DISMISSED = _ARTICLE | {
    "dismissed": object_of({"reason": one_of(Dismissal), "dismissed_at": MOMENT})
}
PAST_SEARCH = object_of(
    {"id": SEARCH_ID, "query": TEXT, "results_count": COUNT, "searched_at": MOMENT}
)
_SESSION = object_of(
    {
        "id": SESSION_ID,
        "client": TEXT,
        "created_at": MOMENT,
        "last_seen_at": MOMENT,
        "current": FLAG,
    }
)
_KEY = {
    "id": KEY_ID,
    "name": TEXT,
    "scope": one_of(["read", "write"]),
    "created_at": MOMENT,
    "expires_at": nullable(MOMENT),
    "last_used_at": nullable(MOMENT),
}

_FEED = {
    "id": FEED_ID,
    "name": TEXT,
    "shows": one_of(FeedList),
    "q": nullable(TEXT),
    "created_at": MOMENT,
}

_ATTEMPT = object_of(
    {
        "attempted_at": MOMENT,
        "outcome": one_of(Outcome),
        "status_code": nullable(COUNT),
        "detail": TEXT,
        "latency_ms": COUNT,
    }
)
_DELIVERY = {
    "id": TEXT,
    "kind": one_of(ChannelKind),
    "to": TEXT,
    "state": one_of(DeliveryState),
    "test": FLAG,
    "stories": COUNT,
    "created_at": MOMENT,
    "due_at": MOMENT,
    "attempts": list_of(_ATTEMPT),
}
_MATCH = _ARTICLE | {"group_id": ARTICLE_ID, "publishers": list_of(TEXT)}
_CHANNEL = {
    "kind": one_of(ChannelKind),
    "to": nullable(TEXT),
    "works": FLAG,
    "confirmed_at": nullable(MOMENT),
    "disabled_at": nullable(MOMENT),
    "disabled_reason": nullable(TEXT),
    "failing_since": nullable(MOMENT),
    "last_delivered_at": nullable(MOMENT),
}
_WATCHED = object_of(
    {
        "q": nullable(TEXT),
        "sources": list_of(TEXT),
        "publisher": nullable(TEXT),
        "language": nullable(TEXT),
    }
)
_SAVED_SEARCH = {
    "id": SAVED_SEARCH_ID,
    "name": TEXT,
    "query": _WATCHED,
    "deliver": list_of(object_of(_CHANNEL)),
    "every": one_of(one.value for one in Every),
    "time_zone": TEXT,
    "paused": FLAG,
    "works": FLAG,
    "created_at": MOMENT,
    "changed_at": MOMENT,
    "last_matched_at": nullable(MOMENT),
}
_SECRET: Schema = {"type": "string", "pattern": "^whsec_[A-Za-z0-9+/]+=*$"}
_MATCHED = object_of(
    {
        "search": object_of({"id": SAVED_SEARCH_ID, "name": TEXT}),
        "article": object_of(_MATCH),
    }
)

COMPONENTS: dict[str, Schema] = {
    # Counts may be negative in imported articles.
    "Discussion": object_of(
        {"url": URI, "points": {"type": "integer"}, "comments": {"type": "integer"}}
    ),
    "Duplicate": object_of(
        {
            name: _ARTICLE[name]
            for name in ("id", "title", "url", "source", "publisher", "published_at")
        }
        | {"rule": one_of(Rule), "similarity": {"type": "number", "minimum": 0, "maximum": 1}}
    ),
    "KeptApart": object_of(
        {
            "id": ARTICLE_ID,
            "title": TEXT,
            "veto": one_of(Veto),
            "similarity": {"type": "number", "minimum": 0, "maximum": 1},
        }
    ),
    "Article": object_of(
        _ARTICLE
        | {
            "group_id": ARTICLE_ID,
            "score": {"type": "number", "minimum": 0, "maximum": 1},
            "duplicates": list_of(ref("Duplicate")),
        },
        score_parts=map_of(NUMBER),
        kept_apart=list_of(ref("KeptApart")),
        popularity=NUMBER,
        preference=NUMBER,
        published_at_estimated=FLAG,
    ),
    "ArchivedArticle": object_of(
        _ARTICLE
        | {
            "content": nullable(TEXT),
            "leader_id": ARTICLE_ID,
            "group_id": nullable(ARTICLE_ID),
            "duplicates": list_of(ref("Duplicate")),
            "first_seen_at": MOMENT,
            "fetched_at": MOMENT,
        },
        published_at_estimated=FLAG,
    ),
    "ArchiveArticle": object_of(
        _ARTICLE
        | {"first_seen_at": MOMENT, "fetched_at": MOMENT}
        | {
            "group_id": nullable(ARTICLE_ID),
            "snippet": nullable(
                object_of(
                    {
                        "text": TEXT,
                        "highlights": list_of(list_of(COUNT) | {"minItems": 2, "maxItems": 2}),
                    }
                )
            ),
        },
        published_at_estimated=FLAG,
    ),
    "ArchivePage": object_of(
        {
            "articles": list_of(ref("ArchiveArticle")),
            "next_cursor": nullable(TEXT),
        }
    ),
    "Coverage": object_of(
        {
            "publishers": list_of(ref("Report")),
            "countries": map_of(COUNT),
            "languages": map_of(COUNT),
            "hours": list_of(object_of({"start": MOMENT, "count": COUNT})),
            "first": nullable(ref("Report")),
            "missing": list_of(COUNTRY),
        }
    ),
    "Report": object_of(
        {
            "publisher": TEXT,
            "country": nullable(COUNTRY),
            "language": nullable(TEXT),
            "published_at": MOMENT,
            "url": URI,
        }
    ),
    "Similar": object_of(
        {
            "articles": list_of(
                object_of(
                    _ARTICLE
                    | {
                        "fetched_at": MOMENT,
                        "score": {"type": "number", "minimum": 0, "maximum": 1},
                    }
                    | {"reasons": object_of({"terms": list_of(TEXT), "text": TEXT})},
                    published_at_estimated=FLAG,
                )
            )
        }
    ),
    "Timeline": object_of({"buckets": list_of(object_of({"start": MOMENT, "count": COUNT}))}),
    "Facets": object_of(
        {
            name: list_of(object_of({"value": TEXT, "count": COUNT}))
            for name in ("source", "publisher")
        },
        # Present only if there are older matches, which are not counted.
        counted_newest=COUNT,
    ),
    "Trending": object_of(
        {
            "window": one_of(TrendWindow),
            "searches": list_of(
                object_of(
                    {
                        "query": TEXT,
                        "score": NUMBER,
                        "people": COUNT,
                        "usual": nullable(NUMBER | {"minimum": 0}),
                        "reasons": list_of(TEXT),
                    }
                )
            ),
        }
    ),
    "RelatedSearches": object_of(
        {
            "searches": list_of(
                object_of(
                    {"query": TEXT, "score": NUMBER, "people": COUNT, "reasons": list_of(TEXT)}
                )
            )
        }
    ),
    "SourceReport": object_of(
        {
            "status": one_of(Status),
            "latency_ms": nullable(NUMBER),
            "returned": COUNT,
            "kept": COUNT,
            "merged": COUNT,
            "http_status": nullable(COUNT),
            "retry_at": nullable(MOMENT),
            "ignored": list_of(TEXT),
        }
    ),
    "Search": object_of(
        {
            "articles": list_of(ref("Article")),
            "total": COUNT,
            "limit": COUNT,
            "page": COUNT,
            "has_more": FLAG,
            "complete": FLAG,
            "origin": one_of(Origin),
            "fetched_at": MOMENT,
            "sources": map_of(ref("SourceReport")),
        },
        personal=object_of({"applied": list_of(TEXT), "hidden": COUNT}),
        # Present only if no source is configured: the settings that turn sources on.
        notice=TEXT,
    ),
    "StreamEvent": {
        "oneOf": [
            event_of(
                "source",
                object_of(
                    {
                        "name": TEXT,
                        "status": one_of(Status),
                        "latency_ms": nullable(NUMBER),
                        "returned": COUNT,
                        "kept": COUNT,
                    }
                ),
            ),
            event_of("merge", object_of({"articles": list_of(ref("Article")), "total": COUNT})),
            event_of("done", ref("Search")),
            event_of("problem", ref("Problem")),
        ]
    },
    # JSON Feed 1.1, as far as we use it.
    "JsonFeed": object_of(
        {
            "version": one_of([JSON_FEED_VERSION]),
            "title": TEXT,
            "home_page_url": URI,
            "feed_url": URI,
            "items": list_of(
                object_of(
                    {
                        "id": TEXT,
                        "url": URI,
                        "title": TEXT,
                        "content_text": TEXT,
                        "date_published": MOMENT,
                        "_newsintel": object_of({"source": TEXT, "publisher": TEXT}),
                    },
                    image=URI,
                    language=TEXT,
                    authors=list_of(object_of({"name": TEXT})),
                    tags=list_of(TEXT),
                )
            ),
        },
        next_url=URI,
    ),
    "Account": object_of(
        {
            "id": TEXT,
            "username": TEXT,
            "provider": TEXT,
            "created_at": MOMENT,
            "last_login_at": MOMENT,
        }
    ),
    "Preferences": object_of({"preferences": map_of({})}),
    "Preference": object_of({"value": {}}),
    "SavedArticle": object_of(_SAVED, published_at_estimated=FLAG),
    "ExportedArticle": object_of(_SAVED | {"content": nullable(TEXT)}, published_at_estimated=FLAG),
    "SavedPage": object_of(
        {"articles": list_of(ref("SavedArticle")), "next_cursor": nullable(TEXT)}
    ),
    "Recommendations": object_of(
        {
            "articles": list_of(
                object_of(
                    _ARTICLE
                    | {
                        "score": {"type": "number", "minimum": 0, "maximum": 1},
                        "reasons": list_of(TEXT) | {"minItems": 1},
                    },
                    published_at_estimated=FLAG,
                )
            ),
            "basis": one_of(Basis),
        }
    ),
    "PastSearch": PAST_SEARCH,
    "History": object_of({"searches": list_of(ref("PastSearch")), "next_cursor": nullable(TEXT)}),
    "Export": object_of(
        {
            "exported_at": MOMENT,
            "account": ref("Account"),
            "identities": list_of(object_of({"provider": TEXT, "subject": TEXT})),
            "preferences": map_of({}),
            "keys": list_of(object_of(_KEY)),
            "feeds": list_of(object_of(_FEED)),
            "saved_searches": list_of(ref("SavedSearch")),
            "sessions": list_of(_SESSION),
            "saved": list_of(ref("ExportedArticle")),
            "opened": list_of(object_of(_OPENED, published_at_estimated=FLAG)),
            "dismissed": list_of(object_of(_DISMISSED, published_at_estimated=FLAG)),
            "read": list_of(object_of({"article": ARTICLE_ID, "read_at": MOMENT})),
            "not_same": list_of(object_of({"articles": list_of(ARTICLE_ID), "marked_at": MOMENT})),
            "searches": list_of(ref("PastSearch")),
            "matches": list_of(
                object_of(_MATCH | {"matched_at": MOMENT, "saved_search": SAVED_SEARCH_ID})
            ),
            "deliveries": list_of(object_of(_DELIVERY | {"saved_search": SAVED_SEARCH_ID})),
        }
    ),
    "Sources": object_of(
        {
            "sources": map_of(
                object_of(
                    {
                        "enabled": FLAG,
                        "state": one_of(
                            ["ready", *(status for status in Status if not status.answered)]
                        ),
                        "deadline_s": NUMBER,
                        "pace_s": NUMBER,
                        "quota": nullable(
                            object_of({"calls": COUNT, "window_s": COUNT, "left": nullable(COUNT)})
                        ),
                        "retry_at": nullable(MOMENT),
                    }
                )
            )
        }
    ),
    "Providers": object_of(
        {
            "providers": list_of(
                object_of(
                    {"name": TEXT, "label": TEXT, "method": one_of(["GET", "POST"]), "url": TEXT}
                )
            )
        }
    ),
    "Sessions": object_of({"sessions": list_of(_SESSION)}),
    "Keys": object_of({"keys": list_of(object_of(_KEY))}),
    "NewKey": object_of(_KEY | {"key": {"type": "string", "pattern": "^ni_[A-Za-z0-9_-]{43}$"}}),
    "Deliveries": object_of({"deliveries": list_of(object_of(_DELIVERY))}),
    "Tests": object_of({"tests": COUNT}),
    "NewSecret": object_of({"secret": _SECRET}),
    "SavedSearch": object_of(_SAVED_SEARCH),
    "SavedSearches": object_of({"searches": list_of(object_of(_SAVED_SEARCH))}),
    # The secrets of new webhooks and the addresses of new feeds; `secret` is the first webhook's.
    "NewSavedSearch": object_of(
        _SAVED_SEARCH | {"deliver": list_of(object_of(_CHANNEL, secret=_SECRET, url=URI))},
        secret=_SECRET,
    ),
    "Matches": object_of(
        {
            "articles": list_of(object_of(_MATCH | {"matched_at": MOMENT})),
            "next_cursor": nullable(TEXT),
        }
    ),
    "Preview": object_of(
        {
            "count": COUNT,
            "per_day": list_of(object_of({"start": MOMENT, "count": COUNT})),
            "publishers": list_of(object_of({"value": TEXT, "count": COUNT})),
            "articles": list_of(ref("ArchiveArticle")),
        }
    ),
    "MatchEvent": event_of("match", _MATCHED),
    "Feeds": object_of({"feeds": list_of(object_of(_FEED))}),
    "NewFeed": object_of(_FEED | {"url": URI}),
    "FeedArticles": object_of(
        {"articles": list_of(object_of(_ARTICLE, published_at_estimated=FLAG))}
    ),
    "Health": object_of(
        {"status": one_of(["ok", "stuck"]), "version": TEXT, "commit": TEXT},
        # Present only if the status is `stuck`: the names of the actors.
        actors=list_of(TEXT),
    ),
    "Ready": object_of(
        {
            "status": one_of(["ready", "degraded", "unusable", Phase.STARTING, Phase.DRAINING]),
            "checks": map_of(one_of(["ok", "failing"])),
            "sources": map_of(TEXT),
        },
        # Present only if a source is off, perhaps by mistake: the missing settings.
        notice=TEXT,
    ),
    "Problem": object_of(
        {
            "type": TEXT,
            "code": TEXT,
            "title": TEXT,
            "status": COUNT,
            "detail": TEXT,
            "instance": TEXT,
            "request_id": TEXT,
            "errors": list_of(object_of({"field": TEXT, "code": TEXT, "message": TEXT})),
        },
        sources=map_of(ref("SourceReport")),
    ),
}

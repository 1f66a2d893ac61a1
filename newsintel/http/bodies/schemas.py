"""JSON Schemas of every body, for /openapi.json and for the tests that validate real bodies.

Later versions may add members, so no schema forbids unknown members.
"""

from typing import Any

from newsintel.domain.intelligence.interest_model import Basis
from newsintel.domain.intelligence.search_counts import Span
from newsintel.domain.operations.ports import Phase
from newsintel.domain.personal.model import Dismissal
from newsintel.domain.personal.preferences import KEY
from newsintel.domain.search.article import Rule
from newsintel.domain.search.harvest import Origin
from newsintel.domain.search.outcome import Status

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
URI: Schema = {"type": "string", "format": "uri"}
SESSION_ID: Schema = {"type": "string", "pattern": "^s_[a-z2-7]{20}$"}
KEY_ID: Schema = {"type": "string", "pattern": "^k_[a-z2-7]{20}$"}
ARTICLE_ID: Schema = {"type": "string", "pattern": "^a_[a-z2-7]{20}$"}
PREFERENCE_KEY: Schema = {"type": "string", "pattern": f"^{KEY}$"}
SEARCH_ID: Schema = {"type": "string", "pattern": "^h_[a-z2-7]{20}$"}


def words(values: Any) -> Schema:
    """One of an enum's values."""
    return {"type": "string", "enum": [str(value) for value in values]}


def maybe(schema: Schema) -> Schema:
    """A schema's value or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def many(items: Schema) -> Schema:
    """A list."""
    return {"type": "array", "items": items}


def by_name(values: Schema) -> Schema:
    """An object used as a map."""
    return {"type": "object", "additionalProperties": values}


def record(required: dict[str, Schema], **optional: Schema) -> Schema:
    """An object with required and optional members."""
    return {"type": "object", "properties": required | optional, "required": list(required)}


def ref(name: str) -> Schema:
    """A reference to a member of COMPONENTS."""
    return {"$ref": f"#/components/schemas/{name}"}


_ARTICLE = {
    "id": ARTICLE_ID,
    "title": TEXT,
    "description": maybe(TEXT),
    "url": URI,
    "source": TEXT,
    "publisher": TEXT,
    "section": maybe(TEXT),
    "author": maybe(TEXT),
    "image_url": maybe(URI),
    "language": maybe(TEXT),
    "published_at": MOMENT,
}

_SAVED = _ARTICLE | {"saved": record({"notes": maybe(TEXT), "saved_at": MOMENT})}
_OPENED = _ARTICLE | {"opened": record({"opened_at": MOMENT})}
_DISMISSED = _ARTICLE | {"dismissed": record({"reason": words(Dismissal), "dismissed_at": MOMENT})}
PAST_SEARCH = record({"id": SEARCH_ID, "query": TEXT, "results_count": COUNT, "searched_at": MOMENT})
_SESSION = record({"id": SESSION_ID, "client": TEXT, "created_at": MOMENT, "last_seen_at": MOMENT, "current": FLAG})
_KEY = {
    "id": KEY_ID,
    "name": TEXT,
    "scope": words(["read", "write"]),
    "created_at": MOMENT,
    "expires_at": maybe(MOMENT),
    "last_used_at": maybe(MOMENT),
}

COMPONENTS: dict[str, Schema] = {
    "Duplicate": record(
        {name: _ARTICLE[name] for name in ("id", "title", "url", "source", "publisher", "published_at")}
        | {"rule": words(Rule), "similarity": {"type": "number", "minimum": 0, "maximum": 1}}
    ),
    "Article": record(
        _ARTICLE | {"group_id": ARTICLE_ID, "score": {"type": "number", "minimum": 0, "maximum": 1}, "duplicates": many(ref("Duplicate"))},
        score_parts=by_name(NUMBER),
        popularity=NUMBER,
        preference=NUMBER,
        published_at_estimated=FLAG,
    ),
    "ArchivedArticle": record(
        _ARTICLE | {"content": maybe(TEXT), "leader_id": ARTICLE_ID, "first_seen_at": MOMENT, "fetched_at": MOMENT},
        published_at_estimated=FLAG,
    ),
    "ArchivePage": record(
        {
            "articles": many(
                record(
                    _ARTICLE
                    | {"first_seen_at": MOMENT, "fetched_at": MOMENT}
                    | {"snippet": maybe(record({"text": TEXT, "highlights": many(many(COUNT) | {"minItems": 2, "maxItems": 2})}))},
                    published_at_estimated=FLAG,
                )
            ),
            "next_cursor": maybe(TEXT),
        }
    ),
    "Similar": record(
        {
            "articles": many(
                record(
                    _ARTICLE
                    | {"fetched_at": MOMENT, "score": {"type": "number", "minimum": 0, "maximum": 1}}
                    | {"reasons": record({"terms": many(TEXT), "text": TEXT})},
                    published_at_estimated=FLAG,
                )
            )
        }
    ),
    "Timeline": record({"buckets": many(record({"start": MOMENT, "count": COUNT}))}),
    "Facets": record(
        {name: many(record({"value": TEXT, "count": COUNT})) for name in ("source", "publisher")},
        # Present only if there are older matches, which are not counted.
        counted_newest=COUNT,
    ),
    "Trending": record(
        {
            "window": words(Span),
            "searches": many(
                record({"query": TEXT, "score": NUMBER, "people": COUNT, "usual": maybe(NUMBER | {"minimum": 0}), "reasons": many(TEXT)})
            ),
        }
    ),
    "RelatedSearches": record({"searches": many(record({"query": TEXT, "score": NUMBER, "people": COUNT, "reasons": many(TEXT)}))}),
    "SourceReport": record(
        {
            "status": words(Status),
            "latency_ms": maybe(NUMBER),
            "returned": COUNT,
            "kept": COUNT,
            "merged": COUNT,
            "http_status": maybe(COUNT),
            "retry_at": maybe(MOMENT),
            "ignored": many(TEXT),
        }
    ),
    "Search": record(
        {
            "articles": many(ref("Article")),
            "total": COUNT,
            "limit": COUNT,
            "page": COUNT,
            "has_more": FLAG,
            "complete": FLAG,
            "origin": words(Origin),
            "fetched_at": MOMENT,
            "sources": by_name(ref("SourceReport")),
        },
        personal=record({"applied": many(TEXT), "hidden": COUNT}),
        # Present only if no source is configured: the settings that turn sources on.
        notice=TEXT,
    ),
    "Account": record({"id": TEXT, "username": TEXT, "provider": TEXT, "created_at": MOMENT, "last_login_at": MOMENT}),
    "Preferences": record({"preferences": by_name({})}),
    "Preference": record({"value": {}}),
    "SavedArticle": record(_SAVED, published_at_estimated=FLAG),
    "ExportedArticle": record(_SAVED | {"content": maybe(TEXT)}, published_at_estimated=FLAG),
    "SavedPage": record({"articles": many(ref("SavedArticle")), "next_cursor": maybe(TEXT)}),
    "Recommendations": record(
        {
            "articles": many(
                record(
                    _ARTICLE | {"score": {"type": "number", "minimum": 0, "maximum": 1}, "reasons": many(TEXT) | {"minItems": 1}},
                    published_at_estimated=FLAG,
                )
            ),
            "basis": words(Basis),
        }
    ),
    "PastSearch": PAST_SEARCH,
    "History": record({"searches": many(ref("PastSearch")), "next_cursor": maybe(TEXT)}),
    "Export": record(
        {
            "exported_at": MOMENT,
            "account": ref("Account"),
            "identities": many(record({"provider": TEXT, "subject": TEXT})),
            "preferences": by_name({}),
            "keys": many(record(_KEY)),
            "sessions": many(_SESSION),
            "saved": many(ref("ExportedArticle")),
            "opened": many(record(_OPENED, published_at_estimated=FLAG)),
            "dismissed": many(record(_DISMISSED, published_at_estimated=FLAG)),
            "searches": many(ref("PastSearch")),
        }
    ),
    "Sources": record(
        {
            "sources": by_name(
                record(
                    {
                        "enabled": FLAG,
                        "state": words(["ready", *(status for status in Status if not status.answered)]),
                        "deadline_s": NUMBER,
                        "pace_s": NUMBER,
                        "quota": maybe(record({"calls": COUNT, "window_s": COUNT, "left": maybe(COUNT)})),
                        "retry_at": maybe(MOMENT),
                    }
                )
            )
        }
    ),
    "Providers": record({"providers": many(record({"name": TEXT, "label": TEXT, "method": words(["GET", "POST"]), "url": TEXT}))}),
    "Sessions": record({"sessions": many(_SESSION)}),
    "Keys": record({"keys": many(record(_KEY))}),
    "NewKey": record(_KEY | {"key": {"type": "string", "pattern": "^ni_[A-Za-z0-9_-]{43}$"}}),
    "Health": record({"status": words(["ok"]), "version": TEXT, "commit": TEXT}),
    "Ready": record(
        {
            "status": words(["ready", "degraded", "unusable", Phase.STARTING, Phase.DRAINING]),
            "checks": by_name(words(["ok", "failing"])),
            "sources": by_name(TEXT),
        },
        # Present only if a source is off, perhaps by mistake: the missing settings.
        notice=TEXT,
    ),
    "Problem": record(
        {
            "type": TEXT,
            "code": TEXT,
            "title": TEXT,
            "status": COUNT,
            "detail": TEXT,
            "instance": TEXT,
            "request_id": TEXT,
            "errors": many(record({"field": TEXT, "code": TEXT, "message": TEXT})),
        },
        sources=by_name(ref("SourceReport")),
    ),
}

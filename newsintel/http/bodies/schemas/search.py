"""Bodies of live searches, as JSON and as streams, and of the articles in them."""

from newsintel.domain.search.article import Rule
from newsintel.domain.search.harvest import Origin
from newsintel.domain.search.outcome import Status
from newsintel.domain.search.stories.vetoes import Veto
from newsintel.http.bodies.json_feed import VERSION as JSON_FEED_VERSION
from newsintel.http.bodies.schemas.parts import (
    ARTICLE,
    ARTICLE_ID,
    COUNT,
    FLAG,
    MOMENT,
    NUMBER,
    TEXT,
    URI,
    Schema,
    event_of,
    list_of,
    map_of,
    nullable,
    object_of,
    one_of,
    ref,
)

SEARCH: dict[str, Schema] = {
    # Counts may be negative in imported articles.
    "Discussion": object_of(
        {"url": URI, "points": {"type": "integer"}, "comments": {"type": "integer"}}
    ),
    "Duplicate": object_of(
        {
            name: ARTICLE[name]
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
        ARTICLE
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
}

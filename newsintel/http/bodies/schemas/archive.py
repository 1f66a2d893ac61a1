"""Bodies of the archive and of what is computed from it and from searches."""

from newsintel.domain.intelligence.search_counts import TrendWindow
from newsintel.http.bodies.schemas.parts import (
    ARTICLE,
    ARTICLE_ID,
    COUNT,
    COUNTRY,
    FLAG,
    MOMENT,
    NUMBER,
    TEXT,
    URI,
    Schema,
    list_of,
    map_of,
    nullable,
    object_of,
    one_of,
    ref,
)

ARCHIVE: dict[str, Schema] = {
    "ArchivedArticle": object_of(
        ARTICLE
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
        ARTICLE
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
                    ARTICLE
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
}

"""JSON Schemas of the bodies of foreign APIs, for /openapi.json and for tests."""

from newsintel.http.bodies.newsapi import ERROR_CODES
from newsintel.http.bodies.schemas.operations import OPERATIONS
from newsintel.http.bodies.schemas.parts import (
    COUNT,
    MOMENT,
    NUMBER,
    TEXT,
    URI,
    Schema,
    list_of,
    nullable,
    object_of,
    one_of,
    ref,
)
from newsintel.http.bodies.searxng import CATEGORIES

_PROBLEM = OPERATIONS["Problem"]

DOOR_COMPONENTS: dict[str, Schema] = {
    "SearxngSearch": object_of(
        {
            "query": TEXT,
            "number_of_results": COUNT,
            "results": list_of(ref("SearxngResult")),
            "answers": list_of({}),
            "corrections": list_of(TEXT),
            "infoboxes": list_of({}),
            "suggestions": list_of(TEXT),
            "unresponsive_engines": list_of(list_of(TEXT) | {"minItems": 2, "maxItems": 2}),
        }
    ),
    "SearxngResult": object_of(
        {
            "url": URI,
            "title": TEXT,
            "content": TEXT,
            "publishedDate": MOMENT,
            "pubdate": TEXT,
            "author": TEXT,
            "metadata": TEXT,
            "img_src": TEXT,
            "thumbnail": TEXT,
            "engine": TEXT,
            "engines": list_of(TEXT),
            "positions": list_of(COUNT),
            "score": NUMBER,
            "category": one_of(CATEGORIES),
            "template": TEXT,
            "parsed_url": list_of(TEXT) | {"minItems": 6, "maxItems": 6},
        }
    ),
    "SearxngProblem": {
        "type": "object",
        "properties": _PROBLEM["properties"] | {"error": TEXT},
        "required": [*_PROBLEM["required"], "error"],
    },
    "NewsApiArticles": object_of(
        {
            "status": TEXT | {"const": "ok"},
            "totalResults": COUNT,
            "articles": list_of(ref("NewsApiArticle")),
        }
    ),
    "NewsApiArticle": object_of(
        {
            "source": object_of({"id": nullable(TEXT), "name": TEXT}),
            "author": nullable(TEXT),
            "title": TEXT,
            "description": nullable(TEXT),
            "url": URI,
            "urlToImage": nullable(URI),
            "publishedAt": MOMENT,
            "content": nullable(TEXT),
        }
    ),
    "NewsApiSources": object_of(
        {
            "status": TEXT | {"const": "ok"},
            "sources": list_of(
                object_of(
                    dict.fromkeys(
                        (
                            *("id", "name", "description", "url"),
                            *("category", "language", "country"),
                        ),
                        TEXT,
                    )
                )
            ),
        }
    ),
    "NewsApiError": object_of(
        {
            "status": TEXT | {"const": "error"},
            "code": one_of(
                sorted({*ERROR_CODES, "apiKeyInvalid", "rateLimited", "unexpectedError"})
            ),
            "message": TEXT,
            "request_id": TEXT,
        }
    ),
}

"""Examples of bodies that say more than those made from a schema.

A test holds each against its schema.
"""

from typing import Any

_ARTICLE = {
    "id": "a_2fzv6hq3kx5b7mntwe4c",
    "title": "Sea wall holds as the tide peaks",
    "description": "Engineers had worked through the night.",
    "url": "https://www.example.org/environment/sea-wall",
}
_REPORT = {
    "status": "ok",
    "latency_ms": 212.4,
    "returned": 50,
    "kept": 49,
    "merged": 3,
    "http_status": 200,
    "retry_at": None,
    "ignored": [],
}
_LATE = {
    "status": "timeout",
    "latency_ms": 1000.2,
    "returned": 0,
    "kept": 0,
    "merged": 0,
    "http_status": None,
    "retry_at": "2026-03-01T12:00:31.000Z",
    "ignored": [],
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "Search": {
        "articles": [
            _ARTICLE
            | {
                "source": "guardian",
                "publisher": "The Guardian",
                "section": "Environment",
                "author": None,
                "image_url": None,
                "language": "en",
                "published_at": "2026-03-01T11:40:00Z",
                "discussion": None,
                "group_id": "a_2fzv6hq3kx5b7mntwe4c",
                "score": 0.8123,
                "duplicates": [
                    {
                        "id": "a_7kq2mzv5xh3b6tnwce4d",
                        "title": "Sea wall holds as tide peaks",
                        "url": "https://news.example.com/1",
                        "source": "newsapi",
                        "publisher": "Example News",
                        "published_at": "2026-03-01T11:52:00Z",
                        "rule": "near_title",
                        "similarity": 0.875,
                    }
                ],
            }
        ],
        "total": 35,
        "limit": 20,
        "page": 1,
        "has_more": True,
        "complete": False,
        "origin": "live",
        "fetched_at": "2026-03-01T12:00:01.000Z",
        "sources": {"guardian": _REPORT, "reddit": _LATE},
    },
    "SearxngSearch": {
        "query": "sea wall",
        "number_of_results": 35,
        "results": [
            {
                "url": _ARTICLE["url"],
                "title": _ARTICLE["title"],
                "content": _ARTICLE["description"],
                "publishedDate": "2026-03-01T11:40:00+00:00",
                "pubdate": "2026-03-01 11:40:00",
                "author": "",
                "metadata": "The Guardian",
                "img_src": "",
                "thumbnail": "",
                "engine": "guardian",
                "engines": ["guardian", "newsapi"],
                "positions": [1],
                "score": 0.8123,
                "category": "news",
                "template": "default.html",
                "parsed_url": ["https", "www.example.org", "/environment/sea-wall", "", "", ""],
            }
        ],
        "answers": [],
        "corrections": [],
        "infoboxes": [],
        "suggestions": ["tide"],
        "unresponsive_engines": [["reddit", "timeout"]],
    },
    "NewsApiArticles": {
        "status": "ok",
        "totalResults": 35,
        "articles": [
            {
                "source": {"id": "the-guardian", "name": "The Guardian"},
                "author": None,
                "title": _ARTICLE["title"],
                "description": _ARTICLE["description"],
                "url": _ARTICLE["url"],
                "urlToImage": None,
                "publishedAt": "2026-03-01T11:40:00Z",
                "content": None,
            }
        ],
    },
}
"""By the names of their schemas."""

"""Bodies of a person's own data."""

from newsintel.domain.intelligence.interest_model import Basis
from newsintel.domain.personal.model import Dismissal, FeedList
from newsintel.http.bodies.schemas.alerts import DELIVERY, MATCH
from newsintel.http.bodies.schemas.parts import (
    ARTICLE,
    ARTICLE_ID,
    COUNT,
    FEED_ID,
    FLAG,
    KEY_ID,
    MOMENT,
    SAVED_SEARCH_ID,
    SEARCH_ID,
    SESSION_ID,
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

_SAVED = ARTICLE | {"saved": object_of({"notes": nullable(TEXT), "saved_at": MOMENT})}
_OPENED = ARTICLE | {"opened": object_of({"opened_at": MOMENT})}
_DISMISSED = ARTICLE | {
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

_ACCOUNT = {
    "id": TEXT,
    "username": TEXT,
    "provider": TEXT,
    "created_at": MOMENT,
    "last_login_at": MOMENT,
}
_STOPPED = object_of({"id": SAVED_SEARCH_ID, "name": TEXT})

PERSONAL: dict[str, Schema] = {
    "Account": object_of(_ACCOUNT),
    "OwnAccount": object_of(_ACCOUNT | {"stopped_searches": list_of(_STOPPED)}),
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
                    ARTICLE
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
                object_of(MATCH | {"matched_at": MOMENT, "saved_search": SAVED_SEARCH_ID})
            ),
            "deliveries": list_of(object_of(DELIVERY | {"saved_search": SAVED_SEARCH_ID})),
        }
    ),
    "Sessions": object_of({"sessions": list_of(_SESSION)}),
    "Keys": object_of({"keys": list_of(object_of(_KEY))}),
    "NewKey": object_of(_KEY | {"key": {"type": "string", "pattern": "^ni_[A-Za-z0-9_-]{43}$"}}),
    "Feeds": object_of({"feeds": list_of(object_of(_FEED))}),
    "NewFeed": object_of(_FEED | {"url": URI}),
    "FeedArticles": object_of(
        {"articles": list_of(object_of(ARTICLE, published_at_estimated=FLAG))}
    ),
}

"""Bodies of saved searches, their matches and deliveries."""

from newsintel.domain.alerts.channels import ChannelKind
from newsintel.domain.alerts.delivery_model import DeliveryState, Outcome
from newsintel.domain.alerts.digests import Every
from newsintel.http.bodies.schemas.parts import (
    ARTICLE,
    ARTICLE_ID,
    COUNT,
    FLAG,
    MOMENT,
    SAVED_SEARCH_ID,
    TEXT,
    URI,
    Schema,
    event_of,
    list_of,
    nullable,
    object_of,
    one_of,
    ref,
)

_ATTEMPT = object_of(
    {
        "attempted_at": MOMENT,
        "outcome": one_of(Outcome),
        "status_code": nullable(COUNT),
        "detail": TEXT,
        "latency_ms": COUNT,
    }
)
DELIVERY: dict[str, Schema] = {
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
# Of a later member: its story, and the title that matched first, unless that article was deleted.
_FIRST = object_of({"group_id": ARTICLE_ID, "title": nullable(TEXT)})
MATCH: dict[str, Schema] = ARTICLE | {
    "group_id": ARTICLE_ID,
    "publishers": list_of(TEXT),
    "later_member_of": nullable(_FIRST),
}
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
    "later_members": FLAG,
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
        "article": object_of(MATCH),
    }
)

ALERTS: dict[str, Schema] = {
    "Deliveries": object_of({"deliveries": list_of(object_of(DELIVERY))}),
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
            "articles": list_of(object_of(MATCH | {"matched_at": MOMENT})),
            "next_cursor": nullable(TEXT),
        }
    ),
    "Preview": object_of(
        {
            "count": COUNT,
            "later_members": COUNT,
            "per_day": list_of(object_of({"start": MOMENT, "count": COUNT})),
            "publishers": list_of(object_of({"value": TEXT, "count": COUNT})),
            "articles": list_of(ref("ArchiveArticle")),
        }
    ),
    "MatchEvent": event_of("match", _MATCHED),
}

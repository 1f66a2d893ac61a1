"""Bodies of saved searches, their matches and previews. Pure functions to JSON values."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from newsintel.domain.alerts.messages import build_story
from newsintel.domain.alerts.model import Channel, Match, Preview, SavedSearch
from newsintel.domain.alerts.watched import write_watched
from newsintel.domain.text.moments import format_time
from newsintel.http.bodies.archive import build_hit_body
from newsintel.http.bodies.search import summarize_article


def build_saved_search(search: SavedSearch) -> dict[str, Any]:
    """A saved search as its person sees it."""
    return {
        "id": search.public_id,
        "name": search.name,
        "query": write_watched(search.query),
        "deliver": [_build_channel(channel) for channel in search.channels],
        "every": search.every.value,
        "time_zone": search.time_zone,
        "later_members": search.later_members,
        "paused": search.paused,
        "works": search.works,
        "created_at": format_time(search.created_at),
        "changed_at": format_time(search.changed_at),
        "last_matched_at": _format(search.last_matched_at),
    }


def build_match_body(match: Match) -> dict[str, Any]:
    """A story that a saved search matched."""
    moment = {"matched_at": format_time(match.matched_at)}
    return build_story(match, summarize_article) | moment


def build_matches_body(matches: Iterable[Match], next_cursor: str | None) -> dict[str, Any]:
    """The body of GET /me/searches/{id}/matches."""
    return {"articles": list(map(build_match_body, matches)), "next_cursor": next_cursor}


def build_preview_body(preview: Preview) -> dict[str, Any]:
    """The body of POST /me/searches/preview."""
    return {
        "count": preview.count,
        "later_members": preview.later_members,
        "per_day": [
            {"start": format_time(day, "seconds"), "count": count} for day, count in preview.per_day
        ],
        "publishers": [{"value": name, "count": count} for name, count in preview.publishers],
        "articles": [build_hit_body(hit) for hit in preview.hits],
    }


def _build_channel(channel: Channel) -> dict[str, Any]:
    return {
        "kind": channel.kind,
        "to": channel.address or None,
        "works": channel.works,
        "confirmed_at": _format(channel.confirmed_at),
        "disabled_at": _format(channel.disabled_at),
        "disabled_reason": channel.disabled_reason,
        "failing_since": _format(channel.failing_since),
        "last_delivered_at": _format(channel.last_delivered_at),
    }


def _format(moment: datetime | None) -> str | None:
    return None if moment is None else format_time(moment)

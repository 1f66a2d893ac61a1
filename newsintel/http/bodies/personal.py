"""Bodies of a person's own data: the account, saved, opened and dismissed articles, past searches.

Pure functions from values to JSON values.
"""

from typing import Any

from newsintel.domain.accounts.model import Account
from newsintel.domain.personal.model import Mark, PastSearch, PastSearches, Save, SavedPage
from newsintel.domain.text.moments import rfc3339
from newsintel.http.bodies.search import summary


def account_body(account: Account) -> dict[str, Any]:
    """The body of GET /me."""
    return {
        "id": account.public_id,
        "username": account.username,
        "provider": account.provider,
        "created_at": rfc3339(account.created_at),
        "last_login_at": rfc3339(account.last_login_at),
    }


def save_body(save: Save) -> dict[str, Any]:
    """A saved article."""
    return summary(save.article) | {"saved": {"notes": save.notes, "saved_at": rfc3339(save.saved_at)}}


def exported_save(save: Save) -> dict[str, Any]:
    """A saved article in the export: it includes the article's text."""
    return save_body(save) | {"content": save.article.content}


def saved_body(page: SavedPage, next_cursor: str | None) -> dict[str, Any]:
    """The body of GET /me/saved; `next_cursor` leads to the next page, None on the last page."""
    return {"articles": [save_body(save) for save in page.saves], "next_cursor": next_cursor}


def exported_mark(mark: Mark) -> dict[str, Any]:
    """An opened or dismissed article in the export."""
    if mark.reason is None:
        return summary(mark.article) | {"opened": {"opened_at": rfc3339(mark.at)}}
    return summary(mark.article) | {"dismissed": {"reason": mark.reason.value, "dismissed_at": rfc3339(mark.at)}}


def search_row(search: PastSearch) -> dict[str, Any]:
    """A past search."""
    return {
        "id": search.id,
        "query": search.query,
        "results_count": search.results_count,
        "searched_at": rfc3339(search.searched_at),
    }


def history_body(page: PastSearches, next_cursor: str | None) -> dict[str, Any]:
    """The body of GET /me/history; `next_cursor` as for `saved_body`."""
    return {"searches": [search_row(search) for search in page.searches], "next_cursor": next_cursor}

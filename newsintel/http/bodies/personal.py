"""Bodies of a person's own data: the account, saved, opened and dismissed articles, past searches.

Pure functions from values to JSON values.
"""

from typing import Any

from newsintel.domain.accounts.model import Account
from newsintel.domain.personal.model import (
    ArticleMark,
    NotSameMark,
    PastSearch,
    PastSearches,
    Save,
    SavedPage,
)
from newsintel.domain.reader.ports import ReadMark
from newsintel.domain.text.moments import format_time
from newsintel.http.bodies.search import summarize_article


def build_account_body(account: Account) -> dict[str, Any]:
    """An account as its person sees it."""
    return {
        "id": account.public_id,
        "username": account.username,
        "provider": account.provider,
        "created_at": format_time(account.created_at),
        "last_login_at": format_time(account.last_login_at),
    }


def build_save_body(save: Save) -> dict[str, Any]:
    """A saved article."""
    return summarize_article(save.article) | {
        "saved": {"notes": save.notes, "saved_at": format_time(save.saved_at)}
    }


def build_exported_save(save: Save) -> dict[str, Any]:
    """A saved article in the export: it includes the article's text."""
    return build_save_body(save) | {"content": save.article.content}


def build_saved_body(page: SavedPage, next_cursor: str | None) -> dict[str, Any]:
    """The body of GET /me/saved; `next_cursor` leads to the next page, None on the last page."""
    return {"articles": [build_save_body(save) for save in page.saves], "next_cursor": next_cursor}


def build_exported_mark(mark: ArticleMark) -> dict[str, Any]:
    """An opened or dismissed article in the export."""
    if mark.reason is None:
        return summarize_article(mark.article) | {"opened": {"opened_at": format_time(mark.at)}}
    return summarize_article(mark.article) | {
        "dismissed": {"reason": mark.reason.value, "dismissed_at": format_time(mark.at)}
    }


def build_exported_read(mark: ReadMark) -> dict[str, Any]:
    """An article that was read, in the export."""
    return {"article": mark.article_id, "read_at": format_time(mark.read_at)}


def build_exported_not_same(mark: NotSameMark) -> dict[str, Any]:
    """Two articles that are not one story, in the export."""
    return {
        "articles": [mark.article_id, mark.other_id],
        "marked_at": format_time(mark.marked_at),
    }


def build_search_row(search: PastSearch) -> dict[str, Any]:
    """A past search."""
    return {
        "id": search.id,
        "query": search.query,
        "results_count": search.results_count,
        "searched_at": format_time(search.searched_at),
    }


def build_history_body(page: PastSearches, next_cursor: str | None) -> dict[str, Any]:
    """The body of GET /me/history; `next_cursor` as for `build_saved_body`."""
    return {
        "searches": [build_search_row(search) for search in page.searches],
        "next_cursor": next_cursor,
    }

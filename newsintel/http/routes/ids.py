"""The kinds of the path parameters of our routes."""

import re
from typing import Any

from attrs import frozen
from werkzeug.exceptions import NotFound

from newsintel.http.bodies.schemas.parts import (
    ARTICLE_ID,
    FEED_ID,
    FEED_SECRET,
    KEY_ID,
    PREFERENCE_KEY,
    SAVED_SEARCH_ID,
    SEARCH_ID,
    SESSION_ID,
    one_of,
)
from newsintel.http.request.query_kinds import Kind, matching_text
from newsintel.http.response.problems import PROBLEMS


@frozen
class IdParameters:
    """The values of a path with `{id}`."""

    id: str


@frozen
class ArticleParameters:
    """The values of a path with `{article_id}`."""

    article_id: str


def opaque_id(schema: dict[str, Any], missing: str) -> Kind:
    """An opaque id that we issued. Text without the form of an id is a 404; no store is asked.

    Args:
        schema: has a `pattern` or an `enum`.
        missing: the sentence of the 404.
    """
    pattern = schema.get("pattern") or "|".join(map(re.escape, schema["enum"]))

    def parse(raw: str) -> str:
        if not raw.isprintable() or "\ufffd" in raw:  # U+FFFD replaces bytes that are not UTF-8
            raise ValueError("must be printable text, percent-encoded as UTF-8")
        if not re.fullmatch(pattern, raw):
            raise NotFound(missing)
        return raw

    return Kind(schema, parse)


ARTICLE = opaque_id(ARTICLE_ID, "No article has this id.")
API_KEY = opaque_id(KEY_ID, "You have no key with this id.")
FEED = opaque_id(FEED_ID, "You have no feed with this id.")
FEED_TOKEN = opaque_id(FEED_SECRET, "No feed has this address.")
SAVED_SEARCH = opaque_id(SAVED_SEARCH_ID, "You have no saved search with this id.")
SEARCH = opaque_id(SEARCH_ID, "You have no search with this id.")
SESSION = opaque_id(SESSION_ID, "You have no session with this id.")
PROBLEM = opaque_id(one_of(PROBLEMS), "No problem has this code.")
PREFERENCE = matching_text(PREFERENCE_KEY, "1 to 100 characters out of letters, digits and . _ : -")

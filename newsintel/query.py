"""Stand-in: builds queries."""

import hashlib
import unicodedata
from datetime import datetime

from newsintel.errors import InvalidParameterError
from newsintel.model import Clause, Query, Sort, Term


def build(
    q: str,
    *,
    sources: tuple[str, ...],
    start: datetime | None = None,
    end: datetime | None = None,
    language: str | None = None,
    sort: Sort = Sort.RELEVANCE,
) -> Query:
    """A query. Raises InvalidParameterError naming q."""
    text = " ".join(unicodedata.normalize("NFKC", q).split())
    if not 1 <= len(text) <= 256:
        raise InvalidParameterError("q", "length", "q must have 1 to 256 characters")
    key = hashlib.sha256(repr((text.casefold(), sources, start, end, language, sort)).encode()).hexdigest()[:32]
    return Query(text, (Clause((Term(text),)),), sources, start, end, language, sort, key)

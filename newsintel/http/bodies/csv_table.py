"""CSV (RFC 4180) that a spreadsheet opens without running anything in it."""

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

from newsintel.domain.bounds.slices import Sliced

COLUMNS = (
    "id",
    "published_at",
    "title",
    "description",
    "url",
    "publisher",
    "source",
    "section",
    "author",
    "language",
    "image_url",
    "score",
    "saved_at",
    "notes",
)
"""The header line. It is the same for every list; what a list does not have is empty."""

FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 - full-width signs are meant
"""With one of these at its start, a spreadsheet takes a cell as a formula (OWASP, CSV Injection).
Spreadsheets read the full-width signs of East Asian keyboards like the others."""


def build_csv(articles: Iterable[Mapping[str, Any]]) -> Sliced[bytes]:
    """Return a table of articles, in slices.

    Args:
        articles: as in the JSON body.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)  # its dialect is RFC 4180: commas, quotes doubled, CR LF
    writer.writerow(COLUMNS)
    for article in articles:
        row = article | article.get("saved", {})
        writer.writerow(_write_cell(row.get(column)) for column in COLUMNS)
        yield
    return text.getvalue().encode()


def _write_cell(value: Any) -> str:
    """Return a cell. An apostrophe before a formula makes it a text."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text

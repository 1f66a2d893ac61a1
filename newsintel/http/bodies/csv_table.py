"""CSV (RFC 4180) that a spreadsheet opens without running anything in it."""

import csv
import io
import re
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

_FORMULA = re.compile(
    rf"""^(?=[{re.escape("".join(FORMULA_STARTS))}])
    |(?<=[;\t\r\n])(?=[ "]*[{re.escape("".join(FORMULA_STARTS[:4] + FORMULA_STARTS[7:]))}])""",
    re.VERBOSE,
)
"""Where a formula may begin: at the start of a cell, and behind what a spreadsheet of another
country takes for the end of one: many separate cells by semicolons."""


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
    return "" if value is None else _FORMULA.sub("'", str(value))

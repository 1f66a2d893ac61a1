"""The rows of a feed: what RSS, RDF, Atom, CDF and JSON Feed have in common.

A row has texts as the feed has them; `articles` reads them. Texts come with their form: `text` is
plain, `html` is HTML, and `snippet` is either, because its format does not say.
"""

from typing import Any

from attrs import field, frozen

Row = dict[str, Any]
"""The keys are title, link, id, published, summary, author and language; all may be missing.

`title` and `summary` are pairs of a form and a text.
"""


@frozen
class FeedRows:
    """A feed as it was read.

    Attributes:
        rows: its items, in its own order.
        title: its own title, as a pair of a form and a text.
        link: the address of the site that it belongs to; empty if it names none.
        language: as it writes it, e.g. `en-GB`; empty if unknown.
        ttl_s: how long it asks to be kept, from RSS's `ttl` and the syndication module; 0 = it does
            not say.
        fault: what is wrong with its XML, so that the rows after it are missing; None if nothing.
    """

    rows: tuple[Row, ...]
    title: tuple[str, str] = ("text", "")
    link: str = ""
    language: str = ""
    ttl_s: float = 0.0
    fault: str | None = field(default=None)

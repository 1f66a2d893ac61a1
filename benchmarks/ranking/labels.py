"""The judged queries, and how well each recorded article answers them.

`labels.tsv` has a line for each article that a source returned for a query: the query, the first 16
hex digits of the SHA-256 of the article's source and its id there, and the grade. Titles and texts
belong to others and are not in this repository.

The rule by which the grades were given, from title and description alone, in an order that no
ranking made, before the score was changed:

- 2: The article is about what was asked. The person, place, company or matter acts, is acted on, or
  is the topic.
- 1: It deals with it in part: beside another topic, as one side of a story, or in another sense of
  the word that the asker may have meant. Or it is about it, but thin: an advertisement, a logo, a
  bare link.
- 0: It has the words, but the asker gains nothing: they occur in passing or in another sense.

A fixed half of the queries chooses weights ("tuned on"); the other half reports ("held out").
"""

import csv
import hashlib
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from newsintel.domain.search.article import Article

LABELS = Path(__file__).with_name("labels.tsv")


def load_labels() -> Mapping[str, Mapping[str, int]]:
    """Return the grades by query and by `hash_article`."""
    grades: dict[str, dict[str, int]] = defaultdict(dict)
    with LABELS.open(encoding="utf-8", newline="") as file:
        for query, article, grade in csv.reader(file, delimiter="\t"):
            grades[query][article] = int(grade)
    return grades


def hash_article(article: Article) -> str:
    """Return the name of an article in `labels.tsv`."""
    named = f"{article.source}\n{article.external_id}"
    return hashlib.sha256(named.encode()).hexdigest()[:16]


def choose_half(query: str) -> str:
    """Return the half of a query: "tuned on" or "held out"."""
    return "tuned on" if hashlib.sha256(query.encode()).digest()[0] % 2 == 0 else "held out"

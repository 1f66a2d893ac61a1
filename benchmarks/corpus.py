"""A corpus of invented articles, generated lazily. Equal seeds give equal articles.

Words follow the law of Zipf and Mandelbrot. A dozen real stop words have the first ranks, where
natural English has about a hundred. So the most common invented words are in a quarter of all
articles, more than any word of real news, and a search for one is a hard case. Some words occur in
only one week, as events do, so that a word's overall frequency does not say where its articles are.
"""

import math
import random
from base64 import b32encode
from bisect import bisect
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cached_property
from hashlib import sha256
from itertools import accumulate, product
from typing import Any

from attrs import evolve, frozen

from newsintel.domain.search.article import Article

END = datetime(2026, 11, 23, tzinfo=UTC)
DAYS = 730
WORDS = 60_000
PUBLISHERS = 2_000
STOP_WORDS = ("the", "of", "to", "and", "a", "in", "for", "is", "on", "that", "with", "it")
LANGUAGES = {"en": 80, None: 12, "de": 4, "fr": 4}
SECTIONS = ("world", "business", "technology", "science", "sport", "culture", "opinion")

# Mandelbrot's offset and an exponent slightly over 1 fit English (Piantadosi 2014, "Zipf's word
# frequency law in natural language").
OFFSET = 2.7
EXPONENT = 1.07

DUPLICATES = 0.03
"""Share of articles that repeat the previous one at another address."""

_CONSONANTS = "bdfgklmnprstvz"
_SYLLABLES = tuple(one + two for one, two in product(_CONSONANTS, "aeiou"))


@frozen(slots=False)
class Corpus:
    """`size` articles, about in the order in which an archive would get them, the oldest first."""

    size: int
    seed: int = 1

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The invented words, the most common first. No two have the same stem."""
        dice = random.Random(self.seed)  # noqa: S311 - nothing secret
        found: dict[str, None] = {}
        while len(found) < WORDS:
            found[
                "".join(dice.choices(_SYLLABLES, k=dice.choice((2, 3, 3, 4))))
                + dice.choice("kmptxb")
            ] = None
        return tuple(found)

    @cached_property
    def publishers(self) -> tuple[str, ...]:
        """The publishers, those with the most articles first."""
        return tuple(
            f"{word.title()} {kind}"
            for word, kind in zip(
                self.words[-PUBLISHERS:], _cycle_words("News Times Post Daily"), strict=False
            )
        )

    def make_event_word(self, week: int) -> str:
        """Return the word that occurs only in this week; `week` counts from the corpus's start."""
        return f"{self.words[week]}event{_SYLLABLES[week % len(_SYLLABLES)]}x"

    def generate_articles(self) -> Iterator[tuple[Article, datetime]]:
        """Yield each article and the time of its fetch."""
        dice = random.Random(self.seed + 1)  # noqa: S311 - nothing secret
        text = _ZipfSampler(STOP_WORDS + self.words, dice)
        publishers = _ZipfSampler(self.publishers, dice)
        last: Article | None = None
        for number in range(self.size):
            seen = END - timedelta(days=DAYS) * (1 - _time_share(number / self.size))
            if last and dice.random() < DUPLICATES:
                article = _republish(last, number, publishers.draw(1)[0])
            else:
                article = self._generate_article(number, seen, dice, text, publishers)
            yield article, seen
            last = article

    def _generate_article(
        self,
        number: int,
        seen: datetime,
        dice: random.Random,
        text: "_ZipfSampler",
        publishers: "_ZipfSampler",
    ) -> Article:
        source = dice.choices(("newsapi", "guardian", "reddit"), (60, 15, 25))[0]
        title = text.draw(max(4, round(dice.gauss(10, 3))))
        published = seen - timedelta(minutes=dice.expovariate(1 / 300))
        if dice.random() < 0.05:
            title.insert(
                dice.randrange(len(title)),
                self.make_event_word((published - (END - timedelta(days=DAYS + 30))).days // 7),
            )
        publisher = {
            "guardian": "The Guardian",
            "reddit": f"r/{self.words[-dice.randrange(1, 50)]}",
        }.get(source) or publishers.draw(1)[0]
        return Article(
            **_build_address(number, publisher),
            source=source,
            title=" ".join(title).capitalize(),
            publisher=publisher,
            published_at=published,
            description=" ".join(text.draw(max(8, round(dice.gauss(28, 8))))).capitalize() + "."
            if dice.random() < 0.85
            else None,
            content=" ".join(text.draw(32)).capitalize() if source == "newsapi" else None,
            author=f"{_draw_name(self.words, dice)} {_draw_name(self.words, dice)}"
            if dice.random() < 0.6
            else None,
            section=dice.choice(SECTIONS) if source == "guardian" else None,
            language=dice.choices(tuple(LANGUAGES), tuple(LANGUAGES.values()))[0],
        )


class _ZipfSampler:
    """Draws values; the value at rank r has a weight of 1 / (r + OFFSET) ** EXPONENT."""

    def __init__(self, values: tuple[str, ...], dice: random.Random) -> None:
        self._values = values
        self._dice = dice
        self._sums = tuple(
            accumulate(1 / (rank + OFFSET) ** EXPONENT for rank in range(1, len(values) + 1))
        )

    def draw(self, count: int) -> list[str]:
        """Draw `count` values, with replacement."""
        total, throw = self._sums[-1], self._dice.random
        return [self._values[bisect(self._sums, throw() * total)] for _ in range(count)]


def _time_share(part: float) -> float:
    """Return the share of the time after which this share of all articles had appeared.

    The rate of articles grows linearly to three times the initial rate.
    """
    return (math.sqrt(1 + 8 * part) - 1) / 2


def _republish(article: Article, number: int, publisher: str) -> Article:
    return evolve(
        article, **_build_address(number, publisher), publisher=publisher, source="newsapi"
    )


def _build_address(number: int, publisher: str) -> dict[str, Any]:
    url = (
        f"https://{publisher.casefold().replace(' ', '-').replace('/', '-')}.example/story/{number}"
    )
    identity = "a_" + b32encode(sha256(url.encode()).digest()).decode().lower()[:20]
    return {"id": identity, "external_id": url, "url": url, "canonical_url": url}


def _draw_name(words: tuple[str, ...], dice: random.Random) -> str:
    return words[int(dice.paretovariate(0.6)) % 5_000 + 1_000].title()


def _cycle_words(text: str) -> Iterator[str]:
    while True:
        yield from text.split()

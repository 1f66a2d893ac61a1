"""Groups articles about one story. Articles flow in in founder order, groups flow out.

No article is lost. An article joins the group that already holds its page, else the group whose
founder (its first article) has the most similar title, else it founds a group. Titles are compared
only with those of founders, so no chain of small changes connects two very different titles.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from attrs import frozen

from newsintel.domain.bounds.slices import Sliced, run_all
from newsintel.domain.search.article import Article, Group, Member, Rule
from newsintel.domain.search.nearest_title import Titles, compare_similarity
from newsintel.domain.search.query_model import Dedupe
from newsintel.domain.search.stories.index import Stories
from newsintel.domain.search.stories.judging import Told
from newsintel.domain.search.stories.parsed_title import parse_title
from newsintel.domain.text.clean import fold
from newsintel.domain.text.folding import fold_plain_name

MAX_COMPARED_CHARS = 400
"""Characters of a folded title that are compared. A title has 300 at most; it is longer only if its
author made folding expand it (one character may become 18). The time to compare two texts is the
product of their lengths."""


@frozen
class Headline:
    """What decides on the story of an article, besides its address.

    Attributes:
        publisher: the outlet; "" if unknown.
        at: when it was published; None if unknown.
    """

    title: str
    publisher: str = ""
    at: datetime | None = None

    @classmethod
    def of_article(
        cls, title: str, publisher: str, published_at: datetime, *, estimated: bool
    ) -> "Headline":
        """Return what decides on the story of an article; an estimated date says nothing.

        A subreddit is no outlet: its posts link to many.
        """
        outlet = "" if publisher.startswith("r/") else publisher
        return cls(title, outlet, None if estimated else published_at)


@frozen
class GroupMatch:
    """The group of an article.

    Attributes:
        founder: position of the group's founder among all articles added, from 0; its own position
            if it founded a group.
        rule: why it matched; None if it founded a group.
        similarity: of its title to the founder's, 0..1, as the mode compares them; None if it
            founded a group.
    """

    founder: int
    rule: Rule | None = None
    similarity: float | None = None


class Founders(Protocol):
    """The titles of founders by one rule, each with the founder's position."""

    def find(self, headline: Headline) -> Sliced[GroupMatch | None]:
        """Find the group of a title."""
        ...

    def compare(self, headline: Headline, founder: int) -> float:
        """Return the similarity of a title and a founder's, 0..1."""
        ...

    def add(self, headline: Headline, position: int) -> None:
        """Add a founder."""
        ...


class StrictFounders:
    """By the edit distance of the whole titles (`nearest_title`)."""

    def __init__(self) -> None:
        self._last: tuple[Headline, str] | None = None
        self._titles = Titles()
        self._titled: list[int] = []  # the founder's position for each number in _titles
        self._texts: dict[int, str] = {}

    def find(self, headline: Headline) -> Sliced[GroupMatch | None]:
        """Find the group of a title."""
        text = self._read(headline)
        nearest = yield from self._titles.find_nearest(text)
        if nearest is None:
            return None
        number, alike = nearest
        founder = self._titled[number]
        rule = Rule.TITLE if text == self._texts[founder] else Rule.NEAR_TITLE
        return GroupMatch(founder, rule, alike)

    def compare(self, headline: Headline, founder: int) -> float:
        """Return the similarity of a title and a founder's, 0..1."""
        return compare_similarity(self._read(headline), self._texts[founder])

    def add(self, headline: Headline, position: int) -> None:
        """Add a founder."""
        text = self._texts[position] = self._read(headline)
        if text:
            self._titles.add(text)
            self._titled.append(position)

    def _read(self, headline: Headline) -> str:
        """Fold a title; most are added right after they were looked for."""
        if self._last is None or self._last[0] is not headline:
            self._last = headline, fold_title(headline.title)
        return self._last[1]


class StoryFounders:
    """By the story that the titles tell (`stories`)."""

    def __init__(self) -> None:
        self._last: tuple[Headline, Told] | None = None
        self._stories = Stories()
        self._positions: list[int] = []  # the founder's position for each number in _stories
        self._numbers: dict[int, int] = {}

    def find(self, headline: Headline) -> Sliced[GroupMatch | None]:
        """Find the group of a title."""
        found = yield from self._stories.find(self._read(headline))
        if found is None:
            return None
        number, alike = found
        rule = Rule.TITLE if alike == 1.0 else Rule.NEAR_TITLE
        return GroupMatch(self._positions[number], rule, alike)

    def compare(self, headline: Headline, founder: int) -> float:
        """Return the similarity of a title and a founder's, 0..1."""
        return self._stories.compare(self._read(headline), self._numbers[founder])

    def add(self, headline: Headline, position: int) -> None:
        """Add a founder."""
        told = self._read(headline)
        self._numbers[position] = len(self._positions)
        self._positions.append(position)
        self._stories.add(told)

    def _read(self, headline: Headline) -> Told:
        """Read a headline; most are added right after they were looked for."""
        if self._last is None or self._last[0] is not headline:
            self._last = headline, read_headline(headline)
        return self._last[1]


class Deduper:
    """Assigns articles to groups, one at a time, in founder order.

    It stores only the titles of founders and the URL of every page. A page is looked up among all
    members, not only founders: the same canonical URL is the same public id, which must not occur
    in two groups. So the rule `url` says that some member of the group, not always its founder, is
    the same page.
    """

    def __init__(self, mode: Dedupe) -> None:
        self._mode = mode
        self._added = 0
        self._founders: Founders = StoryFounders() if mode is Dedupe.NORMAL else StrictFounders()
        self._pages: dict[str, int] = {}

    def add(self, headline: Headline, canonical_url: str | None) -> GroupMatch:
        """Add the next article. Without a URL (None) it can match only by its title."""
        return run_all(self.add_in_slices(headline, canonical_url))

    def add_in_slices(self, headline: Headline, canonical_url: str | None) -> Sliced[GroupMatch]:
        """Do the same in slices. Add the next article only after this is done."""
        position = self._added
        self._added += 1
        if self._mode is Dedupe.OFF:
            return GroupMatch(position)
        match = self._match_page(headline, canonical_url) or (
            yield from self._founders.find(headline)
        )
        if match is None:
            self._founders.add(headline, position)
            match = GroupMatch(position)
        if canonical_url is not None:
            self._pages.setdefault(canonical_url, match.founder)
        return match

    def _match_page(self, headline: Headline, canonical_url: str | None) -> GroupMatch | None:
        founder = self._pages.get(canonical_url) if canonical_url is not None else None
        if founder is None:
            return None
        return GroupMatch(founder, Rule.URL, self._founders.compare(headline, founder))


class Grouping:
    """Groups articles as they come, in founder order. Groups are in the order of their founders.

    With OFF every article is its own group, even if a source lists one page twice (Reddit does, in
    several subreddits).
    """

    def __init__(self, mode: Dedupe) -> None:
        self._deduper = Deduper(mode)
        self._members: dict[int, list[Member]] = {}
        self._groups: dict[int, Group] = {}

    def add(self, articles: Iterable[Article]) -> Sliced[tuple[Group, ...]]:
        """Add articles and return the groups of all so far. Finish one call before the next."""
        grown = set()
        for article in articles:
            yield
            match = yield from self._deduper.add_in_slices(
                build_headline(article), article.canonical_url
            )
            self._members.setdefault(match.founder, []).append(
                Member(article, match.rule, match.similarity)
            )
            grown.add(match.founder)
        for founder in sorted(grown):
            members = self._members[founder]
            self._groups[founder] = Group(
                tuple(members), _choose_leader([member.article for member in members])
            )
        return tuple(self._groups.values())


def group_articles(articles: Sequence[Article], mode: Dedupe) -> tuple[Group, ...]:
    """Group articles that are in founder order."""
    return run_all(Grouping(mode).add(articles))


def fold_title(title: str) -> str:
    """Return the form in which titles are compared, cut to MAX_COMPARED_CHARS."""
    return fold(title)[:MAX_COMPARED_CHARS]


def build_headline(article: Article) -> Headline:
    """Return what decides on the story of an article."""
    return Headline.of_article(
        article.title,
        article.publisher,
        article.published_at,
        estimated=article.published_at_estimated,
    )


def read_headline(headline: Headline) -> Told:
    """Return the form in which stories are compared."""
    return Told(parse_title(headline.title), fold_plain_name(headline.publisher), headline.at)


def _choose_leader(articles: Sequence[Article]) -> Article:
    """Return the article with the most details; on a tie the first.

    They are description, author, image, content and a date that is not estimated.
    """
    return max(articles, key=_count_details)


def _count_details(article: Article) -> int:
    details = (article.description, article.author, article.image_url, article.content)
    return sum(map(bool, details)) + (not article.published_at_estimated)

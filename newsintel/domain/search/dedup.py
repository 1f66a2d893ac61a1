"""Groups articles about one story. Articles flow in in founder order, groups flow out.

No article is lost. An article joins the group that already holds its page, else the group whose
founder (its first article) has the most similar title, else it founds a group. Titles are compared
only with those of founders, so no chain of small changes connects two very different titles.
"""

import re
from collections.abc import Iterable, Sequence

from attrs import frozen

from newsintel.domain.bounds.sized_cache import memoize
from newsintel.domain.bounds.slices import Sliced, run_all
from newsintel.domain.search.article import Article, Group, Member, Rule
from newsintel.domain.search.nearest_title import Titles, compare_similarity
from newsintel.domain.search.query_model import Dedupe
from newsintel.domain.text.clean import fold

# What outlets add to a title of the same story, in folded form. The list is a judgement, from the
# habits of the Guardian ("- live", "- as it happened" with any dash, "| Jane Doe"), Reuters
# ("UPDATE 1-", "REFILE-") and Reddit ("[Video]").
_DECORATED = re.compile(
    r"""(?: (?:breaking|breaking\ news|exclusive|live|live\ updates|opinion|video|watch)\ ?[:|]\ ?
          | (?:update|wrapup)\ \d{1,2}-\ ?
          | (?:corrected|refile)-\ ?
          | [\[(](?:breaking|exclusive|live|video|watch)[\])]\ ?
        )*
        (?P<title>.+?)
        (?: \ ?[\[(](?:live|pictures|photos|video)[\])]
          | \ [-–—]\ (?:as\ it\ happened|in\ pictures|live|live\ updates|video)
        )*""",  # noqa: RUF001 - titles use every dash
    re.VERBOSE,
)
# A columnist's name: one to four words after a bar, if at least six words precede it ("opening bell
# 10 march | markets slump" keeps its end).
_SIGNED = re.compile(r"(?P<title>\S+(?: \S+){5,}) \| \S+(?: \S+){0,3}")


MAX_COMPARED_CHARS = 400
"""Characters of a folded title that are compared. A title has 300 at most; it is longer only if its
author made folding expand it (one character may become 18). The time to compare two texts is the
product of their lengths."""


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
        self._titles = Titles()
        self._titled: list[int] = []  # the founder's position for each number in _titles
        self._founders: dict[int, str] = {}
        self._pages: dict[str, int] = {}

    def add(self, title: str, canonical_url: str | None) -> GroupMatch:
        """Add the next article. Without a URL (None) it can match only by its title."""
        return run_all(self.add_in_slices(title, canonical_url))

    def add_in_slices(self, title: str, canonical_url: str | None) -> Sliced[GroupMatch]:
        """Do the same in slices. Add the next article only after this is done."""
        position = self._added
        self._added += 1
        if self._mode is Dedupe.OFF:
            return GroupMatch(position)
        text = strip_decorations(title) if self._mode is Dedupe.NORMAL else fold_title(title)
        match = (
            self._match_page(text, canonical_url)
            or (yield from self._match_title(text))
            or self._start_group(position, text)
        )
        if canonical_url is not None:
            self._pages.setdefault(canonical_url, match.founder)
        return match

    def _match_page(self, text: str, canonical_url: str | None) -> GroupMatch | None:
        founder = self._pages.get(canonical_url) if canonical_url is not None else None
        return (
            None
            if founder is None
            else GroupMatch(founder, Rule.URL, compare_similarity(text, self._founders[founder]))
        )

    def _match_title(self, text: str) -> Sliced[GroupMatch | None]:
        nearest = yield from self._titles.find_nearest(text)
        if nearest is None:
            return None
        number, alike = nearest
        founder = self._titled[number]
        return GroupMatch(
            founder, Rule.TITLE if text == self._founders[founder] else Rule.NEAR_TITLE, alike
        )

    def _start_group(self, position: int, text: str) -> GroupMatch:
        self._founders[position] = text
        if text:
            self._titles.add(text)
            self._titled.append(position)
        return GroupMatch(position)


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
            match = yield from self._deduper.add_in_slices(article.title, article.canonical_url)
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


# A search may group again after each source, mostly with the same titles.
@memoize(max_bytes=2 * 2**20)
def strip_decorations(title: str) -> str:
    """Fold a title and remove what outlets add to it, but never all of it."""
    text = fold_title(title)
    signed = _SIGNED.fullmatch(text)
    bare = _DECORATED.fullmatch(signed["title"] if signed else text)
    return bare["title"] if bare else text


def _choose_leader(articles: Sequence[Article]) -> Article:
    """Return the article with the most details; on a tie the first.

    They are description, author, image, content and a date that is not estimated.
    """
    return max(articles, key=_count_details)


def _count_details(article: Article) -> int:
    details = (article.description, article.author, article.image_url, article.content)
    return sum(map(bool, details)) + (not article.published_at_estimated)

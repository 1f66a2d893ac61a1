"""Groups articles that tell one story: articles in founder order flow in, groups flow out, and no article is ever lost.

An article joins the group that already holds its page, else the group whose founder (its first article) has the most similar title, else
it founds one. Titles are compared with founders' alone, so no chain of small changes ties together two titles that are far apart.
"""

import re
from collections.abc import Iterable, Sequence

from attrs import frozen

from newsintel.domain.bounds.sized_cache import remembered
from newsintel.domain.bounds.slices import Sliced, whole
from newsintel.domain.search.article import Article, Group, Member, Rule
from newsintel.domain.search.nearest_title import Titles, similarity
from newsintel.domain.search.query_model import Dedupe
from newsintel.domain.text.clean import fold

# What outlets put round a title without making it another story, as it reads once folded. The list is a judgement, from the habits of the
# Guardian ("- live", "- as it happened" with any dash, "| Jane Doe"), Reuters ("UPDATE 1-", "REFILE-") and Reddit ("[Video]").
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
# A columnist's name: one to four words after a bar, if at least six come before it ("opening bell 10 march | markets slump" keeps its end).
_SIGNED = re.compile(r"(?P<title>\S+(?: \S+){5,}) \| \S+(?: \S+){0,3}")


LONGEST = 400
"""Characters of a folded title that are compared. A title has 300 at most; only what is written to make folding grow it (one sign
may become 18 letters) is longer, and comparing two texts takes as long as the product of their lengths."""


@frozen
class Match:
    """Where an article went.

    Attributes:
        founder: position of its group's founder among all articles added, from 0; its own if it founded one.
        rule: what tied it to its group; None if it founded one.
        similarity: of its title to the founder's, 0..1, as the mode compares them; None if it founded a group.
    """

    founder: int
    rule: Rule | None = None
    similarity: float | None = None


class Deduper:
    """Decides one article at a time, in founder order. Keeps the titles of founders and the address of every page, nothing else.

    A page is looked for among all members, not founders alone: the same canonical URL is the same public id, which must not turn up in two
    groups. The rule `url` therefore says that some member of the group, not always its founder, is the same page.
    """

    def __init__(self, mode: Dedupe) -> None:
        self._mode = mode
        self._added = 0
        self._titles = Titles()
        self._titled: list[int] = []  # the founder's position for each number in _titles
        self._founders: dict[int, str] = {}
        self._pages: dict[str, int] = {}

    def add(self, title: str, canonical_url: str | None) -> Match:
        """Take the next article; without an address (None) it can match by its title alone."""
        return whole(self.adding(title, canonical_url))

    def adding(self, title: str, canonical_url: str | None) -> Sliced[Match]:
        """Likewise, in slices; the next one only when it is done."""
        position = self._added
        self._added += 1
        if self._mode is Dedupe.OFF:
            return Match(position)
        text = undecorated(title) if self._mode is Dedupe.NORMAL else folded(title)
        match = self._same_page(text, canonical_url) or (yield from self._same_title(text)) or self._found(position, text)
        if canonical_url is not None:
            self._pages.setdefault(canonical_url, match.founder)
        return match

    def _same_page(self, text: str, canonical_url: str | None) -> Match | None:
        founder = self._pages.get(canonical_url) if canonical_url is not None else None
        return None if founder is None else Match(founder, Rule.URL, similarity(text, self._founders[founder]))

    def _same_title(self, text: str) -> Sliced[Match | None]:
        nearest = yield from self._titles.most_like(text)
        if nearest is None:
            return None
        number, alike = nearest
        founder = self._titled[number]
        return Match(founder, Rule.TITLE if text == self._founders[founder] else Rule.NEAR_TITLE, alike)

    def _found(self, position: int, text: str) -> Match:
        self._founders[position] = text
        if text:
            self._titles.add(text)
            self._titled.append(position)
        return Match(position)


class Grouping:
    """Groups articles as they come, in founder order; groups are in the order of their founders.

    With OFF every article is a group, even where one source lists one page twice (Reddit does, in several subreddits): nothing is merged.
    """

    def __init__(self, mode: Dedupe) -> None:
        self._deduper = Deduper(mode)
        self._members: dict[int, list[Member]] = {}
        self._groups: dict[int, Group] = {}

    def add(self, articles: Iterable[Article]) -> Sliced[tuple[Group, ...]]:
        """Take the next articles; the groups of all so far. Not to be called again before that is done."""
        grown = set()
        for article in articles:
            yield
            match = yield from self._deduper.adding(article.title, article.canonical_url)
            self._members.setdefault(match.founder, []).append(Member(article, match.rule, match.similarity))
            grown.add(match.founder)
        for founder in sorted(grown):
            members = self._members[founder]
            self._groups[founder] = Group(tuple(members), _fullest([member.article for member in members]))
        return tuple(self._groups.values())


def group(articles: Sequence[Article], mode: Dedupe) -> tuple[Group, ...]:
    """The groups of all articles, given in founder order."""
    return whole(Grouping(mode).add(articles))


def folded(title: str) -> str:
    """The form in which titles are compared, cut to LONGEST."""
    return fold(title)[:LONGEST]


# A search may group again after each of its sources, most of the titles each time the same.
@remembered(max_bytes=2 * 2**20)
def undecorated(title: str) -> str:
    """The folded title without what outlets put round it; whole where nothing else would be left."""
    text = folded(title)
    signed = _SIGNED.fullmatch(text)
    bare = _DECORATED.fullmatch(signed["title"] if signed else text)
    return bare["title"] if bare else text


def _fullest(articles: Sequence[Article]) -> Article:
    """The article with most of description, author, image, content and a date that was not guessed; the first of equals."""
    return max(
        articles,
        key=lambda it: sum(map(bool, (it.description, it.author, it.image_url, it.content, not it.published_at_estimated))),
    )

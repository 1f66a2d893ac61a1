"""A story alerts once however its articles come and go, in made-up orders, on a real PostgreSQL.

Articles arrive, are deleted by each of the ways in which the service deletes, and come back. A
story whose founder is deleted may fall apart, and each part has been told.
"""

from collections import defaultdict
from datetime import timedelta
from random import Random

import pytest

from newsintel.storage.postgres.archive.checks import PostgresChecks
from tests.storage.postgres.alerts.watching import NOW, told

TITLES = (
    "Magnitude 6.1 earthquake strikes off the coast of Fiji",
    "Earthquake of magnitude 6.1 strikes off coast of Fiji islands",
    "Magnitude 6.1 earthquake strikes off coast, Fiji islands on alert",
    "Parliament debates the earthquake relief budget for the third time",
    "فيجي: زلزال بقوة 6.1 يضرب الساحل earthquake",
    "フィジー沖で地震 earthquake マグニチュード6.1",
)
OUTLETS = ("Alpha", "Beta", "Gamma", "日本テレビ")
STEPS = 30

ROWS = """
SELECT search.public_id, row.group_id, article.public_id, row.outlet_key
FROM search_matches AS row JOIN saved_searches AS search ON search.id = saved_search_id
LEFT JOIN articles AS article ON article.id = article_id
"""
PLACES = """
SELECT member.public_id, founder.public_id FROM article_stories AS placed
JOIN articles AS member ON member.id = article_id
JOIN articles AS founder ON founder.id = founder_id
"""
SENT = """
SELECT search.public_id, group_id FROM alert_delivery_matches AS sent
JOIN saved_searches AS search ON search.id = sent.saved_search_id
"""


class Stories:
    """Which articles were ever of one story, also by way of others."""

    def __init__(self):
        self._next = {}

    def find(self, article):
        """The article that stands for a story."""
        while article != self._next.get(article, article):
            article = self._next[article]
        return article

    def join(self, one, other):
        """Two articles are of one story."""
        self._next[self.find(one)] = self.find(other)


class Judge:
    """Checks what searches are told against the articles that were there to be matched.

    Attributes:
        told: by search, the article and the outlet of each alert.
        matched: the articles that were there when articles were matched.
        marks: by search and article, the outlets that alerted about a story while the article was
            in it, or before. An article that joins another story hands them on.
    """

    def __init__(self, fetch, articles):
        self._fetch, self._articles = fetch, articles
        self._stories, self._seen = Stories(), set()
        self.told = defaultdict(list)
        self.matched = set()
        self.marks = defaultdict(lambda: defaultdict(set))

    async def note_places(self):
        """Note which articles are of one story now; return the members of each article's story."""
        groups = defaultdict(set)
        for member, founder in await self._fetch(PLACES):
            self._stories.join(member, founder)
            groups[founder].add(member)
        for marks in self.marks.values():
            for members in groups.values():
                shared = set().union(*(marks[one] for one in members))
                marks.update((one, set(shared)) for one in members)
        return {one: members for members in groups.values() for one in members}

    async def check(self, later):
        """No new alert is about a story that was told, but by a new outlet if that is wanted."""
        members = await self.note_places()
        self.matched |= set(members)
        for search, group, article, outlet in await self._fetch(ROWS):
            if (search, group) in self._seen:
                continue
            self._seen.add((search, group))
            known = self.marks[search][article]
            assert not known or (search in later and outlet not in known), (article, outlet)
            for one in members[article]:
                self.marks[search][one].add(outlet)
            self.told[search].append((article, outlet))
        assert sorted(await self._fetch(SENT)) == sorted(self._seen)  # the outbox has each once

    def check_all_told(self, search, word, *, asked):
        """Each story, or each outlet of each, with an article that matches has alerted."""
        wanted = {
            self._describe(one.id, one.publisher.lower(), asked=asked)
            for one in self._articles
            if one.id in self.matched and word in f"{one.title} {one.description}".lower()
        }
        assert wanted == {self._describe(*one, asked=asked) for one in self.told[search]}

    def _describe(self, article, outlet, *, asked):
        return self._stories.find(article), outlet if asked else None


def make_articles(random):
    """Several articles for each title, some of them with a word that only they have."""
    return [
        told(
            f"{place}-{number}",
            title,
            publisher=random.choice(OUTLETS),
            source=random.choice(("reddit", "guardian")),
            description=random.choice((None, "A minister spoke.", "Waves were seen.")),
        )
        for place, title in enumerate(TITLES)
        for number in range(4)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
async def test_a_story_alerts_once_however_its_articles_come_and_go(
    newsroom, postgres, fetch, seed
):
    """With and without later members, for words of all members and of some."""
    random, checks = Random(seed), PostgresChecks(postgres)
    articles = make_articles(random)
    words = {
        await newsroom.save(word, later_members=asked): (word, asked)
        for word in ("earthquake", "minister")
        for asked in (False, True)
    }
    later = {search for search, (_, asked) in words.items() if asked}
    judge = Judge(fetch, articles)
    for _ in range(STEPS):
        for _ in range(random.randint(1, 3)):
            await newsroom.archive(*random.sample(articles, random.randint(1, 3)))
            await judge.note_places()
            if random.random() < 0.6:
                gone = [one.id for one in random.sample(articles, random.randint(1, 8))]
                await checks.finish(kept=(), anonymous=(), gone=gone)
            elif random.random() < 0.2:
                await checks.prune_source("reddit", NOW + timedelta(seconds=1))
            await newsroom.archive()
            await judge.note_places()
        await newsroom.arrive()
        await judge.check(later)
    assert all(judge.told[search] for search in words)
    for search, (word, asked) in words.items():
        judge.check_all_told(search, word, asked=asked)

"""The ports of one person's data in memory.

They behave like the real ones without a server. Each can be set to be away.
"""

from collections import defaultdict
from datetime import datetime

import trio
from attrs import evolve

from newsintel.domain.paging import Position
from newsintel.domain.personal.model import (
    ArticleMark,
    MarkPage,
    NotSameMark,
    NotSamePage,
    OwnedFeed,
    PastSearch,
    PastSearches,
    PrivateFeed,
    PutResult,
    Save,
    SavedPage,
)
from newsintel.domain.personal.preferences import MAX_KEYS
from newsintel.domain.search.matching import PreparedQuery, choose_article_language, prepare_text
from newsintel.errors import PoisonedBatchError, UnavailableError


class _Memory:
    """What all fakes of this module do first in each call."""

    def __init__(self) -> None:
        self.away = False

    async def _answer(self) -> None:
        await trio.lowlevel.checkpoint()
        if self.away:
            raise UnavailableError("postgresql is away")


class MemoryPreferences(_Memory):
    """A `ports.PreferenceStore` that counts its reads.

    It refuses values under a key in `poisoned`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[int, dict[str, object]] = defaultdict(dict)
        self.poisoned: set[str] = set()
        self.reads = 0

    async def get_all(self, user_id):
        self.reads += 1
        found = dict(self.kept[user_id])
        await self._answer()
        return found

    async def put(self, user_id, key, value, at):
        await self._answer()
        if key in self.poisoned:
            raise PoisonedBatchError("too large")
        kept = self.kept[user_id]
        if key not in kept and len(kept) >= MAX_KEYS:
            return PutResult.FULL
        known = key in kept
        kept[key] = value
        return PutResult.CHANGED if known else PutResult.NEW

    async def delete(self, user_id, key):
        await self._answer()
        return self.kept[user_id].pop(key, self) is not self


class MemorySaved(_Memory):
    """A `ports.SavedArticles` in which words are found by the rules of live searches."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[int, dict[str, Save]] = defaultdict(dict)
        self.most = 5_000

    async def list_page(self, user_id, words, limit, after, *, content=False):
        await self._answer()
        saves = sorted(
            self.kept[user_id].values(),
            key=lambda save: (-save.saved_at.timestamp(), save.article.id),
        )
        if words is not None:
            saves = [save for save in saves if _holds(save, PreparedQuery(words))]
        if after is not None:
            last = (-datetime.fromisoformat(after.keys[0]).timestamp(), after.keys[1])
            saves = [save for save in saves if (-save.saved_at.timestamp(), save.article.id) > last]
        page = saves[:limit]
        return SavedPage(
            tuple(page),
            Position((page[-1].saved_at.isoformat(), page[-1].article.id))
            if len(saves) > limit
            else None,
        )

    async def put(self, user_id, article, fetched_at, *, notes, keep_notes, at):
        await self._answer()
        kept = self.kept[user_id]
        if old := kept.get(article.id):
            kept[article.id] = old if keep_notes else evolve(old, notes=notes)
            return kept[article.id], PutResult.CHANGED
        if len(kept) >= self.most:
            return Save(article, notes, at), PutResult.FULL
        kept[article.id] = Save(article, notes, at)
        return kept[article.id], PutResult.NEW

    async def delete(self, user_id, article_id):
        await self._answer()
        return self.kept[user_id].pop(article_id, None) is not None


def _holds(save, asked):
    language = choose_article_language(save.article)
    return asked.matches(
        [
            prepare_text(text, language)
            for text in (save.article.title, save.article.publisher, save.notes or "")
        ],
        language,
    )


class MemoryOwnHistory(_Memory):
    """A `ports.OwnHistory`. The test sets which harvests belong to one account alone."""

    def __init__(self) -> None:
        super().__init__()
        self.lone: dict[int, list[str]] = defaultdict(list)
        self.kept: dict[int, list[PastSearch]] = defaultdict(list)

    async def list_page(self, user_id, limit, after):
        await self._answer()
        searches = sorted(
            self.kept[user_id], key=lambda search: (-search.searched_at.timestamp(), search.id)
        )
        if after is not None:
            last = (-datetime.fromisoformat(after.keys[0]).timestamp(), after.keys[1])
            searches = [
                search for search in searches if (-search.searched_at.timestamp(), search.id) > last
            ]
        page = searches[:limit]
        return PastSearches(
            tuple(page),
            Position((page[-1].searched_at.isoformat(), page[-1].id))
            if len(searches) > limit
            else None,
        )

    async def delete(self, user_id, search_id):
        await self._answer()
        before = len(self.kept[user_id])
        self.kept[user_id] = [search for search in self.kept[user_id] if search.id != search_id]
        return len(self.kept[user_id]) < before

    async def find_lone_keys(self, user_id, since):
        await self._answer()
        return self.lone[user_id]

    async def clear(self, user_id, until):
        await self._answer()
        self.kept[user_id] = [search for search in self.kept[user_id] if search.searched_at > until]


class MemoryRepeats(_Memory):
    """A `ports.Repeats` whose entries expire by trio's clock."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, float] = {}

    async def remember_new(self, keys):
        await self._answer()
        now_s = trio.current_time()
        answers = []
        for key, keep_s in keys:
            answers.append(self.kept.get(key, now_s) <= now_s)
            if answers[-1]:
                self.kept[key] = now_s + keep_s
        return answers


class MemoryPrivateFeeds(_Memory):
    """A `ports.PrivateFeeds` over the accounts of a MemoryAccounts."""

    def __init__(self, accounts) -> None:
        super().__init__()
        self.kept: dict[int, dict[str, tuple[PrivateFeed, str]]] = defaultdict(dict)
        self._accounts = accounts
        self._made = 0

    async def create(self, user_id, feed, digest, most):
        await self._answer()
        if len(self.kept[user_id]) >= most:
            return None
        self._made += 1
        named = evolve(feed, public_id=f"f_{'abcdefghij'[self._made % 10] * 20}")
        self.kept[user_id][f"{self._made}"] = (named, digest)
        return named

    async def list_of_user(self, user_id):
        await self._answer()
        return tuple(feed for feed, _ in reversed(self.kept[user_id].values()))

    async def revoke(self, user_id, public_id):
        await self._answer()
        for key, (feed, _) in self.kept[user_id].items():
            if feed.public_id == public_id:
                del self.kept[user_id][key]
                return True
        return False

    async def find(self, digest):
        await self._answer()
        for user_id, feeds in self.kept.items():
            for feed, known in feeds.values():
                if known == digest:
                    person = self._accounts.kept[user_id].public_id
                    return OwnedFeed(user_id, person, feed)
        return None


class MemoryNotSame(_Memory):
    """A `ports.NotSame`."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[int, dict[frozenset[str], NotSameMark]] = defaultdict(dict)

    async def record(self, user_id, pair, at):
        await self._answer()
        one, other = (article.id for article, _ in pair)
        self.kept[user_id][frozenset((one, other))] = NotSameMark(one, other, at)

    async def delete(self, user_id, article_id, other_id):
        await self._answer()
        return self.kept[user_id].pop(frozenset((article_id, other_id)), None) is not None

    async def find_others(self, user_id, article_id):
        await self._answer()
        pairs = [pair for pair in self.kept[user_id] if article_id in pair]
        return frozenset().union(*pairs) - {article_id}

    async def list_page(self, user_id, limit, after):
        await self._answer()
        marks = sorted(self.kept[user_id].values(), key=lambda mark: mark.marked_at, reverse=True)
        start = int(after.keys[0]) if after else 0
        more = Position((str(start + limit),)) if len(marks) > start + limit else None
        return NotSamePage(tuple(marks[start : start + limit]), more)


class MemoryAccountData(_Memory):
    """A `ports.AccountData` over other fakes.

    Deleting removes the data from all of them.
    """

    def __init__(self, accounts, *stores) -> None:
        super().__init__()
        self._accounts = accounts
        self._stores = stores

    async def list_identities(self, user_id):
        await self._answer()
        return sorted(
            identity for identity, of in self._accounts.identities.items() if of == user_id
        )

    async def delete(self, user_id):
        await self._answer()
        self._accounts.kept.pop(user_id, None)
        self._accounts.identities = {
            identity: of for identity, of in self._accounts.identities.items() if of != user_id
        }
        for store in self._stores:
            store.kept.pop(user_id, None)


class MemoryFeedback(_Memory):
    """A `ports.Feedback`.

    `kept` has opened articles under "opened" and all others under "dismissed".
    """

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[int, dict[str, dict[str, ArticleMark]]] = defaultdict(
            lambda: {"opened": {}, "dismissed": {}}
        )

    async def record_opened(self, user_id, article, fetched_at, at):
        await self._answer()
        self.kept[user_id]["opened"][article.id] = ArticleMark(article, at, None)

    async def record_dismissed(self, user_id, article, fetched_at, at, reason):
        await self._answer()
        self.kept[user_id]["dismissed"][article.id] = ArticleMark(article, at, reason)

    async def delete_opened(self, user_id, article_id):
        await self._answer()
        return self.kept[user_id]["opened"].pop(article_id, None) is not None

    async def delete_dismissed(self, user_id, article_id):
        await self._answer()
        return self.kept[user_id]["dismissed"].pop(article_id, None) is not None

    async def list_opened(self, user_id, limit, after):
        return await self._page("opened", user_id, limit, after)

    async def list_dismissed(self, user_id, limit, after):
        return await self._page("dismissed", user_id, limit, after)

    async def _page(self, name, user_id, limit, after):
        await self._answer()
        marks = sorted(
            self.kept[user_id][name].values(),
            key=lambda mark: (-mark.at.timestamp(), mark.article.id),
        )
        if after is not None:
            last = (-datetime.fromisoformat(after.keys[0]).timestamp(), after.keys[1])
            marks = [mark for mark in marks if (-mark.at.timestamp(), mark.article.id) > last]
        page = marks[:limit]
        return MarkPage(
            tuple(page),
            Position((page[-1].at.isoformat(), page[-1].article.id))
            if len(marks) > limit
            else None,
        )

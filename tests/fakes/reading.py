"""The port for reading recommendations over other fakes.

It behaves like the real one without a server.
"""

import trio

from newsintel.domain.intelligence.interest_model import Deed, DeedKind, ProfileMatch, UnseenArticle
from newsintel.domain.personal.model import Dismissal
from newsintel.domain.text.tokens import split_words
from newsintel.errors import UnavailableError


class MemoryReading:
    """A `ports.Reading` over saves, feedback, history and an archive.

    No article has a duplicate.
    """

    def __init__(self, saved, feedback, own_history, archived) -> None:
        self._saved = saved
        self._feedback = feedback
        self._own_history = own_history
        self._archived = archived
        self.away = False

    async def list_deeds(self, user_id):
        await self._answer()
        found = []
        for save in self._saved.kept[user_id].values():
            found.append(
                Deed(
                    DeedKind.SAVED,
                    save.article.title,
                    save.article.title,
                    save.saved_at,
                    save.article.id,
                )
            )
            if save.notes:
                found.append(
                    Deed(
                        DeedKind.NOTED,
                        save.notes,
                        save.article.title,
                        save.saved_at,
                        save.article.id,
                    )
                )
        opened = self._feedback.kept[user_id]["opened"].values()
        found += [
            Deed(DeedKind.OPENED, mark.article.title, mark.article.title, mark.at, mark.article.id)
            for mark in opened
        ]
        for mark in self._feedback.kept[user_id]["dismissed"].values():
            kind = DeedKind.HIDDEN if mark.reason is Dismissal.HIDE else DeedKind.DISLIKED
            found.append(
                Deed(kind, mark.article.title, mark.article.title, mark.at, mark.article.id)
            )
        found += [
            Deed(DeedKind.SEARCHED, one.query, one.query, one.searched_at)
            for one in self._own_history.kept[user_id]
        ]
        return found

    async def find_by_terms(self, wanted, limit):
        await self._answer()
        found = []
        for article in self._newest():
            having = {
                token.word for token in split_words(f"{article.title} {article.description or ''}")
            }
            if having & set(wanted.alone) or any(
                len(having & set(group)) > 1 for group in wanted.groups
            ):
                found.append(
                    ProfileMatch(
                        article.id, article.published_at, frozenset(having & set(wanted.terms))
                    )
                )
        return found[:limit]

    async def load_unseen(self, user_id, article_ids):
        await self._answer()
        marks = self._feedback.kept[user_id]
        seen = self._saved.kept[user_id].keys() | marks["opened"].keys() | marks["dismissed"].keys()
        by_id = {article.id: article for article in self._newest()}
        return {
            one: UnseenArticle(by_id[one], 1, 0)
            for one in article_ids
            if one in by_id and one not in seen
        }

    async def list_most_covered(self, limit):
        await self._answer()
        return [(article.id, article.title, 0) for article in self._newest()][:limit]

    def _newest(self):
        return sorted(
            (one.article for one in self._archived.values()),
            key=lambda one: (-one.published_at.timestamp(), one.id),
        )

    async def _answer(self) -> None:
        await trio.lowlevel.checkpoint()
        if self.away:
            raise UnavailableError("postgresql is away")

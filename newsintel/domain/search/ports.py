"""Protocols for what a search needs: sources, and answers shared between processes."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from attrs import frozen

from newsintel.domain.search.article import ArchivedArticle
from newsintel.domain.search.harvest import Answer
from newsintel.domain.search.outcome import Refusal, SourcePage
from newsintel.domain.search.query_model import Query


class Upstream(Protocol):
    """One source, accessed over the network."""

    async def fetch(self, query: Query) -> SourcePage | Refusal:
        """Ask once. The caller's cancel scope limits the time; expected failures are a Refusal."""
        ...

    def list_ignored_parameters(self, query: Query) -> tuple[str, ...]:
        """Return the parameters of the query that this source cannot apply."""
        ...

    async def keep_ready(self) -> None:
        """Do upkeep outside any search, such as renewing an app-only token.

        Runs as long as the service does; returns at once if there is nothing to do.
        """
        ...


@runtime_checkable
class RecheckUpstream(Protocol):
    """A source that can be asked again for items that it gave."""

    async def recheck(self, ids: Sequence[str]) -> SourcePage | Refusal:
        """Ask once for items by their ids; those that the source no longer has are missing."""
        ...


@frozen
class ClaimResult:
    """The result of claiming a key.

    Attributes:
        held: whether the claim is now ours.
        answer: what was stored under the key at that moment, of any age.
    """

    held: bool
    answer: Answer | None


class HarvestCache(Protocol):
    """The shared cache in Redis: harvests, each with its default merge."""

    async def store(self, answer: Answer, lock_token: str | None) -> None:
        """Store an answer for CACHE_TTL_S + CACHE_STALE_S and release the claim, atomically."""
        ...

    async def claim(self, key: str, token: str, ttl_s: float) -> ClaimResult:
        """Claim the fan-out of a key, unless another process holds it, and read the stored answer.

        The claim expires after `ttl_s`.
        """
        ...

    async def release_claim(self, key: str, token: str) -> None:
        """Release the claim if `token` still holds it."""
        ...

    async def find_article(self, article_id: str) -> ArchivedArticle | None:
        """Return an article of an answer that any process stored in the last minutes."""
        ...

    async def delete_answers(self, keys: Sequence[str]) -> None:
        """Delete the answers of these keys."""
        ...

"""What a search needs of the outside world, as Protocols: sources, and answers shared between processes."""

from collections.abc import Sequence
from typing import Protocol

from attrs import frozen

from newsintel.domain.search.harvest import Answer
from newsintel.domain.search.outcome import Page, Refusal
from newsintel.domain.search.query_model import Query


class Upstream(Protocol):
    """One source, reached over the network."""

    async def fetch(self, query: Query) -> Page | Refusal:
        """Ask once. Bounded by the caller's cancel scope; every foreseen failure is a Refusal."""
        ...

    def ignored(self, query: Query) -> tuple[str, ...]:
        """The query's parameters that this source cannot apply."""
        ...

    async def keep_ready(self) -> None:
        """Upkeep outside any search (an app-only token, say), for as long as the service runs; returns at once if there is none."""
        ...


@frozen
class Claimed:
    """What claiming a key found: whether the claim is now ours, and what is kept under the key at that moment, however old."""

    held: bool
    answer: Answer | None


class HarvestCache(Protocol):
    """Redis, as the merger and the cache writer see it: harvests, each with its default merge."""

    async def store(self, answer: Answer, lock_token: str | None) -> None:
        """Keep an answer for CACHE_TTL_S + CACHE_STALE_S and release the lock, in one operation."""
        ...

    async def claim(self, key: str, token: str, ttl_s: float) -> Claimed:
        """Claim the fan-out of a key among processes, unless another holds it, and look what is kept. The claim lapses after `ttl_s`."""
        ...

    async def unlock(self, key: str, token: str) -> None:
        """Give the claim back if `token` still holds it."""
        ...

    async def forget(self, keys: Sequence[str]) -> None:
        """Keep the answers of these keys no longer."""
        ...

"""Keys under which a database finds the founders that may be of a title's story.

A key is a number for a class of words together with a bucket of time, so an index on keys leads to
the few founders of the same days that share a class. `Stories` then judges these founders.
"""

from collections.abc import Iterator
from datetime import datetime
from hashlib import blake2b

from newsintel.domain.search.stories.judging import WINDOW
from newsintel.domain.search.stories.parsed_title import ParsedTitle
from newsintel.domain.search.stories.similarity import MIN_COMMON

_KEY_BYTES = 8
"""PostgreSQL's bigint. Two classes share a key by chance once in 10^19 pairs, and then the titles
are compared once more."""


def list_own_keys(title: ParsedTitle, at: datetime) -> list[int]:
    """Return the keys under which a founder is found.

    Args:
        title: of the founder.
        at: its time.
    """
    bucket = _find_bucket(at)
    return [_hash(bucket, name) for name, _ in _list_names(title)]


def list_wanted_keys(title: ParsedTitle, at: datetime) -> list[tuple[int, float]]:
    """Return the keys of the founders that may be of a title's story, each with its weight.

    A founder whose keys weigh MIN_COMMON together may be of the story; no other can be.

    Args:
        title: of the article that looks for its story.
        at: its time.
    """
    bucket = _find_bucket(at)
    names = list(_list_names(title))
    return [
        (_hash(near, name), weight)
        for near in (bucket - 1, bucket, bucket + 1)
        for name, weight in names
    ]


def _list_names(title: ParsedTitle) -> Iterator[tuple[str, float]]:
    """List the whole title, which is enough alone, and its classes; numbers do not count."""
    if title.folded:
        yield f"={title.folded}", MIN_COMMON
    if not title.thin:
        yield from ((name, weight) for name, weight in title.weights.items() if name[0] != "#")


def _find_bucket(at: datetime) -> int:
    return int(at.timestamp() // WINDOW.total_seconds())


def _hash(bucket: int, name: str) -> int:
    digest = blake2b(f"{bucket} {name}".encode("utf-8", "replace"), digest_size=_KEY_BYTES)
    return int.from_bytes(digest.digest(), signed=True)

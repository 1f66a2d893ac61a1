"""Files of news that a source publishes, and which of them were archived."""

from collections.abc import Sequence
from typing import Protocol

from attrs import frozen

from newsintel.domain.search.outcome import Refusal, SourcePage


@frozen
class BulkFile:
    """A file in a source's list.

    Attributes:
        name: within the source's folder, without a path.
        size_bytes: as the list says.
        md5: of the file, 32 hexadecimal digits, as the list says.
    """

    name: str
    size_bytes: int
    md5: str


class BulkSource(Protocol):
    """A source's files, over the network. The caller's cancel scope limits the time."""

    async def list_files(self) -> Sequence[BulkFile] | Refusal:
        """Return the newest files that have articles."""
        ...

    async def read_file(self, file: BulkFile) -> SourcePage | Refusal:
        """Return the articles of a file, if it is the one of the list."""
        ...


class BulkFiles(Protocol):
    """Which files were read, in PostgreSQL, for all processes."""

    async def take(self, name: str, lease_s: float) -> bool:
        """Take a file, or anything else with a name, for some seconds.

        Returns:
            False if it was finished, or if another process has it.
        """
        ...

    async def finish(self, name: str) -> None:
        """Note that a file's articles are archived: it is never read again."""
        ...

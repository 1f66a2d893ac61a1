"""Downloads GDELT's files of the last 15 minutes. Implements `BulkSource`."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpx
from attrs import frozen

from newsintel.domain.archive.bulk import BulkFile
from newsintel.domain.ports import WallClock
from newsintel.domain.search.outcome import Refusal, SourcePage, Status
from newsintel.outbound.sources.gdelt_files import MAX_FILE_BYTES, parse_list, read_pages
from newsintel.outbound.transport import FORESEEN, HEADERS, TIMEOUT, Transport, make_refusal
from newsintel.runtime.telemetry.logs import quiet_libraries
from newsintel.runtime.turns import run_in_turns

LISTS = ("lastupdate.txt", "lastupdate-translation.txt")
"""English pages, and pages in 64 other languages."""
MAX_LIST_BYTES = 10_000
"""A list has three lines, about 350 bytes."""


@frozen
class GdeltDownloads:
    """The files below a base URL.

    Attributes:
        url: of the folder that has `gdeltv2`.
        client: for all requests.
        now: the time of day.
    """

    _url: str
    _client: httpx.AsyncClient
    _now: WallClock

    async def list_files(self) -> Sequence[BulkFile] | Refusal:
        """One of the two lists is enough."""
        files: list[BulkFile] = []
        refused: Refusal | None = None
        for name in LISTS:
            found = await self._download(name, MAX_LIST_BYTES)
            if isinstance(found, Refusal):
                refused = refused or found
            else:
                files += parse_list(found.decode("ascii", "replace"))
        return refused if refused and not files else files

    async def read_file(self, file: BulkFile) -> SourcePage | Refusal:
        """Other tasks run while it is unpacked and parsed."""
        data = await self._download(file.name, file.size_bytes)
        if isinstance(data, Refusal):
            return data
        return await run_in_turns(read_pages(data, file, self._now()))

    async def _download(self, name: str, max_bytes: int) -> bytes | Refusal:
        try:
            reply = await self._client.get(f"{self._url}/gdeltv2/{name}")
        except FORESEEN as error:
            return make_refusal(error)
        if reply.status_code != httpx.codes.OK:
            detail = f"{name}: HTTP {reply.status_code}"
            return Refusal(Status.UNREACHABLE, detail, reply.status_code)
        if len(reply.content) > max_bytes:
            return Refusal(Status.BAD_PAYLOAD, f"{name}: more than {max_bytes:,} bytes")
        return reply.content


@asynccontextmanager
async def open_gdelt_downloads(url: str, now: WallClock) -> AsyncIterator[GdeltDownloads]:
    """Open the client.

    Owns: the client and its connections.

    Args:
        url: of the folder that has `gdeltv2`.
        now: the time of day; pages without a date get it.
    """
    quiet_libraries()
    async with httpx.AsyncClient(
        transport=Transport(MAX_FILE_BYTES),
        headers=HEADERS | {"Accept": "*/*"},
        timeout=TIMEOUT,
        trust_env=False,
        follow_redirects=False,
    ) as client:
        yield GdeltDownloads(url, client, now)

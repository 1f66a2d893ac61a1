"""The files of the spool: durable, exact in their bound, drained by any process."""

import fcntl
import os
import resource
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from newsintel.errors import SpoolFullError, UnavailableError
from newsintel.storage import spool_folder
from newsintel.storage.spool_file import HEAD, MAGIC, SpoolFile
from newsintel.storage.spool_folder import SpoolFolder, open_spool_folder
from tests.fakes.basics import Counts
from tests.storage.support import ROOT
from tests.waiting import PATIENCE_S

MAX_BYTES = 10_000
STEPS = ("add", "fill", "overflow", "drain", "close")


@pytest.fixture(autouse=True)
def patient_disk(monkeypatch):
    """The machine may be busy."""
    monkeypatch.setattr(spool_folder, "DISK_S", PATIENCE_S)


async def drain(place):
    """Take and remove all entries; return their data."""
    found = []
    while (entry := await place.take()) is not None:
        found.append(entry.data)
        await entry.remove()
    return found


def files(data_dir):
    """The names of the spool's files."""
    return sorted(path.name for path in (data_dir / "spool").glob("*.spool"))


def disk_bytes(data_dir):
    """What the spool takes on disk."""
    return sum(path.stat().st_size for path in (data_dir / "spool").glob("*.spool"))


async def test_entries_come_back_in_order_and_the_file_goes(tmp_path):
    """The folder and the file are for their owner only. Nothing is made before the first entry."""
    async with open_spool_folder(tmp_path / "data", MAX_BYTES, Counts()) as place:
        assert await place.take() is None
        assert not (tmp_path / "data").exists()
        for number in range(3):
            await place.add(b"%d" % number)
        assert place.size_bytes == disk_bytes(tmp_path / "data")
        modes = [
            oct(path.stat().st_mode & 0o777)
            for path in (tmp_path / "data" / "spool", *(tmp_path / "data" / "spool").iterdir())
        ]
        assert modes == ["0o700", "0o600", "0o600"]
        entry = await place.take()
        await entry.give_back()
        assert await drain(place) == [b"0", b"1", b"2"]
        assert (files(tmp_path / "data"), place.size_bytes) == ([], 0)
        await place.add(b"again")
        assert await drain(place) == [b"again"]


async def test_a_file_is_deleted_under_the_lock_of_the_folder(tmp_path, monkeypatch):
    """Else another process that measures the files could miss one that it has just seen."""
    delete, deleted = SpoolFile.delete, []

    def delete_locked(file):
        with (tmp_path / "spool" / "lock").open() as lock, pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        deleted.append(file)
        delete(file)

    monkeypatch.setattr(SpoolFile, "delete", delete_locked)
    async with open_spool_folder(tmp_path, MAX_BYTES, Counts()) as place:
        await place.add(b"x")
        assert await drain(place) == [b"x"]
        await place.add(b"y")
        (path,) = (tmp_path / "spool").glob("*.spool")
        path.write_bytes(MAGIC + b"torn" + bytes(20))
        assert await place.take() is None
    assert len(deleted) == 2


async def test_another_process_drains_what_a_closed_one_left(tmp_path):
    """A file in use is left alone, also half drained. A removed entry may come again, no other."""
    counts = Counts()
    first, second = (SpoolFolder(tmp_path, MAX_BYTES, counts) for _ in range(2))
    for number in range(3):
        await first.add(b"%d" % number)
    await (await first.take()).remove()
    assert await second.take() is None
    await second.add(b"own")
    first.close()
    assert await drain(second) == [b"0", b"1", b"2", b"own"]
    assert files(tmp_path) == []
    second.close()


WRITER = """
import sys, trio
from pathlib import Path
from newsintel.storage.spool_folder import SpoolFolder
async def main():
    place = SpoolFolder(Path(sys.argv[1]), 10**6, lambda *_, **__: None)
    for number in range(20):
        await place.add(b"%d" % number)
    print("written", flush=True)
    await trio.sleep_forever()
trio.run(main)
"""


async def test_another_process_drains_what_a_killed_one_left(tmp_path):
    """SIGKILL after the entries were accepted: each is still there."""
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    environ = {"PYTHONPATH": str(ROOT), "PATH": os.defpath}
    writer = subprocess.Popen(command, stdout=subprocess.PIPE, env=environ)  # noqa: ASYNC220
    try:
        assert writer.stdout.readline() == b"written\n"
        async with open_spool_folder(tmp_path, MAX_BYTES, Counts()) as place:
            assert await place.take() is None
            writer.send_signal(signal.SIGKILL)
            writer.wait()
            assert await drain(place) == [b"%d" % number for number in range(20)]
    finally:
        writer.kill()
        writer.wait()
        writer.stdout.close()


def torn(record, how):
    """A last record as a killed process or a bad disk may leave it."""
    return {
        "half a head": record[:5],
        "no data": record[: HEAD.size],
        "half the data": record[:-1],
        "another byte": record[:-1] + b"?",
        "an absurd length": b"\xff" * HEAD.size + record[HEAD.size :],
    }[how]


@pytest.mark.parametrize(
    "how", ["half a head", "no data", "half the data", "another byte", "an absurd length"]
)
async def test_a_torn_last_record_is_cut_off_counted_and_logged(tmp_path, how):
    """The records before it are drained."""
    first, counts = SpoolFolder(tmp_path, MAX_BYTES, Counts()), Counts()
    await first.add(b"whole")
    await first.add(b"torn in its last part")
    first.close()
    (path,) = (tmp_path / "spool").glob("*.spool")
    data = path.read_bytes()
    start = len(MAGIC) + HEAD.size + len(b"whole")
    last = torn(data[start:], how)
    path.write_bytes(data[:start] + last)
    with capture_logs() as logs:
        async with open_spool_folder(tmp_path, MAX_BYTES, counts) as place:
            assert await drain(place) == [b"whole"]
    assert counts == {"spool_torn_records": 1}
    assert [line["size_bytes"] for line in logs if line["event"] == "spool_torn"] == [len(last)]
    assert files(tmp_path) == []


async def test_a_file_without_its_whole_first_line_is_empty(tmp_path):
    """Its process was killed before the first entry."""
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / "1-a.spool").write_bytes(MAGIC[:4])
    async with open_spool_folder(tmp_path, MAX_BYTES, Counts()) as place:
        assert await place.take() is None
    assert files(tmp_path) == []


async def test_a_file_of_another_format_is_left_alone(tmp_path):
    """Its version may come back. It still counts for the bound."""
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / "1-a.spool").write_bytes(b"newsintel spool 2\n" + bytes(MAX_BYTES - 18))
    async with open_spool_folder(tmp_path, MAX_BYTES, Counts()) as place:
        assert await place.take() is None
        with pytest.raises(SpoolFullError):
            await place.add(b"")
    assert files(tmp_path) == ["1-a.spool"]


@pytest.mark.parametrize(
    "make",
    [
        os.mkfifo,
        os.mkdir,
        lambda path: path.symlink_to("nowhere"),
        lambda path: path.symlink_to(path.name),
    ],
    ids=["a pipe", "a folder", "a dangling link", "a link to itself"],
)
async def test_what_is_no_file_is_left_alone(tmp_path, make):
    """What others left beside it is drained, and what comes is stored."""
    async with open_spool_folder(tmp_path, MAX_BYTES, Counts()) as ended:
        await ended.add(b"left")
    odd = tmp_path / "spool" / "0.spool"
    make(odd)
    if not odd.is_symlink():
        os.utime(odd, (0, 0))  # it is the oldest, so the first that would be taken over
    async with open_spool_folder(tmp_path, MAX_BYTES, Counts()) as place:
        await place.add(b"new")
        assert await drain(place) == [b"left", b"new"]
    assert odd.lstat()


async def test_a_file_that_is_set_aside_is_for_another_process(tmp_path):
    """This process goes on with other files."""
    first = SpoolFolder(tmp_path, MAX_BYTES, Counts())
    await first.add(b"unreadable")
    first.close()
    place, other = (SpoolFolder(tmp_path, MAX_BYTES, Counts()) for _ in range(2))
    await (await place.take()).set_aside()
    assert await place.take() is None
    await place.add(b"own")
    assert await drain(place) == [b"own"]
    assert await drain(other) == [b"unreadable"]
    place.close()
    other.close()


@contextmanager
def full_disk(max_bytes):
    """No file of this process may become larger: a write fails as on a full disk, half-way."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (max_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_full_disk_is_an_expected_failure(tmp_path):
    """The entries before are kept, no part of the refused one, and later ones follow."""
    async with open_spool_folder(tmp_path, 10**7, Counts()) as place:
        await place.add(b"before")
        with full_disk(2_000_000), pytest.raises(UnavailableError, match="File too large"):
            await place.add(bytes(3_000_000))
        assert disk_bytes(tmp_path) == len(MAGIC) + HEAD.size + len(b"before")
        await place.add(b"after")
        assert await drain(place) == [b"before", b"after"]


async def test_a_file_without_an_entry_is_no_reason_to_stop_on_a_full_disk(tmp_path):
    """Draining the others makes room. A file cannot be completed on a full disk."""
    async with open_spool_folder(tmp_path, MAX_BYTES, Counts()) as ended:
        await ended.add(b"left")
    empty = tmp_path / "spool" / "0.spool"
    empty.touch()
    os.utime(empty, (0, 0))  # it is the first that would be taken over
    with full_disk(0):
        async with open_spool_folder(tmp_path, MAX_BYTES, Counts()) as place:
            assert await drain(place) == [b"left"]
    assert files(tmp_path) == []


async def test_a_folder_that_cannot_be_used_is_an_expected_failure(tmp_path):
    """As in a container with a read-only file system."""
    (tmp_path / "data").write_text("a file")
    async with open_spool_folder(tmp_path / "data", MAX_BYTES, Counts()) as place:
        with pytest.raises(UnavailableError, match=r"File exists|Not a directory"):
            await place.add(b"x")
        assert await place.take() is None


async def test_a_disk_that_hangs_delays_nobody(tmp_path, monkeypatch, autojump_clock):
    """The wait has its limit, and a cancel does not wait at all."""
    monkeypatch.setattr(spool_folder, "DISK_S", 0.1)
    answer = trio.Event()
    monkeypatch.setattr(SpoolFile, "append", lambda *_: trio.from_thread.run(answer.wait))
    place = SpoolFolder(tmp_path, MAX_BYTES, Counts())
    with pytest.raises(UnavailableError, match="did not answer"):
        await place.add(b"x")
    with trio.move_on_after(0.01) as scope:
        await place.add(b"y")
    assert scope.cancelled_caught
    place.close()
    answer.set()


async def test_a_hung_thread_keeps_its_files_open(tmp_path, monkeypatch):
    """Closed, their numbers could become another file's, into which the thread would then write."""
    answer = threading.Event()
    place = SpoolFolder(tmp_path, MAX_BYTES, Counts())
    await place.add(b"x")
    append = SpoolFile.append

    def append_late(file, data):
        answer.wait()
        append(file, data)

    monkeypatch.setattr(SpoolFile, "append", append_late)
    monkeypatch.setattr(spool_folder, "DISK_S", 0.1)
    with pytest.raises(UnavailableError, match="did not answer"):
        await place.add(b"y")
    place.close()
    answer.set()
    monkeypatch.setattr(spool_folder, "DISK_S", PATIENCE_S)
    assert await drain(place) == [b"x", b"y"]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 900))),
    st.integers(0, 2_000),
)
def test_the_bound_holds_exactly(tmp_path_factory, steps, max_bytes):
    """Whatever two processes add, drain and leave behind.

    An entry is refused if and only if the files would exceed the bound with it.
    """
    data_dir = tmp_path_factory.mktemp("spool")

    async def follow():
        places = [SpoolFolder(data_dir, max_bytes, Counts()) for _ in range(2)]
        waiting = 0
        for number, (step, any_size) in enumerate(steps):
            place = places[number % 2]
            if step in {"add", "fill", "overflow"}:
                used = disk_bytes(data_dir)
                more = HEAD.size + (0 if place._own else len(MAGIC))
                room = max_bytes - used - more
                size = max(0, {"fill": room, "overflow": room + 1}.get(step, any_size))
                new = more + size
                try:
                    await place.add(bytes(size))
                    waiting += 1
                    assert used + new <= max_bytes
                    assert place.size_bytes == disk_bytes(data_dir) == used + new
                except SpoolFullError:
                    assert used + new > max_bytes
                    assert disk_bytes(data_dir) == used
            elif step == "drain" and (entry := await place.take()) is not None:
                await entry.remove()
            elif step == "close":
                place.close()
                places[number % 2] = SpoolFolder(data_dir, max_bytes, Counts())
        places[0].close()
        await drain(places[1])
        places[1].close()
        assert disk_bytes(data_dir) == 0

    trio.run(follow)

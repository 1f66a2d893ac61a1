"""`newsintel import` and `export`: what goes in comes out, and an interrupted run can continue."""

import asyncio
import fcntl
import gzip
import json
import re
import resource
import signal
import subprocess
import zlib
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import asyncpg
import pytest

from newsintel.domain.archive.format import FIELDS
from newsintel.errors import UnavailableError
from newsintel.storage.postgres.archive.dump import PostgresDump
from tests.commands import malformed
from tests.service import COMMAND, environ
from tests.storage.support import running_servers
from tests.waiting import PATIENCE_S, wait_for


def line(number, **changes):
    """A line whose article is identified by its number."""
    article = {
        "url": f"https://example.org/{number}",
        "title": f"Story {number}",
        "source": "guardian",
        "publisher": "The Guardian",
        "published_at": "2026-01-01T00:00:00Z",
        "fetched_at": "2026-01-03T00:00:00Z",
    }
    return json.dumps(article | changes) + "\n"


def numbers(text):
    """The numbers of the stories in an export."""
    return sorted(int(json.loads(each)["title"].split()[1]) for each in text.splitlines())


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    """Servers that run for all tests of this module, so that no command has to start them."""
    with running_servers(tmp_path_factory.mktemp("servers")) as urls:
        yield urls


_names = (f"archive_{number}" for number in count())


@pytest.fixture
def archives(servers, tmp_path):
    """Makes archives: each call returns the settings of a new, empty one."""

    async def create(name):
        connection = await asyncpg.connect(servers["postgres_url"])
        await connection.execute(f"CREATE DATABASE {name}")
        await connection.close()

    def make():
        name = next(_names)
        asyncio.run(create(name))
        return {
            "DATABASE_URL": servers["postgres_url"].replace("/postgres?", f"/{name}?"),
            "REDIS_URL": servers["redis_url"],
        }

    return make


@pytest.fixture
def archive(archives):
    """The settings of an empty archive."""
    return archives()


@pytest.fixture
def file(tmp_path):
    """Writes lines to a file; returns its name."""

    def write(*lines, name="in.jsonl"):
        data = "".join(lines).encode()
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return str(tmp_path / name)

    return write


def test_an_export_imported_elsewhere_exports_the_same_lines(newsintel, tmp_path, archives, file):
    """Compressed or not, with times of first and last sight, cleaned texts and a discussion.

    A second import adds nothing.
    """
    some = [line(number) for number in range(450)]
    some += [
        line(
            450,
            first_seen_at="2026-01-02T00:00:00.000001Z",
            points=3,
            comments=4,
            discussion={"url": "https://forum.example/450", "points": 3, "comments": 4},
            content="x" * 40_000,
            language="en",
        )
    ]
    some += [
        line(
            451,
            title="Story 451 <b>&amp;</b> so on",
            url="https://www.example.org/451?utm_source=x#top",
        )
    ]
    here, there = archives(), archives()
    done = newsintel("import", file(*some), **here)
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        "",
        "452 lines: 452 new articles, 0 lines refused\n",
    )
    first = newsintel("export", **here).stdout
    assert numbers(first) == list(range(452))
    assert all(tuple(json.loads(each)) == FIELDS for each in first.splitlines())

    packed, again = tmp_path / "packed.jsonl.gz", tmp_path / "again.jsonl.gz"
    assert newsintel("export", str(packed), **here).returncode == 0
    assert gzip.decompress(packed.read_bytes()).decode() == first
    assert newsintel("import", str(packed), **there).returncode == 0
    assert newsintel("export", str(again), **there).returncode == 0
    assert sorted(gzip.decompress(again.read_bytes()).decode().splitlines()) == sorted(
        first.splitlines()
    )
    assert (
        newsintel("import", str(packed), **there).stderr
        == "452 lines: 0 new articles, 0 lines refused\n"
    )


def test_bad_lines_are_named_and_the_others_are_archived(newsintel, archive, file):
    """Each with line number and reason, exit code 1; all others are archived.

    Blank lines do not count; a line that is too long is skipped.
    """
    endless = '{"title": "' + "x" * (3 * 2**20) + '"}\n'
    name = file(
        line(1),
        "{\n",
        "\n",
        line(2),
        line(3, title=None),
        endless,
        line(4),
        "null\n",
        line(5).rstrip("\n"),
    )
    done = newsintel("import", name, **archive)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "line 2: not JSON: unexpected end of data at column 1",
        "line 5: title is missing or empty",
        "line 6: longer than 1,048,576 bytes",
        "line 8: not a JSON object",
        "9 lines: 4 new articles, 4 lines refused",
    ]
    assert numbers(newsintel("export", **archive).stdout) == [1, 2, 4, 5]


def test_a_line_that_only_postgresql_refuses_is_named(newsintel, archive, file, servers):
    """A rule that only the database has: the command finds the line by halving the batch.

    It archives every other line of the batch.
    """
    newsintel("migrate", **archive)

    async def forbid():
        connection = await asyncpg.connect(archive["DATABASE_URL"])
        await connection.execute("ALTER TABLE articles ADD CHECK (title NOT LIKE '%77')")
        await connection.close()

    asyncio.run(forbid())
    done = newsintel("import", file(*map(line, range(1, 401))), **archive)
    assert done.returncode == 1
    reported = [
        int(number)
        for number in re.findall(r"line (\d+): PostgreSQL refused the content", done.stderr)
    ]
    assert reported == [77, 177, 277, 377]
    assert done.stderr.endswith("400 lines: 396 new articles, 4 lines refused\n")


@pytest.mark.slow
def test_lines_may_come_through_a_pipe_and_begin_anywhere(newsintel, tmp_path, archive):
    """`-` is standard input; lines before --from-line are skipped, even invalid ones."""
    command = [*COMMAND, "import", "-", "--from-line", "3"]
    text = "{\n" + "".join(map(line, range(2, 6)))
    done = subprocess.run(
        command,
        env=environ(tmp_path, **archive),
        input=text,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "3 lines: 3 new articles, 0 lines refused\n")


@pytest.mark.slow
def test_an_interrupted_import_says_where_to_continue(newsintel, tmp_path, archive, file):
    """After Ctrl-C nothing archived is lost; the import continues from the line that it names."""
    command = [*COMMAND, "import", "-"]
    with subprocess.Popen(
        command, env=environ(tmp_path, **archive), stdin=-1, stderr=-1, text=True
    ) as process:
        process.stdin.write("".join(map(line, range(1, 451))))
        process.stdin.flush()
        wait_for(
            lambda: len(newsintel("export", **archive).stdout.splitlines()) >= 400,
            "all that was committed",
        )
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 130
        # On a busy machine, lines of progress come before it.
        assert process.stderr.readlines()[-1] == "stopped; go on with --from-line 401\n"
    name = file(*map(line, range(1, 451)))
    done = newsintel("import", name, "--from-line", "401", **archive)
    assert done.stderr == "50 lines: 50 new articles, 0 lines refused\n"


def test_an_import_refused_by_the_database_says_so_in_one_line(newsintel, archive, file):
    """A second line says where to continue: here at the beginning."""
    away = archive | {"DATABASE_URL": archive["DATABASE_URL"].replace("newsintel@", "nobody@")}
    done = newsintel("import", file(line(1)), **away)
    assert done.returncode == 1
    assert re.fullmatch(
        r"stopped; go on with --from-line 1\nnewsintel: PostgreSQL refuses this service [^\n]*\n",
        done.stderr,
    )


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["truncate -s -4 in", "printf x >> in", "truncate -s -60 in"])
def test_a_small_damaged_file_is_archived_to_its_last_whole_row(
    newsintel, tmp_path, archive, file, damage
):
    """150 rows are less than a batch: every whole row is archived.

    The message names the damage and the first row that was not whole.
    """
    whole = Path(file(*(line(number) for number in range(1, 151)), name="whole.jsonl.gz"))
    subprocess.run(["sh", "-euc", f"cp {whole.name} in; {damage}"], cwd=tmp_path, check=True)
    lines = zlib.decompressobj(31).decompress((tmp_path / "in").read_bytes()).count(b"\n")
    assert (lines == 150) is (damage != "truncate -s -60 in")
    done = newsintel("import", str(tmp_path / "in"), **archive)
    said = (
        rf"stopped; go on with --from-line {lines + 1}\n"
        rf"newsintel: \S+/in is damaged after line {lines}: [a-z ]+\n"
    )
    assert (done.returncode, bool(re.fullmatch(said, done.stderr))) == (2, True), done.stderr
    assert numbers(newsintel("export", **archive).stdout) == list(range(1, lines + 1))


def test_a_damaged_archive_file_gives_what_can_be_read(newsintel, tmp_path, archive, file):
    """Everything before the damage is archived; then one line with the place, exit code 2.

    A missing file gives the same exit code.
    """
    whole = Path(
        file(
            *(line(number, content=str(number) * 500) for number in range(1, 2001)),
            name="whole.jsonl.gz",
        )
    ).read_bytes()
    cut = tmp_path / "cut.jsonl.gz"
    cut.write_bytes(whole[: len(whole) // 2])
    done = newsintel("import", str(cut), **archive)
    assert done.returncode == 2
    said = re.fullmatch(
        r"stopped; go on with --from-line (\d+)\n"
        r"newsintel: \S+cut.jsonl.gz is damaged after line (\d+): .*\n",
        done.stderr,
    )
    assert 500 < int(said[1]) <= int(said[2]) + 1
    assert len(numbers(newsintel("export", **archive).stdout)) == int(said[1]) - 1
    (tmp_path / "text.gz").write_text("no gzip")
    for name, reason in (
        ("text.gz", "is damaged after line 0"),
        ("none", "No such file or directory"),
    ):
        done = newsintel("import", str(tmp_path / name), **archive)
        assert done.returncode == 2
        assert reason in done.stderr


def test_an_export_continues_after_an_article(newsintel, archive, file):
    """The two parts are the whole; an article that is not archived gives exit code 2."""
    newsintel("import", file(*map(line, range(1200))), **archive)
    whole = newsintel("export", **archive).stdout.splitlines()
    last = json.loads(whole[700])["id"]
    assert newsintel("export", "--after", last, **archive).stdout.splitlines() == whole[701:]
    assert newsintel("export", "--after", json.loads(whole[-1])["id"], **archive).stdout == ""
    done = newsintel("export", "--after", "a_none", **archive)
    assert (done.returncode, done.stderr) == (
        2,
        "newsintel: --after a_none: no such article is archived\n",
    )


@pytest.fixture
def pages(monkeypatch):
    """Makes PostgreSQL fail after a number of pages, and work again."""
    page = PostgresDump.read_page

    def end_after(most):
        given = count()

        async def some(self, after, limit):
            if next(given) >= most:
                raise UnavailableError("PostgreSQL is unavailable")
            return await page(self, after, limit)

        monkeypatch.setattr(PostgresDump, "read_page", some)

    return SimpleNamespace(
        end_after=end_after, go_on=lambda: monkeypatch.setattr(PostgresDump, "read_page", page)
    )


@pytest.fixture(params=["out.jsonl", "out.jsonl.gz"])
def out(request, tmp_path):
    """A file to export to."""
    return tmp_path / request.param


NAMES = ["out.jsonl", "out.jsonl.gz"]


def content(path):
    """The content of a file; gzip itself reads a name that ends with .gz."""
    if path.suffix != ".gz":
        return path.read_text()
    return subprocess.run(
        ["gzip", "-dc"], input=path.read_bytes(), capture_output=True, check=True
    ).stdout.decode()


@pytest.mark.slow
def test_an_interrupted_export_can_be_continued(newsintel, archive, file, pages, out):
    """Yesterday's file stays until today's is complete.

    The part file waits beside it; the same command continues with the article that it names.
    """
    newsintel("import", file(*map(line, range(1200))), **archive)
    whole = newsintel("export", **archive).stdout
    out.write_text("yesterday's")
    pages.end_after(2)
    done = newsintel("export", str(out), **archive)
    pages.go_on()
    last = json.loads(whole.splitlines()[999])["id"]
    assert done.returncode == 1
    assert done.stderr == (
        f"stopped; go on with --after {last}, which adds to {out}.part\n"
        "newsintel: PostgreSQL is unavailable\n"
    )
    assert out.read_text() == "yesterday's"
    assert newsintel("export", str(out), "--after", last, **archive).returncode == 0
    assert content(out) == whole
    assert [path.name for path in out.parent.glob("out*")] == [out.name]


@pytest.mark.parametrize("existing", [None, "yesterday"])
@pytest.mark.parametrize("name", NAMES)
def test_a_refused_export_leaves_the_file_as_it_was(newsintel, archive, tmp_path, name, existing):
    """The file changes only when there is something to write, and no part file is left."""
    if existing:
        (tmp_path / name).write_text(existing)
    away = archive | {"DATABASE_URL": archive["DATABASE_URL"].replace("newsintel@", "nobody@")}
    done = newsintel("export", str(tmp_path / name), **away)
    assert (done.returncode, "PostgreSQL refuses this service" in done.stderr) == (1, True)
    assert [path.read_text() for path in tmp_path.glob("out*")] == ([existing] if existing else [])


def test_an_empty_archive_replaces_nothing(newsintel, archive, tmp_path):
    """A lost database must not delete the backup too.

    If no file exists yet, the export is an empty file.
    """
    for name in NAMES:
        out = tmp_path / name
        assert newsintel("export", str(out), **archive).returncode == 0
        assert content(out) == ""
        out.write_text("yesterday")
        done = newsintel("export", str(out), **archive)
        assert (done.returncode, done.stderr) == (
            1,
            f"newsintel: the archive is empty; {out} is left as it was\n",
        )
        assert out.read_text() == "yesterday"
    assert sorted(path.name for path in tmp_path.glob("out*")) == NAMES


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_after_adds_to_the_file_that_ends_with_the_article(
    newsintel, archive, file, tmp_path, name
):
    """The same file grows day by day; without new articles it stays as it is.

    Its permissions stay too.
    """
    out = tmp_path / name
    newsintel("import", file(*map(line, range(600))), **archive)
    assert newsintel("export", str(out), **archive).returncode == 0
    out.chmod(0o600)
    for day in (1, 2):
        before, last = out.read_bytes(), json.loads(content(out).splitlines()[-1])["id"]
        assert newsintel("export", str(out), "--after", last, **archive).returncode == 0
        assert out.read_bytes() == before
        newsintel("import", file(*map(line, range(day * 600, day * 600 + 600))), **archive)
        assert newsintel("export", str(out), "--after", last, **archive).returncode == 0
        assert out.read_bytes().startswith(before)
        assert content(out) == newsintel("export", **archive).stdout
    assert out.stat().st_mode & 0o777 == 0o600
    assert newsintel("export", str(out), **archive).returncode == 0
    assert out.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.glob("out*")) == [name]


def test_after_adds_to_nothing_else(newsintel, archive, file, tmp_path):
    """A file with another end, damage, a partial last line or foreign content is refused with 2.

    The file stays as it was.
    """
    newsintel("import", file(*map(line, range(3))), **archive)
    exported = newsintel("export", **archive).stdout
    first, *_, last = (json.loads(each)["id"] for each in exported.splitlines())
    for data, reason in (
        (exported.encode(), f"does not end with {first}"),
        (b"notes\n", f"does not end with {first}"),
        (exported.encode()[:-1], "its last line is cut short"),
        (gzip.compress(exported.encode())[:-1], "is damaged after line 3"),
        (exported.encode() + b"x" * 2**20 + b"\n", "its last line is cut short"),
    ):
        (tmp_path / "out").write_bytes(data)
        done = newsintel("export", str(tmp_path / "out"), "--after", first, **archive)
        assert (done.returncode, reason in done.stderr) == (2, True), done.stderr
        assert (tmp_path / "out").read_bytes() == data
    (tmp_path / "out").write_text(exported)
    done = newsintel("export", str(tmp_path / "out"), "--after", "a_none", **archive)
    assert (done.returncode, (tmp_path / "out").read_text()) == (2, exported)
    assert newsintel("export", str(tmp_path / "out"), "--after", last, **archive).returncode == 0
    assert (tmp_path / "out").read_text() == exported
    assert newsintel("export", str(tmp_path / "new"), "--after", first, **archive).returncode == 0
    assert (tmp_path / "new").read_text() == "".join(exported.splitlines(keepends=True)[1:])


def limit_files():
    """In a child process: no file may grow beyond a mebibyte, as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))


@pytest.mark.slow
@pytest.mark.parametrize("existing", ["whole", "part"])
def test_a_full_disk_leaves_whole_lines_to_continue_from(
    newsintel, archive, file, tmp_path, existing
):
    """The kernel refuses in the middle of a page: older content stays.

    The new content is whole lines, from which the export can continue.
    """
    newsintel(
        "import", file(*(line(number, content="x" * 900) for number in range(1500))), **archive
    )
    whole, out = (
        newsintel("export", **archive).stdout.splitlines(keepends=True),
        tmp_path / "out.jsonl",
    )
    begun = whole[:100] if existing == "part" else []
    out.write_text("".join(begun) or "yesterday")
    after = ("--after", json.loads(begun[-1])["id"]) if begun else ()
    command = [*COMMAND, "export", str(out), *after]
    limited = {"preexec_fn": limit_files, "capture_output": True, "text": True}
    done = subprocess.run(command, env=environ(tmp_path, **archive), check=False, **limited)
    wrote = out if begun else tmp_path / "out.jsonl.part"
    written = wrote.read_text()
    last = json.loads(written.splitlines()[-1])["id"]
    assert done.returncode == 1
    assert done.stderr.startswith(f"stopped; go on with --after {last}")
    assert done.stderr.endswith("newsintel export: File too large\n")
    assert written == "".join(whole[: len(written.splitlines())])
    assert len(begun) + 500 == len(written.splitlines())
    assert begun or out.read_text() == "yesterday"
    assert newsintel("export", str(out), "--after", last, **archive).returncode == 0
    assert out.read_text() == "".join(whole)


def test_two_exports_do_not_write_one_file(newsintel, archive, file, tmp_path):
    """The second is refused with exit code 2; the first continues."""
    newsintel("import", file(line(1)), **archive)
    with (tmp_path / "out.part").open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = newsintel("export", str(tmp_path / "out"), **archive)
        assert (done.returncode, done.stderr) == (
            2,
            f"newsintel: another export writes to {tmp_path / 'out.part'}\n",
        )
    assert newsintel("export", str(tmp_path / "out"), **archive).returncode == 0


def test_an_export_follows_a_link_and_refuses_a_folder(newsintel, archive, file, tmp_path):
    """The target of a link is replaced, not the link; a folder is refused before writing."""
    newsintel("import", file(line(1)), **archive)
    (tmp_path / "target").write_text("older")
    (tmp_path / "link").symlink_to("target")
    assert newsintel("export", str(tmp_path / "link"), **archive).returncode == 0
    assert (tmp_path / "link").is_symlink()
    assert numbers((tmp_path / "target").read_text()) == [1]
    (tmp_path / "folder").mkdir()
    done = newsintel("export", str(tmp_path / "folder"), **archive)
    assert (done.returncode, done.stderr) == (
        2,
        f"newsintel: {tmp_path / 'folder'}: Is a directory\n",
    )
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.slow
def test_an_export_ends_when_its_reader_does(newsintel, tmp_path, archive, file):
    """The command ends silently with 1. A full disk gives one line and the place to continue."""
    newsintel(
        "import", file(*(line(number, content="x" * 2000) for number in range(600))), **archive
    )
    command = [*COMMAND, "export"]
    with subprocess.Popen(
        command, env=environ(tmp_path, **archive), stdout=-1, stderr=-1
    ) as process:
        assert process.stdout.readline()
        process.stdout.close()
        assert process.wait(PATIENCE_S) == 1
        assert not re.sub(rb"[\d,]+ articles, [\d,]+/s\n", b"", process.stderr.read())
    for name in ("/dev/full", "/nowhere/out.jsonl"):
        done = newsintel("export", name, **archive)
        assert done.returncode == (1 if name == "/dev/full" else 2)
        assert (
            "No space left on device" if name == "/dev/full" else "No such file or directory"
        ) in done.stderr
    told = newsintel("export", "/dev/full", LOG_FORMAT="json", **archive).stderr.splitlines()
    assert json.loads(told[-1])["reason"] == "No space left on device"


@pytest.mark.parametrize("number", ["0", "-1", "x", "٣"])
def test_an_invalid_line_number_is_refused(newsintel, tmp_path, number):
    """Exit code 2, as argparse does, before anything starts."""
    done = newsintel("import", "-", "--from-line", number)
    assert done.returncode == 2
    assert "must be a whole number from 1" in done.stderr
    assert not (tmp_path / "newsintel").exists()


@pytest.mark.slow
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_lines_of_other_programs_are_accepted_or_refused_one_by_one(
    newsintel, archive, tmp_path, pack
):
    """Each refusal has the line number and a reason that names the field; the rest is archived."""
    (tmp_path / "in.jsonl").write_bytes(pack(malformed.FILE))
    done = newsintel("import", str(tmp_path / "in.jsonl"), **archive)
    refused, taken = malformed.refusals("imported"), malformed.taken("imported")
    *said, summary = done.stderr.splitlines()
    assert done.returncode == 1
    assert summary == f"67 lines: {len(taken)} new articles, {len(refused)} lines refused"
    found = dict(re.fullmatch(r"line (\d+): (.*)", one).groups() for one in said)
    assert {int(number) for number in found} == set(refused)
    assert {
        number: reason
        for number, reason in refused.items()
        if not found[str(number)].startswith(reason)
    } == {}
    exported = {
        int(one["url"].rpartition("/")[2]): one
        for one in map(json.loads, newsintel("export", **archive).stdout.splitlines())
    }
    assert sorted(exported) == taken
    assert [exported[number]["external_id"] for number in (36, 37)] == [
        "123456789012345678901234567890",
        "-9007199254740993",
    ]
    assert [(exported[number]["points"], exported[number]["comments"]) for number in (25, 26)] == [
        (12, 3),
        (12, 0),
    ]
    assert [exported[number]["published_at"] for number in (41, 43, 44, 45, 46, 47)] == [
        "2026-01-01T00:00:00Z",
        "1985-04-12T23:20:50.520000Z",
        "1996-12-20T00:39:57Z",
        "1990-12-31T23:59:59Z",
        "1990-12-31T23:59:59Z",
        "1937-01-01T11:40:27.870000Z",
    ]
    assert [exported[number]["title"] for number in (19, 20, 24)] == [
        "half of a pair",
        "Story 20",
        "Story 24 NUL",
    ]

"""`newsintel import` and `export` as people run them: what goes in comes out, and what stops halfway goes on from there."""

import asyncio
import gzip
import json
import logging
import os
import re
import signal
import subprocess
import sys
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import asyncpg
import pytest

from newsintel.archive_format import FIELDS
from newsintel.cli import main
from newsintel.errors import UnavailableError
from newsintel.storage.postgres.dump import PostgresDump
from tests.service import environ
from tests.storage.support import running_servers
from tests.waiting import PATIENCE_S, wait_for


def line(number, **changes):
    """A line whose article is told by its number."""
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
    """Servers that run for all of these tests, so that no command has to start them."""
    with running_servers(tmp_path_factory.mktemp("servers")) as urls:
        yield urls


_names = (f"archive_{number}" for number in count())


@pytest.fixture
def archives(servers, tmp_path):
    """Makes archives: each call gives the settings of a new, empty one."""

    async def create(name):
        connection = await asyncpg.connect(servers["postgres_url"])
        await connection.execute(f"CREATE DATABASE {name}")
        await connection.close()

    def make():
        name = next(_names)
        asyncio.run(create(name))
        return {"DATABASE_URL": servers["postgres_url"].replace("/postgres?", f"/{name}?"), "REDIS_URL": servers["redis_url"]}

    return make


@pytest.fixture
def archive(archives):
    """The settings of an empty archive."""
    return archives()


@pytest.fixture
def newsintel(tmp_path, capfd):
    """Runs a command as `newsintel` does, but in this process; gives its exit code and what it wrote."""

    def run(*args, **settings):
        root = logging.getLogger()
        handlers, level = root.handlers[:], root.level
        try:
            with patch.dict(os.environ, environ(tmp_path, **settings), clear=True):
                code = main(args)
        except SystemExit as refusal:
            code = refusal.code
        finally:
            root.handlers[:] = handlers
            root.setLevel(level)
        out, err = capfd.readouterr()
        return SimpleNamespace(returncode=code, stdout=out, stderr=err)

    return run


@pytest.fixture
def file(tmp_path):
    """Writes lines to a file; gives its name."""

    def write(*lines, name="in.jsonl"):
        data = "".join(lines).encode()
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return str(tmp_path / name)

    return write


def test_an_export_imported_elsewhere_exports_the_same_lines(newsintel, tmp_path, archives, file):
    """Compressed or not; times of first and last sight, cleaned texts and engagement included. Again, it adds nothing."""
    some = [line(number) for number in range(450)]
    some += [line(450, first_seen_at="2026-01-02T00:00:00.000001Z", points=3, comments=4, content="x" * 40_000, language="en")]
    some += [line(451, title="Story 451 <b>&amp;</b> so on", url="https://www.example.org/451?utm_source=x#top")]
    here, there = archives(), archives()
    done = newsintel("import", file(*some), **here)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "452 lines: 452 new articles, 0 lines refused\n")
    first = newsintel("export", **here).stdout
    assert numbers(first) == list(range(452))
    assert all(tuple(json.loads(each)) == FIELDS for each in first.splitlines())

    packed, again = tmp_path / "packed.jsonl.gz", tmp_path / "again.jsonl.gz"
    assert newsintel("export", str(packed), **here).returncode == 0
    assert gzip.decompress(packed.read_bytes()).decode() == first
    assert newsintel("import", str(packed), **there).returncode == 0
    assert newsintel("export", str(again), **there).returncode == 0
    assert sorted(gzip.decompress(again.read_bytes()).decode().splitlines()) == sorted(first.splitlines())
    assert newsintel("import", str(packed), **there).stderr == "452 lines: 0 new articles, 0 lines refused\n"


def test_bad_lines_are_named_and_cost_only_themselves(newsintel, archive, file):
    """Each with its number and the reason, exit 1; all others are archived. Blank lines are no lines, an endless one is read past."""
    endless = '{"title": "' + "x" * (3 * 2**20) + '"}\n'
    name = file(line(1), "{\n", "\n", line(2), line(3, title=None), endless, line(4), "null\n", line(5).rstrip("\n"))
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


def test_what_postgresql_alone_refuses_is_named_too(newsintel, archive, file, servers):
    """A rule that only the database has: its line is found by halving, and every other line of the batch is archived."""
    newsintel("migrate", **archive)

    async def forbid():
        connection = await asyncpg.connect(archive["DATABASE_URL"])
        await connection.execute("ALTER TABLE articles ADD CHECK (title NOT LIKE '%77')")
        await connection.close()

    asyncio.run(forbid())
    done = newsintel("import", file(*map(line, range(1, 401))), **archive)
    assert done.returncode == 1
    reported = [int(number) for number in re.findall(r"line (\d+): PostgreSQL refused the content", done.stderr)]
    assert reported == [77, 177, 277, 377]
    assert done.stderr.endswith("400 lines: 396 new articles, 4 lines refused\n")


def test_lines_may_come_through_a_pipe_and_begin_anywhere(newsintel, tmp_path, archive):
    """`-` is standard input; the lines before --from-line are passed over, whatever they are."""
    command = [sys.executable, "-m", "newsintel", "import", "-", "--from-line", "3"]
    text = "{\n" + "".join(map(line, range(2, 6)))
    done = subprocess.run(
        command, env=environ(tmp_path, **archive), input=text, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert (done.returncode, done.stderr) == (0, "3 lines: 3 new articles, 0 lines refused\n")


def test_an_interrupted_import_says_where_to_go_on(newsintel, tmp_path, archive, file):
    """Ctrl-C, or a database that goes away: nothing archived is lost, and from the line it names the rest follows."""
    command = [sys.executable, "-m", "newsintel", "import", "-"]
    with subprocess.Popen(command, env=environ(tmp_path, **archive), stdin=-1, stderr=-1, text=True) as process:
        process.stdin.write("".join(map(line, range(1, 451))))
        process.stdin.flush()
        wait_for(lambda: len(newsintel("export", **archive).stdout.splitlines()) >= 400, "all that was committed")
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 130
        assert process.stderr.read() == "stopped; go on with --from-line 401\n"
    name = file(*map(line, range(1, 451)))
    done = newsintel("import", name, "--from-line", "401", **archive)
    assert done.stderr == "50 lines: 50 new articles, 0 lines refused\n"


def test_a_database_that_cannot_be_reached_is_one_line(newsintel, archive, file):
    """And where to go on, which here is the beginning."""
    away = archive | {"DATABASE_URL": archive["DATABASE_URL"].replace("newsintel@", "nobody@")}
    done = newsintel("import", file(line(1)), **away)
    assert done.returncode == 1
    assert re.fullmatch(r"stopped; go on with --from-line 1\nnewsintel: PostgreSQL refuses this service [^\n]*\n", done.stderr)


def test_a_damaged_archive_file_gives_what_can_be_read(newsintel, tmp_path, archive, file):
    """What came before the damage is archived; then one line with the place, exit 2, as for a file that is not there."""
    whole = Path(file(*(line(number, content=str(number) * 500) for number in range(1, 2001)), name="whole.jsonl.gz")).read_bytes()
    cut = tmp_path / "cut.jsonl.gz"
    cut.write_bytes(whole[: len(whole) // 2])
    done = newsintel("import", str(cut), **archive)
    assert done.returncode == 2
    said = re.fullmatch(r"stopped; go on with --from-line (\d+)\nnewsintel: \S+cut.jsonl.gz is damaged after line (\d+): .*\n", done.stderr)
    assert 500 < int(said[1]) <= int(said[2]) + 1
    assert len(numbers(newsintel("export", **archive).stdout)) == int(said[1]) - 1
    (tmp_path / "text.gz").write_text("no gzip")
    for name, reason in (("text.gz", "is damaged after line 0"), ("none", "No such file or directory")):
        done = newsintel("import", str(tmp_path / name), **archive)
        assert done.returncode == 2
        assert reason in done.stderr


def test_an_export_goes_on_after_an_article(newsintel, archive, file):
    """The two parts are the whole; an article that is not archived is refused with 2."""
    newsintel("import", file(*map(line, range(1200))), **archive)
    whole = newsintel("export", **archive).stdout.splitlines()
    last = json.loads(whole[700])["id"]
    assert newsintel("export", "--after", last, **archive).stdout.splitlines() == whole[701:]
    assert newsintel("export", "--after", json.loads(whole[-1])["id"], **archive).stdout == ""
    done = newsintel("export", "--after", "a_none", **archive)
    assert (done.returncode, done.stderr) == (2, "newsintel: --after a_none: no such article is archived\n")


def test_an_export_cut_short_says_where_to_go_on(newsintel, archive, file, tmp_path, monkeypatch):
    """What it had written stays, the article after which to go on is its last, and both parts are the whole."""
    newsintel("import", file(*map(line, range(700))), **archive)
    page = PostgresDump.page

    async def first_page_only(self, after, limit):
        if after:
            raise UnavailableError("PostgreSQL is unavailable")
        return await page(self, after, limit)

    monkeypatch.setattr(PostgresDump, "page", first_page_only)
    done = newsintel("export", str(tmp_path / "part.jsonl"), **archive)
    monkeypatch.undo()
    part = (tmp_path / "part.jsonl").read_text()
    last = json.loads(part.splitlines()[-1])["id"]
    assert done.returncode == 1
    assert done.stderr == f"stopped; go on with --after {last}\nnewsintel: PostgreSQL is unavailable\n"
    assert numbers(part + newsintel("export", "--after", last, **archive).stdout) == list(range(700))


def test_an_export_ends_when_its_reader_does(newsintel, tmp_path, archive, file):
    """Quietly, with 1; a full disk is one line and the place to go on from."""
    newsintel("import", file(*(line(number, content="x" * 2000) for number in range(600))), **archive)
    command = [sys.executable, "-m", "newsintel", "export"]
    with subprocess.Popen(command, env=environ(tmp_path, **archive), stdout=-1, stderr=-1) as process:
        assert process.stdout.readline()
        process.stdout.close()
        assert process.wait(PATIENCE_S) == 1
        assert process.stderr.read() == b""
    for name in ("/dev/full", "/nowhere/out.jsonl"):
        done = newsintel("export", name, **archive)
        assert done.returncode == (1 if name == "/dev/full" else 2)
        assert ("No space left on device" if name == "/dev/full" else "No such file or directory") in done.stderr


@pytest.mark.parametrize("number", ["0", "-1", "x", "٣"])
def test_a_line_number_that_is_none_is_refused(newsintel, tmp_path, number):
    """2, as argparse does, before anything is started."""
    done = newsintel("import", "-", "--from-line", number)
    assert done.returncode == 2
    assert "must be a whole number from 1" in done.stderr
    assert not (tmp_path / "newsintel").exists()

"""`newsintel dedupe` writes every line back with its cluster, or says in one line what is wrong with which."""

import argparse
import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from newsintel.commands import dedupe
from newsintel.dedup import group
from newsintel.model import Dedupe
from tests.shared import SHARED, needs_shared
from tests.values import article

LINES = [
    {"title": "Fed holds rates for the time being", "url": "https://example.org/1", "source": "a"},
    {"title": "Something else", "published_at": "2026-01-01T00:00:00Z"},
    {"title": "Fed holds rates for the time being!"},
    {"title": "Not alike at all", "url": "https://example.org/1#top", "extra": {"kept": [1, None]}},
    {"title": "Watch: Something else", "url": None},
]
EXPECTED = [(1, None), (2, None), (1, "near_title"), (1, "url"), (2, "title")]


def command(*arguments: str) -> int:
    """Parse and run, as the command line does."""
    parser = argparse.ArgumentParser()
    dedupe.add_parser(parser.add_subparsers(required=True))
    args = parser.parse_args(["dedupe", *arguments])
    return args.run(args)


@pytest.fixture
def file(tmp_path) -> Path:
    """LINES as a file."""
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in LINES))
    return path


def found(text: str) -> list[tuple[int, str | None]]:
    """Cluster and rule of each line."""
    return [(line["cluster"], line["rule"]) for line in map(json.loads, text.splitlines())]


def test_each_line_comes_back_with_its_cluster(file, capfdbinary):
    """On standard output, in order, with all it had; the founder's rule and similarity are null. Nothing else is said."""
    assert command(str(file)) == 0
    out, err = capfdbinary.readouterr()
    assert found(out.decode()) == EXPECTED
    records = [json.loads(line) for line in out.splitlines()]
    assert [{key: it[key] for key in line} for it, line in zip(records, LINES, strict=True)] == LINES
    assert (records[0]["similarity"], records[2]["similarity"]) == (None, pytest.approx(34 / 35))
    assert err == b""


def test_strict_sees_no_decorations(file, capfdbinary):
    """`--mode strict` is the contract's plain rule."""
    assert command(str(file), "--mode", "strict") == 0
    assert found(capfdbinary.readouterr().out.decode()) == [*EXPECTED[:4], (5, None)]


def test_standard_input(file, capfdbinary, monkeypatch):
    """`-` reads it."""
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(file.read_bytes())))
    assert command("-") == 0
    assert found(capfdbinary.readouterr().out.decode()) == EXPECTED


def test_output_file_appears_whole(file, tmp_path, capfdbinary):
    """Also where it is the input itself; nothing else is left beside it."""
    assert command(str(file), "-o", str(tmp_path / "out.jsonl")) == 0
    assert command(str(file), "-o", str(file)) == 0
    assert file.read_bytes() == (tmp_path / "out.jsonl").read_bytes()
    assert found(file.read_text()) == EXPECTED
    assert sorted(it.name for it in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]
    assert capfdbinary.readouterr() == (b"", b"")


def test_output_may_be_a_device(file):
    """It is written to, not replaced."""
    assert command(str(file), "-o", "/dev/null") == 0
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "is not JSON: "),
        ("", "is not JSON: "),
        ('{"title": "\\ud800"}', "is not JSON: "),
        ("[]", "is not a JSON object"),
        ('{"url": "https://example.org"}', "has no title, or one that is not text"),
        ('{"title": 5}', "has no title, or one that is not text"),
        ('{"title": "a", "url": 5}', "has a url that is not text"),
    ],
)
def test_a_bad_line_is_named(line, reason, file, tmp_path, capfdbinary):
    """One message with its number and the reason, exit 2; lines before it are out, and an older output file is as it was."""
    with file.open("a") as out:
        out.write(line + "\n")
    assert command(str(file)) == 2
    out, err = capfdbinary.readouterr()
    assert found(out.decode()) == EXPECTED
    assert err.decode().startswith(f"newsintel dedupe: {file}, line 6 {reason}")
    assert err.count(b"\n") == 1
    older = tmp_path / "older"
    older.write_text("older")
    assert command(str(file), "-o", str(older)) == 2
    assert older.read_text() == "older"
    assert sorted(it.name for it in tmp_path.iterdir()) == ["in.jsonl", "older"]


def test_a_file_that_cannot_be_read_is_named(tmp_path, capfdbinary):
    """One line, exit 2."""
    assert command(str(tmp_path / "none")) == 2
    assert capfdbinary.readouterr().err.decode() == f"newsintel dedupe: {tmp_path / 'none'}: No such file or directory\n"


def test_a_full_disk_is_one_line(file, capfdbinary):
    """What could not be written is said, exit 2."""
    assert command(str(file), "-o", "/dev/full") == 2
    assert capfdbinary.readouterr().err == b"newsintel dedupe: No space left on device\n"


SCRIPT = "import sys; from tests.commands.test_dedupe import command; sys.exit(command('-'))"


def test_lines_stream_and_a_closed_pipe_is_no_traceback():
    """The first line is out before the second is in; when the reader leaves, the command ends quietly."""
    with subprocess.Popen([sys.executable, "-c", SCRIPT], stdin=-1, stdout=-1, stderr=-1, cwd=Path(__file__).parents[2]) as process:
        process.stdin.write(b'{"title": "first"}\n')
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["cluster"] == 1
        process.stdout.close()
        process.stdin.write(b'{"title": "second"}\n')
        process.stdin.close()
        assert process.stderr.read() == b""
        assert process.wait() == 1


def test_progress_is_for_terminals(file, monkeypatch, capfd):
    """On a terminal it counts lines on standard error, unless the lines themselves are seen there."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    with dedupe._progress(hidden=False) as progress:
        assert list(progress.track(range(3))) == [0, 1, 2]
    assert "3 lines" in capfd.readouterr().err
    with dedupe._progress(hidden=True) as progress:
        assert list(progress.track(range(3))) == [0, 1, 2]
    assert capfd.readouterr().err == ""


@needs_shared
def test_a_file_of_headlines_is_grouped_as_a_search_would(tmp_path, capfdbinary):
    """The command and searches share one rule."""
    with (SHARED / "headlines/abc_headlines_first21294.csv").open(encoding="utf-8", newline="") as rows:
        headlines = [row["headline_text"] for row in csv.DictReader(rows)][:3000]
    file = tmp_path / "in.jsonl"
    file.write_text("".join(json.dumps({"title": it}) + "\n" for it in headlines))
    assert command(str(file)) == 0
    clusters: dict[int, list[str]] = {}
    for line in map(json.loads, capfdbinary.readouterr().out.splitlines()):
        clusters.setdefault(line["cluster"], []).append(line["title"])
    groups = group([article(str(number), title=it) for number, it in enumerate(headlines)], Dedupe.NORMAL)
    assert list(clusters.values()) == [[member.article.title for member in it.members] for it in groups]

"""`newsintel dedupe` writes every line back with its cluster, or says why not."""

import argparse
import csv
import gzip
import io
import json
import os
import re
import resource
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.commands import dedupe
from newsintel.domain.search.dedup import group_articles
from newsintel.domain.search.query_model import Dedupe
from newsintel.domain.text.json_line import read_object
from tests.commands import malformed
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
    """Parse and run a command line."""
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
    """On standard output, in order, with all its members; nothing goes to standard error.

    The first line of a cluster has no rule and no similarity.
    """
    assert command(str(file)) == 0
    out, err = capfdbinary.readouterr()
    assert found(out.decode()) == EXPECTED
    records = [json.loads(line) for line in out.splitlines()]
    assert [
        {key: it[key] for key in line} for it, line in zip(records, LINES, strict=True)
    ] == LINES
    assert (records[0]["similarity"], records[2]["similarity"]) == (None, 0.9999)
    assert err == b""


def test_strict_mode_keeps_decorated_titles_apart(file, capfdbinary):
    """`--mode strict` is the plain rule of the contract."""
    assert command(str(file), "--mode", "strict") == 0
    assert found(capfdbinary.readouterr().out.decode()) == [*EXPECTED[:4], (5, None)]


def test_dash_reads_standard_input(file, capfdbinary, monkeypatch):
    """`-` reads it."""
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(file.read_bytes())))
    assert command("-") == 0
    assert found(capfdbinary.readouterr().out.decode()) == EXPECTED


def test_output_file_appears_whole(file, tmp_path, capfdbinary):
    """Also if it is the input file; no other file is left."""
    assert command(str(file), "-o", str(tmp_path / "out.jsonl")) == 0
    assert command(str(file), "-o", str(file)) == 0
    assert file.read_bytes() == (tmp_path / "out.jsonl").read_bytes()
    assert found(file.read_text()) == EXPECTED
    assert sorted(it.name for it in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]
    assert capfdbinary.readouterr() == (b"", b"")


def test_output_may_be_a_device(file):
    """The command writes to it and does not replace it."""
    assert command(str(file), "-o", "/dev/null") == 0
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "is not JSON: "),
        ("[]", "is not a JSON object"),
        ('{"url": "https://example.org"}', "has no title, or one that is not text"),
        ('{"title": 5}', "has no title, or one that is not text"),
        ('{"title": "a", "url": 5}', "has a url that is not text"),
        ('{"title": "a", "cluster": ' + "[" * 1015 + "]" * 1015 + "}", "is nested too deeply"),
    ],
)
def test_a_bad_line_is_named_and_the_others_are_written(line, reason, file, tmp_path, capfdbinary):
    """One message with line number and reason, exit code 2.

    All other lines are written, and clusters count the bad line.
    """
    file.write_text(f"{line}\n{file.read_text()}")
    later = [(cluster + 1, rule) for cluster, rule in EXPECTED]
    assert command(str(file)) == 2
    out, err = capfdbinary.readouterr()
    assert found(out.decode()) == later
    assert err.decode().startswith(f"newsintel dedupe: {file}, line 1 {reason}")
    assert err.count(b"\n") == 1
    assert command(str(file), "-o", str(tmp_path / "out")) == 2
    assert found((tmp_path / "out").read_text()) == later


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_lines_of_other_programs_are_accepted_or_refused_one_by_one(tmp_path, capfdbinary, pack):
    """A refusal names the line number.

    Accepted lines keep their exact bytes, numbers above all.
    """
    (tmp_path / "in").write_bytes(pack(malformed.FILE))
    assert command(str(tmp_path / "in"), "--mode", "strict") == 2
    out, err = capfdbinary.readouterr()
    refused, taken = malformed.refusals("deduped"), malformed.taken("deduped")
    said = dict(
        re.fullmatch(r"newsintel dedupe: \S+, line (\d+) (.*)", one).groups()
        for one in err.decode().splitlines()
    )
    assert {int(number) for number in said} == set(refused)
    assert {
        number: reason
        for number, reason in refused.items()
        if not said[str(number)].startswith(reason)
    } == {}
    lines = out.splitlines(keepends=True)
    for number, line in zip(taken, lines, strict=True):
        before, _, ours = line.partition(b',"cluster":')
        assert (
            before + b"}" == malformed.CASES[number - 1].line.removeprefix(b"\xef\xbb\xbf").strip()
        )
        assert set(json.loads(b'{"cluster":' + ours)) == {"cluster", "rule", "similarity"}
        assert json.loads(b'{"cluster":' + ours)["cluster"] in taken


NUMBERS = st.one_of(
    st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.integers(10**29, 10**30)
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text() | st.just("cluster"), inner, max_size=3)
    ),
    max_leaves=8,
)
NAMES = st.text() | st.sampled_from(["cluster", "rule", "similarity"])
SPACES = st.text(" \t\r", max_size=2)


@given(members=st.lists(st.tuples(NAMES, VALUES, SPACES), max_size=6), ascii_only=st.booleans())
def test_members_keep_their_bytes_and_order(members, ascii_only):
    """Members keep their bytes and order; those that an earlier run added are removed.

    Python's json checks it, with numbers as text.
    """
    written = [
        (name, json.dumps(value, ensure_ascii=ascii_only), space)
        for name, value, space in [("title", "a", ""), *members]
    ]
    pairs = [
        f"{space}{json.dumps(name, ensure_ascii=ascii_only)}{space}:{space}{value}{space}"
        for name, value, space in written
    ]
    line = ("{" + ",".join(pairs) + "}\n").encode("utf-8", "surrogatepass")
    result = dedupe._strip_closing_brace(line, read_object(line)) + b"}"
    exact = {"parse_int": str, "parse_float": str, "object_pairs_hook": list}
    before, after = (json.loads(text, **exact) for text in (line, result))
    assert after == [
        (name, value) for name, value in before if name not in {"cluster", "rule", "similarity"}
    ]
    for name, value, _ in written:
        if name not in {"cluster", "rule", "similarity"}:
            assert value.encode("utf-8", "surrogatepass") in result


def test_its_own_output_gives_the_same_result(file, tmp_path, capfdbinary):
    """The members that an earlier run added are replaced, not repeated."""
    assert command(str(file), "-o", str(tmp_path / "once")) == 0
    assert command(str(tmp_path / "once"), "-o", str(tmp_path / "twice")) == 0
    once, twice = ((tmp_path / name).read_text() for name in ("once", "twice"))
    assert [json.loads(line, object_pairs_hook=list) for line in once.splitlines()] == [
        json.loads(line, object_pairs_hook=list) for line in twice.splitlines()
    ]


def test_a_damaged_file_gives_its_whole_lines_and_is_named(file, tmp_path, capfdbinary):
    """As for an import: the message names the place of the damage, exit code 2."""
    packed = gzip.compress(file.read_bytes())
    (tmp_path / "cut").write_bytes(packed[:-4])
    assert command(str(tmp_path / "cut")) == 2
    out, err = capfdbinary.readouterr()
    assert found(out.decode()) == EXPECTED
    assert (
        err.decode()
        == f"newsintel dedupe: {tmp_path / 'cut'} is damaged after line 5: it is cut short\n"
    )


@pytest.mark.parametrize("content", ["", "\n\n", "{\n[]\n"])
def test_no_empty_file_is_left(content, tmp_path, capfdbinary):
    """With nothing to write, an older file stays, no new one is made, and the exit code is 2."""
    source, older = tmp_path / "in", tmp_path / "older"
    source.write_text(content)
    older.write_text("older")
    for out in (older, tmp_path / "none"):
        assert command(str(source), "-o", str(out)) == 2
        last = capfdbinary.readouterr().err.decode().splitlines()[-1]
        assert (
            last == f"newsintel dedupe: {source} has no line that can be used; {out} is not written"
        )
    assert older.read_text() == "older"
    assert sorted(it.name for it in tmp_path.iterdir()) == ["in", "older"]
    assert command(str(source)) == (2 if "{" in content else 0)


def limit_files():
    """In a child process: no file may grow beyond 2,000 bytes, as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))


def test_a_full_disk_leaves_an_older_file(tmp_path):
    """The kernel refuses in the middle of writing: one line, exit code 2, nothing left over."""
    source, older = tmp_path / "in", tmp_path / "older"
    source.write_text(
        "".join(json.dumps({"title": f"Story {number}"}) + "\n" for number in range(100))
    )
    older.write_text("older")
    script = (
        "import sys; from tests.commands.test_dedupe import command;"
        f" sys.exit(command({str(source)!r}, '-o', {str(older)!r}))"
    )
    root = Path(__file__).parents[2]
    # The limit would truncate bytecode, and every later process would read it
    known = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    limited = {"preexec_fn": limit_files, "env": known, "capture_output": True, "text": True}
    done = subprocess.run([sys.executable, "-c", script], cwd=root, check=False, **limited)
    assert (done.returncode, done.stderr) == (2, "newsintel dedupe: File too large\n")
    assert older.read_text() == "older"
    assert sorted(it.name for it in tmp_path.iterdir()) == ["in", "older"]


def test_the_new_file_has_the_permissions_of_the_old_one_and_links_stay(file, tmp_path):
    """A private file stays private, and a link still points to the output."""
    (tmp_path / "target").write_text("older")
    (tmp_path / "target").chmod(0o600)
    (tmp_path / "link").symlink_to("target")
    assert command(str(file), "-o", str(tmp_path / "link")) == 0
    assert (tmp_path / "link").is_symlink()
    assert found((tmp_path / "target").read_text()) == EXPECTED
    assert (tmp_path / "target").stat().st_mode & 0o777 == 0o600


def test_a_file_that_cannot_be_read_is_named(tmp_path, capfdbinary):
    """One line, exit code 2."""
    assert command(str(tmp_path / "none")) == 2
    assert (
        capfdbinary.readouterr().err.decode()
        == f"newsintel dedupe: {tmp_path / 'none'}: No such file or directory\n"
    )


def test_a_full_disk_is_one_line(file, capfdbinary):
    """It says what failed, exit code 2."""
    assert command(str(file), "-o", "/dev/full") == 2
    assert capfdbinary.readouterr().err == b"newsintel dedupe: No space left on device\n"


SCRIPT = "import sys; from tests.commands.test_dedupe import command; sys.exit(command('-'))"


def test_lines_stream_and_a_closed_pipe_is_no_traceback():
    """The first line is out before the second is in.

    If the reader leaves, the command ends silently.
    """
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        stdin=-1,
        stdout=-1,
        stderr=-1,
        cwd=Path(__file__).parents[2],
    ) as process:
        process.stdin.write(b'{"title": "first"}\n')
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["cluster"] == 1
        process.stdout.close()
        process.stdin.write(b'{"title": "second"}\n')
        process.stdin.close()
        assert process.stderr.read() == b""
        assert process.wait() == 1


def test_progress_is_shown_only_if_lines_are_not(file, monkeypatch, capfd):
    """A terminal shows a count on standard error, unless it shows the lines themselves."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    with dedupe._create_progress(hidden=False) as progress:
        assert list(progress.track(range(3))) == [0, 1, 2]
    assert "3 lines" in capfd.readouterr().err
    with dedupe._create_progress(hidden=True) as progress:
        assert list(progress.track(range(3))) == [0, 1, 2]
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("name", ["publisher", "source"])
@pytest.mark.parametrize("second", [("b", 1, 1), ("a", 1, 2), ("b", 99, 2)])
def test_the_outlet_and_the_time_count(name, second, tmp_path, capfdbinary):
    """Versions of one outlet and titles far apart in time are no near duplicates."""
    other, hours, cluster = second
    at = datetime(2026, 3, 13, 12, tzinfo=UTC)
    lines = [
        {"title": "Strong quake hits central Italy", name: "a", "published_at": at.isoformat()},
        {
            "title": "Central Italy hit by strong quake",
            name: other,
            "published_at": (at + timedelta(hours=hours)).isoformat(),
        },
    ]
    file = tmp_path / "in.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert command(str(file)) == 0
    found = list(map(json.loads, capfdbinary.readouterr().out.splitlines()))
    assert [line["cluster"] for line in found] == [1, cluster]


@pytest.mark.parametrize(
    "written", ["2026-03-20t12:00:00z", "2026-03-20T12:00:60Z", "2026-03-20T12:00:00Z"]
)
def test_a_time_is_read_as_an_import_reads_it(written, tmp_path, capfdbinary):
    """Small letters and a leap second (RFC 3339) do not make it unknown."""
    lines = [
        {"title": "Strong quake hits central Italy", "published_at": "2026-03-13T12:00:00Z"},
        {"title": "Central Italy hit by strong quake", "published_at": written},
    ]
    file = tmp_path / "in.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert command(str(file)) == 0
    found = list(map(json.loads, capfdbinary.readouterr().out.splitlines()))
    assert [line["cluster"] for line in found] == [1, 2]


@needs_shared
def test_a_file_of_headlines_is_grouped_as_a_search_would(tmp_path, capfdbinary):
    """The command and searches share one rule."""
    with (SHARED / "headlines/abc_headlines_first21294.csv").open(
        encoding="utf-8", newline=""
    ) as rows:
        headlines = [row["headline_text"] for row in csv.DictReader(rows)][:3000]
    file = tmp_path / "in.jsonl"
    file.write_text("".join(json.dumps({"title": it}) + "\n" for it in headlines))
    assert command(str(file)) == 0
    clusters: dict[int, list[str]] = {}
    for line in map(json.loads, capfdbinary.readouterr().out.splitlines()):
        clusters.setdefault(line["cluster"], []).append(line["title"])
    groups = group_articles(
        [
            article(str(number), title=it, publisher=str(number))
            for number, it in enumerate(headlines)
        ],
        Dedupe.NORMAL,
    )
    assert list(clusters.values()) == [
        [member.article.title for member in it.members] for it in groups
    ]

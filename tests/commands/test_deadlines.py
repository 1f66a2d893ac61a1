"""`newsintel deadlines` on files; the demo's tests run it on a service."""

import gzip
import json
import re

import pytest

from tests import service

LINES = [
    {"source": "guardian", "status": "ok", "ms": 300, "count": 600},
    {"source": "guardian", "status": "ok", "ms": 441.5, "count": 395},
    {"source": "guardian", "status": "timeout", "ms": 1000.3, "count": 5},
    {"source": "newsapi", "status": "empty", "ms": 200, "count": 1000},
    {"source": "newsapi", "status": "unreachable", "ms": 20},
]


@pytest.fixture
def asked(tmp_path, newsintel):
    """Runs the command on a file of lines."""

    def run(*args, lines=LINES, **settings):
        path = tmp_path / "latencies.jsonl"
        path.write_text(
            "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
        )
        return newsintel("deadlines", "--file", str(path), *args, **settings)

    return run


def test_report_has_a_table_and_settings_to_copy(tmp_path, asked):
    """Each deadline has its cost and gain; the current one is marked.

    Settings to copy and warnings follow.
    """
    done = asked()
    assert done.returncode == 0, done.stderr
    program = service.newsintel(tmp_path, "deadlines", "--file", str(tmp_path / "latencies.jsonl"))
    assert (program.returncode, program.stdout) == (0, done.stdout)
    rows = [line.split() for line in done.stdout.splitlines()]
    assert "guardian: 995 answered, 5 cut short, 0 failed otherwise" in done.stdout
    assert "newsapi: 1,000 answered, 0 cut short, 1 failed otherwise" in done.stdout
    assert ["0.45", "s", "0.5", "%", "0.3", "s", "0.45", "s"] in rows
    assert ["1", "s", "0.5", "%", "0.3", "s", "0.45", "s", "today"] in rows
    assert "\nNEWSINTEL_NEWSAPI_DEADLINE_S=0.2\nNEWSINTEL_GUARDIAN_DEADLINE_S=0.45\n" in done.stdout
    assert "SEARCH_DEADLINE_S" not in done.stdout
    for note in ("cut short", "independent", "No suggested deadline is longer"):
        assert note in done.stdout
    # The settings to copy come last, next to the prompt
    assert done.stdout.splitlines()[-1] == "NEWSINTEL_GUARDIAN_DEADLINE_S=0.45"
    assert max(map(len, done.stdout.splitlines())) <= 110


def test_json_has_the_same_report(asked):
    """As numbers, in seconds and percent."""
    report = json.loads(asked("--json").stdout)
    assert report["environment"] == {
        "NEWSINTEL_NEWSAPI_DEADLINE_S": "0.2",
        "NEWSINTEL_GUARDIAN_DEADLINE_S": "0.45",
    }
    assert report["independent"]
    assert report["complete_percent"] == {
        "wanted": 99,
        "today": pytest.approx(99.5),
        "suggested": pytest.approx(99.5),
    }
    guardian = report["sources"]["guardian"]
    assert (
        guardian["answered"],
        guardian["cut"],
        guardian["today_s"],
        guardian["suggested_s"],
    ) == (995, 5, 1.0, 0.45)
    assert guardian["enough"]
    assert {
        "deadline_s": 0.45,
        "lost_percent": 0.5,
        "overstated": False,
        "miss_p50_s": 0.3,
        "miss_p99_s": 0.45,
    } in guardian["options"]
    assert report["misses"]["today"]["longest_s"] == 1.0
    assert report["misses"]["suggested"] == {"p50_s": 0.3, "p99_s": 0.45, "longest_s": 0.45}


def test_target_out_of_reach_suggests_nothing(asked):
    """More calls were cut than the target allows: the command names the source and what to do.

    It invents no value.
    """
    done = asked("--complete", "99.9")
    assert done.returncode == 0
    assert "too many calls were cut short: guardian (5). Set a longer deadline there" in done.stdout
    assert "NEWSINTEL_GUARDIAN_DEADLINE_S=" not in done.stdout


def test_too_few_calls_suggest_nothing(asked):
    """A percentile of twenty calls is no measurement, so the command suggests no setting."""
    done = asked(lines=[{"source": "reddit", "status": "ok", "ms": 300, "count": 20}])
    assert "# reddit: 20 calls measured, 100 needed" in done.stdout
    assert "NEWSINTEL_" not in done.stdout


def test_deadline_of_the_search_moves_only_if_it_must(asked):
    """Measured elsewhere with longer deadlines: the whole search then needs as long."""
    lines = [{"source": "guardian", "status": "ok", "ms": 2000, "count": 500}]
    done = asked(lines=lines)
    assert "NEWSINTEL_GUARDIAN_DEADLINE_S=2\nNEWSINTEL_SEARCH_DEADLINE_S=2\n" in done.stdout
    assert "NEWSINTEL_SEARCH_DEADLINE_S" not in asked(lines=lines, SEARCH_DEADLINE_S="3").stdout


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "line 2 is not JSON"),
        ("[]", "line 2: source must be one of newsapi, guardian, reddit"),
        ('{"source": "bbc", "status": "ok", "ms": 1}', "line 2: source must be one of"),
        (
            '{"source": "reddit", "status": "late", "ms": 1}',
            "line 2: status must be one of ok, empty",
        ),
        (
            '{"source": "reddit", "status": "ok", "ms": -1}',
            "line 2: ms must be a number from 0 to 3,600,000",
        ),
        ('{"source": "reddit", "status": "ok", "ms": true}', "line 2: ms must be a number"),
        ('{"source": "reddit", "status": "ok"}', "line 2: ms must be a number"),
        (
            '{"source": "reddit", "status": "ok", "ms": 1, "count": 0}',
            "line 2: count must be a whole number above 0",
        ),
        ('{"source": ["reddit"], "status": {}, "ms": 1}', "line 2: source must be one of"),
    ],
)
def test_bad_line_is_named(asked, line, complaint):
    """One line on standard error, exit code 2."""
    done = asked(lines=[LINES[0], line])
    assert (done.returncode, done.stdout) == (2, "")
    assert complaint in done.stderr
    assert done.stderr.count("\n") == 1


def test_nothing_recorded_is_an_error(tmp_path, asked, newsintel):
    """An empty file, or servers without measurements: one line and exit code 1."""
    (tmp_path / "newsintel" / "demo").mkdir(parents=True)
    hint = (
        f"{tmp_path}/newsintel: run this beside a running service .*;"
        f" for the demo's, set NEWSINTEL_DATA_DIR={tmp_path}/newsintel/demo"
    )
    away = {"REDIS_URL": "redis://127.0.0.1:9"}
    for done, where in (
        (asked(lines=[]), f"{tmp_path}/latencies.jsonl"),
        (asked(lines=[], **away), f"{tmp_path}/latencies.jsonl"),
        (newsintel("deadlines"), hint),
    ):
        assert (done.returncode, done.stdout) == (1, "")
        assert re.fullmatch(f"newsintel: no latency is recorded in {where}\n", done.stderr)
    assert not list(tmp_path.rglob("postgres*"))  # only Redis is queried


@pytest.mark.parametrize("percent", ["0", "100", "x", "nan"])
def test_target_must_be_a_percentage(asked, percent):
    """Exit code 2 with the rule."""
    done = asked("--complete", percent)
    assert done.returncode == 2
    assert "must be a number between 0 and 100" in done.stderr


def test_config_lists_every_metric_that_emf_writes(newsintel):
    """One name per line, sorted, for every source that exists."""
    names = newsintel("config", "--metrics").stdout.splitlines()
    assert names == sorted(names)
    assert {
        "searches",
        "hit_ratio",
        "http_5xx",
        "fetch_p99_ms_reddit",
        "queue_depth_persister",
        "cpu_s",
    } <= set(names)


def test_other_programs_line_formats_are_accepted(tmp_path, asked, newsintel):
    """Compressed, with byte order mark, CRLF and a blank last line, as for an import."""
    lines = "\ufeff" + "".join(f"{json.dumps(line)}\r\n" for line in LINES) + "\r\n"
    (tmp_path / "packed").write_bytes(gzip.compress(lines.encode()))
    done = newsintel("deadlines", "--file", str(tmp_path / "packed"), "--json")
    assert json.loads(done.stdout) == json.loads(asked("--json").stdout)

"""The command line itself: help, version, mistakes; and that these import few modules."""

import json
import shlex
import subprocess
import sys

import pytest

from newsintel import __version__
from newsintel.commands.main import COMMANDS, EXIT_USAGE, build_parser, get_module_name, main
from tests.service import environ, newsintel

HEAVY = (
    "trio",
    "structlog",
    "rich",
    "attrs",
    "asyncio",
    "httpx",
    "hypercorn",
    "asyncpg",
    "redis",
    "sqlalchemy",
    "newsintel.commands",
)
"""Slow imports: with all of these a command takes a second or more to start."""
OWN = {
    "newsintel.commands",
    "newsintel.commands.main",
    "newsintel.commands.standard_descriptors",
}
"""The command line itself."""


def modules(*args):
    """The modules that a command line imports, and what it prints."""
    code = (
        "import sys\nfrom newsintel.__main__ import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "print(*sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *args], capture_output=True, text=True, check=True
    )
    return done.stderr.split(), done.stdout


@pytest.mark.parametrize("args", [["--version"], ["--help"], ["-h"], []])
def test_version_and_help_import_next_to_nothing(args):
    """They answer at once on any machine: no heavy module, only what argparse needs."""
    bare = set(
        subprocess.run(
            [sys.executable, "-c", "import sys; print(*sys.modules)"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
    )
    imported, out = modules(*args)
    assert not [name for name in imported if name.startswith(HEAVY) and name not in OWN]
    assert len(set(imported) - bare) < 60
    assert "commands:" in out or out == f"newsintel {__version__}\n"


def test_help_of_a_command_imports_that_command_alone():
    """`serve --help` does not import what `dedupe` needs."""
    imported, out = modules("new-key", "--help")
    assert [name for name in imported if name.startswith("newsintel.commands.")] == [
        "newsintel.commands.main",
        "newsintel.commands.new_key",
        "newsintel.commands.standard_descriptors",
    ]
    assert "Print a new key" in out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command, capsys):
    """What it does, and what each of its arguments means."""
    made = build_parser(command)
    with pytest.raises(SystemExit) as ended:
        made.parse_args([command, "--help"])
    out = capsys.readouterr().out
    assert ended.value.code == 0
    assert out.startswith(f"usage: newsintel {command} ")
    assert len(out.split("\n\n")[1]) > 20  # the description of the command
    subparser = made._subparsers._group_actions[0].choices[command]
    assert all(action.help for action in subparser._actions)
    assert get_module_name(command).isidentifier()


def test_help_lists_every_command(capsys):
    """One line each, and the exit codes.

    Without arguments the output is the same, with exit code 2.
    """
    assert main([]) == EXIT_USAGE
    out = capsys.readouterr().out
    for command, summary in COMMANDS.items():
        assert f"  {command:<13}{summary}\n" in out
    assert max(map(len, out.splitlines())) <= 120
    assert "130 interrupted" in out


MISTAKES = [
    (["serach", "x"], "there is no command 'serach'; did you mean search? (see newsintel --help)"),
    (["frobnicate"], "there is no command 'frobnicate' (see newsintel --help)"),
    (["-x"], "the following arguments are required: COMMAND (see newsintel --help)"),
    (["config", "--xml"], "unrecognized arguments: --xml (see newsintel --help)"),
    (
        ["config", "--json", "--names"],
        "argument --names: not allowed with argument --json (see newsintel config --help)",
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize(("args", "said"), MISTAKES)
def test_mistake_is_one_line(tmp_path, args, said):
    """It names the nearest command and the help; in JSON if standard error must be JSON only."""
    done = newsintel(tmp_path, *args)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"newsintel: {said}\n")
    told = json.loads(newsintel(tmp_path, *args, LOG_FORMAT="json").stderr)
    assert (told["event"], told["reason"]) == ("command_failed", said)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["json", "emf"])
@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (["dedupe", "none.jsonl"], "none.jsonl: No such file or directory"),
        (["dedupe", __file__], f"{__file__}, line 1 is not JSON: "),
        (["new-account", " "], "NAME must have 1 to 100 printable characters"),
    ],
)
def test_failure_before_any_setting_is_read_is_an_event(tmp_path, form, args, reason):
    """Such commands read no settings, or fail before; LOG_FORMAT applies to them all the same."""
    done = newsintel(tmp_path, *args, LOG_FORMAT=form)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert {line["event"] for line in lines} == {"command_failed"}
    assert lines[0]["reason"].startswith(reason)
    assert (done.returncode, done.stdout) == (2, "")


@pytest.mark.slow
@pytest.mark.parametrize("form", ["json", "emf"])
def test_invalid_setting_is_reported_as_json_if_the_log_is_json(tmp_path, form):
    """Also before there are settings that configure the log."""
    done = newsintel(tmp_path, "serve", GUARDIAN_DEADLINE_S="soon", LOG_FORMAT=form)
    told = json.loads(done.stderr)
    assert done.returncode == 2
    assert (
        told["reason"]
        == "NEWSINTEL_GUARDIAN_DEADLINE_S must be a number of seconds such as 1.5, not 'soon'"
    )
    assert (
        newsintel(tmp_path, "serve", GUARDIAN_DEADLINE_S="soon").stderr
        == f"newsintel: {told['reason']}\n"
    )
    wrong = newsintel(tmp_path, "serve", LOG_FORMAT="xml").stderr
    assert (
        wrong == "newsintel: NEWSINTEL_LOG_FORMAT must be one of auto, text, json, emf, not 'xml'\n"
    )


@pytest.mark.slow
@pytest.mark.parametrize("command", ["config", "deadlines", "prune", "migrate"])
def test_every_command_reports_misspelled_settings(tmp_path, command):
    """Not only by `serve`, and with the setting that was probably meant.

    No server can be reached here, so nothing starts.
    """
    away = {"DATABASE_URL": "postgresql://u@127.0.0.1:9/d", "REDIS_URL": "redis://127.0.0.1:9"}
    done = newsintel(tmp_path, command, LOG_FORMAT="json", GARDIAN_KEY="k", **away)
    told = [json.loads(line) for line in done.stderr.splitlines()]
    assert ("unknown_setting", "NEWSINTEL_GARDIAN_KEY", "NEWSINTEL_GUARDIAN_KEY") in [
        (line["event"], line.get("name"), line.get("did_you_mean")) for line in told
    ]


@pytest.mark.slow
def test_colors_are_for_terminals(tmp_path):
    """No colors in a pipe; with NO_COLOR none on a terminal either; FORCE_COLOR forces them."""
    command, seen = [sys.executable, "-m", "newsintel", "config"], {}
    for name in ("", "NO_COLOR", "FORCE_COLOR"):
        env = (
            environ(tmp_path, LOG_FORMAT="text", GARDIAN_KEY="k")
            | ({name: "1"} if name else {})
            | {"TERM": "xterm"}
        )
        piped = subprocess.run(command, env=env, capture_output=True, check=True)
        terminal = subprocess.run(
            ["script", "-qec", f"{shlex.join(command)} > /dev/null", "/dev/null"],
            env=env,
            capture_output=True,
            check=True,
        )
        seen[name] = (b"\x1b[" in piped.stderr, b"\x1b[" in terminal.stdout)
        assert b"unknown_setting" in piped.stderr
        assert b"unknown_setting" in terminal.stdout
    assert seen == {"": (False, True), "NO_COLOR": (False, False), "FORCE_COLOR": (True, True)}

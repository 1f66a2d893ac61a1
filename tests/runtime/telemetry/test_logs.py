"""The log: one way to write it, one handler on standard error, one formatter that redacts last."""

import ast
import json
import logging
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import structlog

import newsintel
from newsintel.config.reading import read_settings
from newsintel.runtime.telemetry.logs import (
    QUIETED,
    enter_context,
    get_logger,
    request_context,
    set_up_logging,
)
from tests.config.test_settings import DECLARED

ROOT = Path(newsintel.__file__).parent
LIBRARY_LOGGERS = {
    "runtime/telemetry/logs.py": "sets the standard library's loggers up",
    "runtime/telemetry/log_lines.py": "is a formatter of the standard library",
    "http/server/log.py": "asks whether a request's line is wanted before it makes one",
    "http/server/listener.py": (
        "hands hypercorn, which knows no other, a logger of the standard library"
    ),
    "outbound/tracing/reporting.py": "takes the messages of OpenTelemetry's exporter as reasons",
}
"""The modules that may use `logging`, and why."""
LEVELS = {"debug", "info", "warning", "error", "critical", "exception"}


PATHS = [str(path.relative_to(ROOT)) for path in sorted(ROOT.rglob("*.py"))]
"""Every module of the package."""


def module(path):
    """Return a module as a syntax tree.

    None is kept, because the garbage collector would visit all its nodes in every run.
    """
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def imported(tree):
    """Yield the first part of the name of each imported module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").split(".")[0]


def calls(tree):
    """Return every call in a module with the name of what is called."""
    return [(ast.unparse(node.func), node) for node in ast.walk(tree) if isinstance(node, ast.Call)]


@pytest.mark.parametrize("path", PATHS)
def test_every_module_logs_in_the_same_way(path):
    """It calls `get_logger(__name__)` and passes a lower-case event key and named fields.

    Nothing else writes a line.
    """
    tree, known = module(path), set(LIBRARY_LOGGERS)
    if path not in known:
        assert "logging" not in imported(tree), (
            f"{path}: loggers come from newsintel.runtime.telemetry.logs.get_logger"
        )
    if path not in {"runtime/telemetry/logs.py", "runtime/telemetry/log_lines.py"}:
        assert "structlog" not in imported(tree), (
            f"{path}: loggers come from newsintel.runtime.telemetry.logs.get_logger"
        )
    for name, call in calls(tree):
        where = f"{path}:{call.lineno}"
        assert name not in {"print", "warnings.warn"}, where
        if name == "get_logger" and path != "runtime/telemetry/logs.py":
            assert ast.unparse(call) == "get_logger(__name__)", where
        owner, _, method = name.rpartition(".")
        if (
            owner.split(".")[-1] in {"log", "_log"}
            and method in LEVELS
            and path != "commands/setup.py"
        ):
            (key,) = call.args  # no positional arguments for a format string
            assert isinstance(key, ast.Constant), f"{where}: the event key must be a literal string"
            assert key.value == key.value.lower(), where
            assert key.value.replace("_", "").isalpha(), (
                f"{where}: {key.value!r} is not a valid event key"
            )
            assert all(keyword.arg != "extra" for keyword in call.keywords), where


def test_the_operators_page_explains_every_event():
    """docs/operating.md explains each key that is logged at info or above, and no other."""
    keys = set()
    for path in PATHS:
        for name, call in calls(module(path)):
            written_out = bool(call.args) and isinstance(call.args[0], ast.Constant)
            owner, _, method = name.rpartition(".")
            logs = owner.split(".")[-1] in {"log", "_log"} and method in LEVELS - {"debug"}
            if written_out and (logs or name == "write_message"):
                keys.add(call.args[0].value)
    page = (Path(__file__).resolve().parents[3] / "docs" / "operating.md").read_text(
        encoding="utf-8"
    )
    table = page.partition("| event |")[2].partition("\n\n")[0]
    told = {
        word.strip("` ") for row in table.splitlines()[2:] for word in row.split("|")[1].split(",")
    }
    assert told == keys


@pytest.fixture
def logged(capsys):
    """Return a function that logs with planted secrets in the settings.

    The function returns standard error and checks that standard output is empty.
    """

    def run(act, *, quiet=False, **environ):
        planted = {
            "NEWSINTEL_GUARDIAN_KEY": "planted-key",
            "NEWSINTEL_DATABASE_URL": "postgresql://u:planted-pw@h/d",
        }
        set_up_logging(read_settings(DECLARED, {**planted, **environ}), quiet=quiet)
        act()
        captured = capsys.readouterr()
        assert captured.out == ""
        return captured.err

    return run


def boom():
    """Log two exceptions, ours and a library's, with secrets in traceback, message and fields."""
    try:
        raise ValueError("GET https://x.example/search?api-key=planted-key failed")
    except ValueError:
        get_logger("newsintel.test").exception(
            "failed", url="postgresql://u:planted-pw@h/d", header="Authorization: Bearer abc.def"
        )
        logging.getLogger("library").exception(
            "failed with planted-pw", extra={"header": "Authorization: Bearer abc.def"}
        )


@pytest.mark.parametrize("form", ["text", "json", "emf"])
def test_no_part_of_a_line_shows_a_secret(logged, form):
    """Message, field and traceback hide known secrets and what looks like one.

    The rest stays readable.
    """
    err = logged(boom, NEWSINTEL_LOG_FORMAT=form)
    assert "planted" not in err
    assert "abc.def" not in err
    assert err.count("Traceback") == 2
    if form != "text":
        ours, theirs = map(json.loads, err.splitlines())
        assert (ours["event"], theirs["event"]) == ("failed", "failed with ***")
        assert (ours["logger"], theirs["logger"]) == ("newsintel.test", "library")
        assert "api-key=***" in ours["exception"]


def test_log_level_applies_to_every_logger(logged):
    """It applies to our events and to records of libraries; some libraries have a higher level."""

    def act():
        get_logger("newsintel.test").info("hidden")
        for name in ("library", *QUIETED):
            logging.getLogger(name).warning("hidden")

    assert logged(act, NEWSINTEL_LOG_LEVEL="error") == ""
    assert logged(lambda: logging.getLogger("httpx").info("GET https://x.example/?q=1")) == ""
    assert (
        logged(
            lambda: logging.getLogger("asyncpg.pool").warning(
                "Failed to restore", exc_info=ValueError()
            )
        )
        == ""
    )


def test_quiet_commands_show_their_own_lines_and_errors_alone(logged):
    """The pipeline inside the command shows only its errors."""

    def act():
        get_logger("newsintel.app").warning("hidden")
        get_logger("newsintel.commands.setup").warning("unknown_setting")
        get_logger("newsintel.app").error("shown")

    assert [json.loads(line)["event"] for line in logged(act, quiet=True).splitlines()] == [
        "unknown_setting",
        "shown",
    ]


def test_metrics_are_written_at_any_level(logged):
    """LOG_LEVEL is about the log, but the alarms of CloudWatch need the line of every minute."""
    log = get_logger("newsintel.actors.emf_writer")
    err = logged(
        lambda: log.info("metrics", searches=1),
        NEWSINTEL_LOG_FORMAT="emf",
        NEWSINTEL_LOG_LEVEL="error",
    )
    assert json.loads(err)["searches"] == 1


def test_warnings_and_crashes_are_log_lines(logged):
    """The log takes Python's own warnings and its last traceback."""

    def act():
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            logging.captureWarnings(capture=False)
            logging.captureWarnings(capture=True)
            warnings.warn("planted-key is old", DeprecationWarning, stacklevel=1)
        try:
            raise KeyError("planted-key")
        except KeyError:
            sys.excepthook(*sys.exc_info())

    warned, crashed = map(json.loads, logged(act).splitlines())
    assert "DeprecationWarning: *** is old" in warned["event"]
    assert (crashed["event"], crashed["level"]) == ("crashed", "critical")
    assert crashed["exception"].endswith("KeyError: '***'")


def test_the_request_id_is_in_lines_of_ours_and_of_libraries(logged):
    """A line has everything that is bound to the context of its task."""

    def act():
        enter_context({"request_id": "abc-1"})
        get_logger("newsintel.test").info("ours")
        logging.getLogger("library").warning("theirs")
        assert request_context() == {"request_id": "abc-1"}
        structlog.contextvars.clear_contextvars()

    assert {json.loads(line)["request_id"] for line in logged(act).splitlines()} == {"abc-1"}


BEFORE = """
import logging, newsintel.app, newsintel.outbound.oauth.oidc, newsintel.http.routes.auth
from newsintel.runtime.telemetry.logs import get_logger
log = get_logger("newsintel.outbound.oauth.oidc")
log.warning("provider_failed", detail="Authorization: Bearer abc.def")
log.info("hidden")
logging.getLogger("library").error("password=abc.def")
"""


@pytest.mark.slow
@pytest.mark.parametrize("form", ["text", "json", "emf"])
def test_before_set_up_nothing_goes_to_standard_output(form):
    """A program that only imports the package writes redacted warnings to standard error."""
    environ = {"PATH": os.defpath, "NEWSINTEL_LOG_FORMAT": form}
    done = subprocess.run(
        [sys.executable, "-c", BEFORE],
        capture_output=True,
        text=True,
        env=environ,
        cwd=ROOT.parent,
        check=True,
    )
    assert done.stdout == ""
    assert [line.split()[2] for line in done.stderr.splitlines()] == [
        "provider_failed",
        "password=***",
    ]
    assert "abc.def" not in done.stderr

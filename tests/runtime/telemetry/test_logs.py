"""The log: one way in for every module, one handler on standard error, one formatter, which redacts last."""

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
from newsintel.config.settings import load
from newsintel.runtime.telemetry.logs import QUIETED, enter_context, get_logger, request_context, set_up_logging
from tests.config.test_settings import DECLARED

ROOT = Path(newsintel.__file__).parent
LIBRARY_LOGGERS = {
    "runtime/telemetry/logs.py": "sets the standard library's loggers up",
    "runtime/telemetry/log_lines.py": "is a formatter of the standard library",
    "http/server/log.py": "asks whether a request's line is wanted before it makes one",
    "http/server/listener.py": "hands hypercorn, which knows no other, a logger of the standard library",
}
"""The modules that may know `logging`, and why."""
LEVELS = {"debug", "info", "warning", "error", "critical", "exception"}


PATHS = [str(path.relative_to(ROOT)) for path in sorted(ROOT.rglob("*.py"))]
"""Every module."""


def module(path):
    """A module as a syntax tree. None is kept: the collector would look at all their nodes each time it runs."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def imported(tree):
    """The modules that a module imports, by their first name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").split(".")[0]


def calls(tree):
    """Every call in a module, by what is called."""
    return [(ast.unparse(node.func), node) for node in ast.walk(tree) if isinstance(node, ast.Call)]


@pytest.mark.parametrize("path", PATHS)
def test_every_module_logs_in_one_way(path):
    """`log = get_logger(__name__)`; an event's key of lower-case words, then fields by name; nothing else writes a line."""
    tree, known = module(path), set(LIBRARY_LOGGERS)
    if path not in known:
        assert "logging" not in imported(tree), f"{path}: loggers come from newsintel.runtime.telemetry.logs.get_logger"
    if path not in {"runtime/telemetry/logs.py", "runtime/telemetry/log_lines.py"}:
        assert "structlog" not in imported(tree), f"{path}: loggers come from newsintel.runtime.telemetry.logs.get_logger"
    for name, call in calls(tree):
        where = f"{path}:{call.lineno}"
        assert name not in {"print", "warnings.warn"}, where
        if name == "get_logger" and path != "runtime/telemetry/logs.py":
            assert ast.unparse(call) == "get_logger(__name__)", where
        owner, _, method = name.rpartition(".")
        if owner.split(".")[-1] in {"log", "_log"} and method in LEVELS and path != "commands/setup.py":
            (key,) = call.args  # no arguments to be put into a sentence
            assert isinstance(key, ast.Constant), f"{where}: the event's key is written out"
            assert key.value == key.value.lower(), where
            assert key.value.replace("_", "").isalpha(), f"{where}: {key.value!r} is no key"
            assert all(keyword.arg != "extra" for keyword in call.keywords), where


def test_event_keys_are_told_to_operators():
    """docs/operating.md explains each key that is logged at info or above, and no other."""
    keys = set()
    for path in PATHS:
        for name, call in calls(module(path)):
            written_out = bool(call.args) and isinstance(call.args[0], ast.Constant)
            owner, _, method = name.rpartition(".")
            logs = owner.split(".")[-1] in {"log", "_log"} and method in LEVELS - {"debug"}
            if written_out and (logs or name == "tell"):
                keys.add(call.args[0].value)
    page = (Path(__file__).resolve().parents[3] / "docs" / "operating.md").read_text(encoding="utf-8")
    table = page.partition("| event |")[2].partition("\n\n")[0]
    told = {word.strip("` ") for row in table.splitlines()[2:] for word in row.split("|")[1].split(",")}
    assert told == keys


@pytest.fixture
def logged(capsys):
    """Logs under an environment with planted secrets; returns what reached standard error, and that nothing else was written."""

    def run(act, *, quiet=False, **environ):
        planted = {"NEWSINTEL_GUARDIAN_KEY": "planted-key", "NEWSINTEL_DATABASE_URL": "postgresql://u:planted-pw@h/d"}
        set_up_logging(load(DECLARED, {**planted, **environ}), quiet=quiet)
        act()
        captured = capsys.readouterr()
        assert captured.out == ""
        return captured.err

    return run


def boom():
    """Failures whose traceback, message and fields hold secrets, ours and a library's."""
    try:
        raise ValueError("GET https://x.example/search?api-key=planted-key failed")
    except ValueError:
        get_logger("newsintel.test").exception("failed", url="postgresql://u:planted-pw@h/d", header="Authorization: Bearer abc.def")
        logging.getLogger("library").exception("failed with planted-pw", extra={"header": "Authorization: Bearer abc.def"})


@pytest.mark.parametrize("form", ["text", "json", "emf"])
def test_secrets_leave_through_no_part_of_a_line(logged, form):
    """Neither message, field nor traceback shows a secret, known or only spelt like one; the rest stays readable."""
    err = logged(boom, NEWSINTEL_LOG_FORMAT=form)
    assert "planted" not in err
    assert "abc.def" not in err
    assert err.count("Traceback") == 2
    if form != "text":
        ours, theirs = map(json.loads, err.splitlines())
        assert (ours["event"], theirs["event"]) == ("failed", "failed with ***")
        assert (ours["logger"], theirs["logger"]) == ("newsintel.test", "library")
        assert "api-key=***" in ours["exception"]


def test_level_is_a_floor_for_everybody(logged):
    """For our events and for libraries' records; some libraries have a higher one of their own."""

    def act():
        get_logger("newsintel.test").info("hidden")
        for name in ("library", *QUIETED):
            logging.getLogger(name).warning("hidden")

    assert logged(act, NEWSINTEL_LOG_LEVEL="error") == ""
    assert logged(lambda: logging.getLogger("httpx").info("GET https://x.example/?q=1")) == ""
    assert logged(lambda: logging.getLogger("asyncpg.pool").warning("Failed to restore", exc_info=ValueError())) == ""


def test_quiet_commands_speak_and_others_do_not(logged):
    """What a command has to say itself is heard; the pipeline in it is not, but for errors."""

    def act():
        get_logger("newsintel.app").warning("hidden")
        get_logger("newsintel.commands.setup").warning("unknown_setting")
        get_logger("newsintel.app").error("shown")

    assert [json.loads(line)["event"] for line in logged(act, quiet=True).splitlines()] == ["unknown_setting", "shown"]


def test_metrics_are_written_at_any_level(logged):
    """LOG_LEVEL is about the log; CloudWatch's alarms live on every minute's line."""
    log = get_logger("newsintel.actors.emf_writer")
    err = logged(lambda: log.info("metrics", searches=1), NEWSINTEL_LOG_FORMAT="emf", NEWSINTEL_LOG_LEVEL="error")
    assert json.loads(err)["searches"] == 1


def test_warnings_and_crashes_are_lines_too(logged):
    """Python's own ways to standard error go through the log: warnings, the last traceback, exceptions of finalizers."""

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


def test_request_id_is_in_ours_and_in_libraries_lines(logged):
    """Whatever is bound to the task is in every line of it."""

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
get_logger("newsintel.outbound.oauth.oidc").warning("provider_failed", detail="Authorization: Bearer abc.def")
get_logger("newsintel.outbound.oauth.oidc").info("hidden")
logging.getLogger("library").error("password=abc.def")
"""


@pytest.mark.parametrize("form", ["text", "json", "emf"])
def test_before_the_log_is_set_up_nothing_goes_to_standard_output(form):
    """A program that only imports modules of ours: warnings reach standard error, redacted; nothing else is written."""
    environ = {"PATH": os.defpath, "NEWSINTEL_LOG_FORMAT": form}
    done = subprocess.run([sys.executable, "-c", BEFORE], capture_output=True, text=True, env=environ, cwd=ROOT.parent, check=True)
    assert done.stdout == ""
    assert [line.split()[2] for line in done.stderr.splitlines()] == ["provider_failed", "password=***"]
    assert "abc.def" not in done.stderr

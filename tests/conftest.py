"""What holds for every test: neither the machine's speed, the shell it was started from nor the test before it decides anything."""

import gc
import logging
import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from newsintel.runtime.telemetry.log_lines import Line
from tests.cluster import WHERE

# As they come, an example that takes 0.2 s fails its property, and so does one whose inputs took long to make.
# In CI the examples are the same in every run: what is looked for at random is found by whoever runs the tests, not by whoever pushes next.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ)
settings.load_profile("unhurried")

# What was compiled is kept, ours and that of the commands that tests start: else each process of a run compiles all tests once more.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
    # A shell's background job, or nohup, ignores them, and so would every program that a test starts and ends.
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


LONGEST = (
    "http/test_fuzz_connections.py",
    "commands/test_signals.py",
    "test_demo_service.py",
    "commands/test_import_export.py",
    "storage/postgres/test_search_plans.py",
    "domain/bounds/test_slices.py",
    "runtime/test_startup.py",
    "test_hostile_values.py",
    "commands/test_seed_demo.py",
    "test_demo_forgetting.py",
    "ops/test_nginx.py",
    "storage/postgres/test_failover.py",
    "storage/embedded/test_servers.py",
    "runtime/test_watchdog.py",
    "test_printed_words.py",
    "outbound/test_hostile_replies.py",
    "ops/test_nginx_poisoning.py",
)
"""Files that take half a minute or more: they begin first, so that no core waits at the end for the last of one."""


def pytest_collection_modifyitems(items):
    """With --no-loadscope-reorder pytest-xdist gives files out in this order."""
    place = {str(Path(__file__).parent / name): number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(str(item.path), len(LONGEST)))


def pytest_collection_finish():
    """Tests and modules stay to the end: the collector need not look at them again each time that one of the tests makes it run."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def made_cluster(tmp_path_factory):
    """All processes of a run, and the commands that they start, share one."""
    base = tmp_path_factory.getbasetemp()
    os.environ[WHERE] = str((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "cluster")


@pytest.fixture(autouse=True)
def log_as_it_was():
    """A command that runs in this process sets the log up; here it is as it was for the next test."""
    loggers = [logging.getLogger(), *(one for one in logging.root.manager.loggerDict.values() if isinstance(one, logging.Logger))]
    levels, hooks = [one.level for one in loggers], (sys.excepthook, sys.unraisablehook)
    yield
    logging.root.handlers[:] = [handler for handler in logging.root.handlers if not isinstance(handler.formatter, Line)]
    for one, level in zip(loggers, levels, strict=True):
        if one.level != level:
            one.setLevel(level)
    sys.excepthook, sys.unraisablehook = hooks
    logging.captureWarnings(capture=False)

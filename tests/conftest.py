"""Rules for every test: its result does not depend on machine, shell or earlier tests."""

import gc
import logging
import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from newsintel.http import application
from newsintel.runtime.telemetry.log_lines import LineFormatter
from tests.cluster import WHERE

# By default Hypothesis fails an example that takes more than 0.2 s, and also one whose inputs took
# long to make. In CI every run uses the same examples: random search happens on developers'
# machines and cannot break an unrelated push.
settings.register_profile(
    "unhurried",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="CI" in os.environ,
)
settings.load_profile("unhurried")

# Keep compiled bytecode, also for the commands that tests start. Otherwise each process of a run
# compiles all tests again.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
    # A background job of a shell, or nohup, ignores these signals. Programs that a test starts
    # would inherit that and could not be ended.
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(
            number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
        )


LONGEST = (
    "http/test_fuzz_connections.py",
    "storage/redis/test_cluster.py",
    "test_redis_cluster_service.py",
    "commands/test_signals.py",
    "test_demo_service.py",
    "commands/test_import_export.py",
    "storage/postgres/test_search_plans.py",
    "commands/test_backup.py",
    "commands/test_seed_demo.py",
    "domain/bounds/test_slices.py",
    "test_hostile_values.py",
    "test_workers.py",
    "runtime/test_startup.py",
    "test_traces_service.py",
    "actors/test_poller.py",
    "domain/search/test_dedup.py",
    "domain/search/test_sizes.py",
    "test_demo_forgetting.py",
    "storage/embedded/test_servers.py",
    "runtime/test_watchdog.py",
    "ops/test_nginx.py",
    "ops/test_nginx_poisoning.py",
)
"""Files that take long, alone or with their slow tests. They start first: no core idles later."""


def pytest_collection_modifyitems(items):
    """Sort the tests; with --no-loadscope-reorder pytest-xdist distributes files in this order."""
    place = {str(Path(__file__).parent / name): number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(str(item.path), len(LONGEST)))


def pytest_collection_finish():
    """Exclude tests and modules from garbage collection, since they live until the end.

    Otherwise the collector scans them again whenever a test runs it.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def made_cluster(tmp_path_factory):
    """Give all processes of a run, and the commands that they start, one shared cluster."""
    base = tmp_path_factory.getbasetemp()
    os.environ[WHERE] = str(
        (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "cluster"
    )


@pytest.fixture(autouse=True, scope="session")
def described_once():
    """Describe the API once for equal settings and routes.

    The description takes most of the time in which an application is made, and thousands of tests
    make one.
    """
    describe, known = application._build_descriptions, []

    def describe_once(table, settings):
        table = tuple(table)
        named = [(route.method, route.path, [one.name for one in route.takes]) for route in table]
        for one, another, described in known:
            if (one, another) == (settings, named):
                return described
        described = describe(table, settings)
        known.append((settings, named, described))
        return described

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(application, "_build_descriptions", describe_once)
        yield


@pytest.fixture(autouse=True)
def log_as_it_was():
    """Restore the log after each test: a command run in this process configures it."""
    loggers = [
        logging.getLogger(),
        *(
            one
            for one in logging.root.manager.loggerDict.values()
            if isinstance(one, logging.Logger)
        ),
    ]
    levels, hooks = [one.level for one in loggers], (sys.excepthook, sys.unraisablehook)
    yield
    logging.root.handlers[:] = [
        handler
        for handler in logging.root.handlers
        if not isinstance(handler.formatter, LineFormatter)
    ]
    for one, level in zip(loggers, levels, strict=True):
        if one.level != level:
            one.setLevel(level)
    sys.excepthook, sys.unraisablehook = hooks
    logging.captureWarnings(capture=False)

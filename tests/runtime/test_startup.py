"""The checks of `serve` before anything starts, and its log from the first line to the last."""

import json
import os
import re
import signal
import socket
import sys
from datetime import UTC, datetime

import pytest
import trio
from structlog.testing import capture_logs

from newsintel.config.reading import read_settings
from newsintel.config.values import Secret
from newsintel.domain.limits.ports import SourceState
from newsintel.domain.operations.ports import StoreHealth
from newsintel.domain.search.outcome import Status
from newsintel.errors import NewsIntelError
from newsintel.http.routes import health
from newsintel.runtime.startup import check_addresses, check_clock, describe_store, serving_fields
from tests.cluster import WHERE
from tests.config.test_settings import DECLARED
from tests.http.world import World
from tests.service import command_lines, free_port, newsintel, running
from tests.waiting import wait_for

GUARDIAN = {"SOURCES": "guardian", "GUARDIAN_KEY": "planted-key"}
"""All sources that are named have their keys, so the start has nothing to tell of them."""


def settings(**environ):
    """Return the settings for an environment; the names have no prefix here."""
    return read_settings(DECLARED, {f"NEWSINTEL_{name}": value for name, value in environ.items()})


@pytest.mark.parametrize("year", [1970, 1999, 2200, 9999])
def test_an_impossible_clock_stops_the_start(year):
    """A machine without a battery clock shows such a time before it has synchronised.

    The message shows the time of the clock.
    """
    with pytest.raises(NewsIntelError, match=f"clock says {year}-06-01"):
        check_clock(datetime(year, 6, 1, tzinfo=UTC))


@pytest.mark.parametrize("year", [2000, 2026, 2199])
def test_any_other_clock_is_accepted(year):
    """The range is that of the archive's dates."""
    check_clock(datetime(year, 1, 1, tzinfo=UTC))
    check_clock(datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC))


@pytest.mark.parametrize("name", ["BIND", "METRICS_BIND"])
async def test_a_port_in_use_is_reported(name):
    """The error names setting, address and reason; the check leaves a free port free."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        other = "METRICS_BIND" if name == "BIND" else "BIND"
        with pytest.raises(NewsIntelError) as caught:
            await check_addresses(settings(**{name: f"127.0.0.1:{port}", other: "127.0.0.1:0"}))
        assert (
            str(caught.value)
            == f"cannot listen on 127.0.0.1:{port} (NEWSINTEL_{name}): Address already in use"
        )
    free = settings(BIND=f"127.0.0.1:{port}")
    await check_addresses(free)
    await check_addresses(free)


async def test_two_settings_with_one_address_are_reported():
    """Each of them alone could be listened on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        both = f"127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(NewsIntelError, match=r"\(NEWSINTEL_METRICS_BIND\): Address already in use"):
        await check_addresses(settings(BIND=both, METRICS_BIND=both))


@pytest.mark.parametrize("bind", ["192.0.2.1:0", "no-such-host.invalid:0", "[2001:db8::1]:0"])
async def test_an_unavailable_address_is_reported(bind):
    """A name that does not resolve is reported too."""
    with pytest.raises(
        NewsIntelError, match=rf"^cannot listen on {re.escape(bind)} \(NEWSINTEL_BIND\): "
    ):
        await check_addresses(settings(BIND=bind))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (None, "embedded"),
        (
            "postgresql://app:planted@db.example:5433/news?sslmode=verify-full",
            "db.example:5433/news",
        ),
        ("postgresql://app:planted@/news?host=/var/run/postgresql", "/var/run/postgresql/news"),
        ("postgresql://app:planted@a.example,[::1]:5433/news", "a.example:5432,[::1]:5433/news"),
        ("postgresql://app@/news?host=a,/run&port=6000", "a:6000,/run/news"),
        ("postgresql://app:planted@", "/"),
        ("rediss://:planted@cache.example:6379/3", "cache.example:6379/3"),
        ("redis://[::1]", "[::1]:6379/0"),
        ("unix:///run/redis.sock?password=planted", "/run/redis.sock"),
    ],
)
def test_stores_are_logged_by_their_place(url, shown):
    """It has host, port and database, but never user, password or options."""
    assert describe_store(url and Secret(url)) == shown


def test_the_serving_line_names_sources_and_stores():
    """It names the sources that are on and those that are off; empty lists are left out."""
    known = settings(GUARDIAN_KEY="k")
    assert serving_fields(known, ["http://127.0.0.1:8000"], []) == {
        "url": ["http://127.0.0.1:8000"],
        "sources": ("guardian",),
        "sources_off": ["reddit"],
        "postgresql": "embedded",
        "redis": "embedded",
    }


def events(text):
    """Return the lines of a log without those of requests."""
    return [line for line in map(json.loads, text.splitlines()) if line["event"] != "request"]


@pytest.mark.slow
def test_the_log_of_a_service_is_complete_from_start_to_stop(tmp_path, monkeypatch):
    """It has the addresses, the stores and one line for all migrations.

    The last line comes when everything has stopped.
    """
    monkeypatch.delenv(WHERE)  # a first start, as users have it
    with running(tmp_path, "serve", LOG_FORMAT="json", **GUARDIAN) as service:
        assert service.get("/health").status_code == 200
        assert service.stop(signal.SIGTERM) == 0
        assert service.servers() == []
        lines = events(service.log.read_text())
    assert [line["event"] for line in lines] == [
        "starting",
        "schema_migrated",
        "serving",
        "stopping",
        "stopped",
    ]
    by_event = {line["event"]: line for line in lines}
    assert (
        by_event["schema_migrated"]["before"],
        by_event["schema_migrated"]["now"] >= "0009",
    ) == ("0000", True)
    serving = by_event["serving"]
    assert (serving["url"], serving["sources"], serving["postgresql"]) == (
        [service.url],
        ["guardian"],
        "embedded",
    )
    assert by_event["stopping"]["signal"] == "SIGTERM"
    with running(tmp_path, "serve", LOG_FORMAT="json") as service:
        assert [line["event"] for line in events(service.log.read_text())][1:3] == [
            "source_notice",
            "schema_up_to_date",
        ]


@pytest.mark.slow
def test_a_port_in_use_is_reported_before_anything_starts(tmp_path):
    """The second service ends at once with one line.

    It starts no embedded server and makes no folder.
    """
    port = free_port()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        for command in ("serve", "demo"):
            done = newsintel(
                tmp_path,
                command,
                **GUARDIAN,
                BIND=f"127.0.0.1:{port}",
                LOG_FORMAT="text",
                LOG_LEVEL="warning",
            )
            assert done.returncode == 1
            assert done.stderr == (
                f"newsintel: cannot listen on 127.0.0.1:{port} (NEWSINTEL_BIND):"
                " Address already in use\n"
            )
    assert list(tmp_path.iterdir()) == []
    assert not [line for line in command_lines() if str(tmp_path) in line]


@pytest.mark.slow
def test_an_unusable_folder_is_reported_with_its_setting(tmp_path):
    """The exit code is 2, as for any invalid setting."""
    (tmp_path / "file").write_text("")
    for command in ("serve", "search"):
        args = (command, "x") if command == "search" else (command,)
        done = newsintel(
            tmp_path,
            *args,
            **GUARDIAN,
            DATA_DIR=str(tmp_path / "file"),
            BIND="127.0.0.1:0",
            LOG_LEVEL="error",
        )
        assert (done.returncode, done.stderr) == (
            2,
            f"newsintel: NEWSINTEL_DATA_DIR ({tmp_path}/file) cannot be used: File exists\n",
        )


async def test_readiness_is_logged_when_it_changes(autojump_clock):
    """Each change is one line with what fails; a check without a change logs nothing."""
    world = World()
    story = [
        (StoreHealth(postgresql=True, redis=True), None),
        (StoreHealth(postgresql=True, redis=False), None),
        (StoreHealth(postgresql=False, redis=False), Status.UNAUTHORIZED),
        (StoreHealth(postgresql=True, redis=True), None),
    ]
    shutdown = trio.Event()
    with capture_logs() as logs:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(health.watch_readiness, world.services, shutdown, print)
            for stores, blocked in story:
                world.health.found = stores
                world.states["guardian"] = SourceState(blocked=blocked)
                await trio.sleep(10 * health.WATCH_EVERY_S)
            shutdown.set()
    assert [
        (line["log_level"], line["was"], line["now"], line.get("failing")) for line in logs
    ] == [
        ("warning", "ready", "degraded", ["redis"]),
        ("warning", "degraded", "unusable", ["postgresql", "redis", "guardian"]),
        ("info", "unusable", "ready", None),
    ]


@pytest.mark.slow
def test_an_outage_is_logged_once_without_requests(tmp_path, monkeypatch):
    """Redis is stopped and continued under a service without callers.

    Each change of readiness is one line, and no line has a traceback.
    """
    # The service must have its real limits.
    monkeypatch.setattr("tests.service.COMMAND", [sys.executable, "-m", "newsintel"])
    with running(tmp_path, "serve", LOG_FORMAT="json", **GUARDIAN) as service:

        def told(event, **fields):
            return [
                line
                for line in events(service.log.read_text())
                if line["event"] == event and fields.items() <= line.items()
            ]

        redis = int((tmp_path / "newsintel" / "redis.pid").read_text())
        os.kill(redis, signal.SIGSTOP)
        try:
            wait_for(lambda: told("readiness_changed", was="ready", now="degraded"), "degraded")
        finally:
            os.kill(redis, signal.SIGCONT)
        wait_for(lambda: told("readiness_changed", was="degraded", now="ready"), "ready")
        assert told("store_failing", store="redis")
        assert len(told("store_recovered", store="redis")) == 1
        assert len(told("readiness_changed")) == 2
        assert service.stop() == 0
        assert not [
            line
            for line in events(service.log.read_text())
            if "exception" in line or line["level"] in ("error", "critical")
        ]

"""docs/resilience.md: every case has tests, every test that the page names exists."""

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from newsintel.actors.fetcher import SLOTS
from newsintel.config.reading import read_settings
from newsintel.storage.postgres.pool import COMMAND_S, PATIENCE_S, SERVER_SETTINGS
from newsintel.storage.redis.link import SLOT_RULES
from newsintel.storage.redis.server import CONNECTIONS, SOCKET_S
from tests.named_tests import exists, list_named, list_numbered

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "resilience.md").read_text(encoding="utf-8")
NAMED = list_named(PAGE)
ROWS = [
    (int(number), row)
    for number, row in re.findall(r"^\| (\d+) \|(.*)\|$", PAGE, flags=re.MULTILINE)
]
FAULTS = (
    *("refused", "black hole", "slow", "replies lost", "reset"),
    *("flapping", "full disk", "read-only", "failover"),
)


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_every_test_that_the_page_names_exists(path, name):
    """`*` means all tests of a file."""
    assert exists(path, name)


@pytest.mark.parametrize("number", range(1, 41))
def test_every_case_has_a_test(number):
    """Each row of the case names one, and a test that has the number in its name is listed."""
    rows = [row for found, row in ROWS if found == number]
    assert rows
    assert all(".py::test_" in row for row in rows)


def test_every_numbered_test_is_listed_under_its_number():
    """A test of a case is found by its number: `test_case_02_…` is in the row of case 2."""
    for name, numbers in list_numbered(r"test_(?:cases?|fault)_(\d+)_(?:and_(\d+)_)?"):
        for number in filter(None, numbers):
            rows = [row for listed, row in ROWS if listed == int(number)]
            assert any(name in row for row in rows), f"{name}: case {number}"


@pytest.mark.parametrize("fault", FAULTS)
def test_every_cell_of_the_matrix_has_a_test_or_a_reason(fault):
    """A cell names tests, cases, or says why there is nothing to test."""
    (row,) = re.findall(rf"^\| {fault} \|(.*)\|$", PAGE, flags=re.MULTILINE)
    cells = [cell.strip() for cell in row.split("|")]
    assert len(cells) == 3
    assert all(cells)


def test_every_alarm_is_explained():
    """Each alarm of the deployment is in the page, by its name or by a pattern such as `x-*`."""
    alarms = (ROOT / "ops" / "terraform" / "alarms.tf").read_text(encoding="utf-8")
    names = re.findall(r"^ {6}([a-z-]+) += \{ text =", alarms, flags=re.MULTILINE)
    assert len(names) > 10
    listed = re.findall(r"`([a-z]+[a-z*-]*)`", PAGE.partition("## The alarms")[2])
    for name in names:
        assert any(fnmatch(name, one) for one in listed), name


def test_the_table_of_pools_has_the_numbers_of_the_code():
    """Sizes, waits and time limits."""
    defaults = read_settings([], {})
    in_server_s = int(SERVER_SETTINGS["statement_timeout"]) / 1000
    expected = {
        "PostgreSQL": (
            f"({defaults.database_pool})",
            f"{PATIENCE_S:g} s",
            f"{in_server_s:g} s in the server, {COMMAND_S:g} s here",
        ),
        "Redis": (str(CONNECTIONS), f"{SLOT_RULES.patience_s:g} s", f"{SOCKET_S:g} s"),
        "a source": (f"{SLOTS} calls", "until the deadline", "the source's deadline"),
        "searches": (f"({defaults.max_flights})", "no wait", "the search deadline"),
        "connections": (
            f"({defaults.max_connections:,}), {defaults.max_connections_per_address} of",
            "no wait",
            "timers",
        ),
    }
    table = PAGE.partition("| pool | size |")[2].partition("## ")[0]
    for pool, cells in expected.items():
        (row,) = re.findall(rf"^\| {pool} \|(.*)\|$", table, flags=re.MULTILINE)
        for cell, text in zip(row.split("|"), cells, strict=False):
            assert text in cell, (pool, text)

"""WORKERS: what is accepted, how many cores there are, and a worker's share of the limits."""

import os

import pytest

from newsintel.config.workers import MOST_WORKERS, count_cores, parse_workers
from newsintel.errors import SettingsError
from tests.config.test_settings import read, shown


@pytest.mark.parametrize(("raw", "workers"), [("1", 1), (" 2 ", 2), (str(MOST_WORKERS), 32)])
def test_a_number_within_bounds_is_accepted(raw, workers):
    """The default is one process."""
    assert read(WORKERS=raw).workers == workers
    assert read().workers == 1


@pytest.mark.parametrize(
    "raw", ["0", "33", "-1", "+2", "1.5", "two", "٢", "1_0", "0x2", "auto 2", "9" * 30, "none"]
)
def test_anything_else_is_one_line_that_names_the_setting(raw):
    """The message says what is allowed."""
    with pytest.raises(SettingsError) as refused:
        read(WORKERS=raw)
    assert str(refused.value) == (
        f"NEWSINTEL_WORKERS must be auto, or a whole number from 1 to 32, not {raw!r}"
    )


@pytest.mark.parametrize(("cores", "workers"), [(1, 1), (2, 2), (64, MOST_WORKERS)])
def test_auto_is_one_for_each_core(monkeypatch, cores, workers):
    """It never exceeds the bound, and `newsintel config` shows the number."""
    monkeypatch.setattr("newsintel.config.workers.count_cores", lambda: cores)
    assert parse_workers(" Auto ") == workers
    assert shown(read(WORKERS="auto"), "WORKERS").value == str(workers)


@pytest.mark.parametrize(
    ("limit", "cores"),
    [
        ("max 100000", 8),
        ("200000 100000", 2),
        ("150000 100000", 2),
        ("1000 100000", 1),
        ("9900000 100000", 8),
        ("", 8),
        ("nonsense", 8),
        ("100000 0", 8),
        (None, 8),
    ],
)
def test_cores_are_those_that_the_process_may_use(monkeypatch, tmp_path, limit, cores):
    """A container's limit counts; without a usable one, the cores that it is bound to count."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    path = tmp_path / "cpu.max"
    if limit is not None:
        path.write_text(f"{limit}\n")
    assert count_cores(path) == cores


@pytest.mark.parametrize(("known", "cores"), [(3, 3), (None, 1)])
def test_systems_without_affinity_count_all_cores(monkeypatch, tmp_path, known, cores):
    """macOS has none; if the number of cores is unknown, it is one."""
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: known)
    assert count_cores(tmp_path / "missing") == cores


def test_the_pool_has_two_connections_for_each_worker():
    """A default pool that is too small grows; one that was set is refused in one line."""
    assert read(WORKERS="5").database_pool == 10
    assert read(WORKERS="8").database_pool == 16
    assert shown(read(WORKERS="8"), "DATABASE_POOL").value == "16"
    assert read(WORKERS="8", DATABASE_POOL="16").database_pool == 16
    assert read(DATABASE_POOL="1").database_pool == 1
    with pytest.raises(SettingsError) as refused:
        read(WORKERS="8", DATABASE_POOL="15")
    assert str(refused.value) == (
        "NEWSINTEL_DATABASE_POOL (15) must be at least 16: 2 for each of the 8 NEWSINTEL_WORKERS"
    )


@pytest.mark.parametrize("workers", [1, 2, 3, 7, 32])
@pytest.mark.parametrize("limit", [1, 2, 100, 4096])
def test_all_workers_together_keep_to_the_limits(workers, limit):
    """Each has at least one connection of everything."""
    whole = read(
        WORKERS=str(workers),
        MAX_CONNECTIONS=str(limit),
        MAX_CONNECTIONS_PER_ADDRESS=str(limit),
        DATABASE_POOL="100",
    )
    share = whole.for_worker()
    assert share.max_connections == whole.max_connections
    for name in ("database_pool", "max_connections_per_address"):
        assert 1 <= getattr(share, name) <= max(1, getattr(whole, name) / workers)
    if workers == 1:
        assert share == whole

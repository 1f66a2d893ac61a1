"""The log's redactor, and the counters."""

import json
import logging
import re
from pathlib import Path

import pytest

from newsintel.settings import load
from newsintel.telemetry import COUNTERS, GAUGES, HISTOGRAMS, Metrics, set_up_logging
from tests.test_settings import DECLARED


@pytest.fixture
def logged(capsys):
    """Logs under an environment with planted secrets; returns what reached standard error."""
    root = logging.getLogger()
    before = root.handlers[:], root.level

    def run(log, **environ):
        set_up_logging(
            load(DECLARED, {"NEWSINTEL_GUARDIAN_KEY": "planted-key", "NEWSINTEL_DATABASE_URL": "postgresql://u:planted-pw@h/d", **environ})
        )
        log(logging.getLogger("newsintel.test"))
        return capsys.readouterr().err

    yield run
    root.handlers[:], root.level = before[0], before[1]


def boom(log):
    """Log a failure whose traceback and extras hold secrets."""
    try:
        raise ValueError("GET https://x.example/search?api-key=planted-key failed")
    except ValueError:
        log.exception("failed with planted-pw", extra={"url": "postgresql://u:planted-pw@h/d", "header": "Authorization: Bearer abc.def"})


def test_secrets_leave_through_no_part_of_a_line(logged):
    """Neither message, extra nor traceback shows a secret, known or only spelt like one; the rest stays readable."""
    err = logged(boom)
    assert "planted" not in err
    assert "abc.def" not in err
    line = json.loads(err)
    assert line["event"] == "failed with ***"
    assert line["level"] == "error"
    assert line["logger"] == "newsintel.test"
    assert "ValueError" in line["exception"]
    assert "api-key=***" in line["exception"]


def test_emf_form_is_json(logged):
    """LOG_FORMAT=emf leaves the log's lines as JSON; the metrics are lines of their own."""
    assert json.loads(logged(lambda log: log.info("hello"), NEWSINTEL_LOG_FORMAT="emf"))["event"] == "hello"


def test_text_form_is_redacted_too(logged):
    """The form for people has the same stars."""
    err = logged(boom, NEWSINTEL_LOG_FORMAT="text")
    assert "planted" not in err
    assert "failed with ***" in err


def test_level(logged):
    """LOG_LEVEL is a floor."""
    assert logged(lambda log: log.info("hidden"), NEWSINTEL_LOG_LEVEL="warning") == ""


def test_libraries_that_log_urls_are_hushed(logged):
    """httpx logs each URL at INFO, its key included; that record is never made."""
    assert logged(lambda _: logging.getLogger("httpx").info("GET https://x.example/?q=1")) == ""


def test_counters():
    """Counters start at 0, add up by label, and refuse names that are not declared."""
    metrics = Metrics()
    assert metrics.value("outcomes", source="guardian", status="ok") == 0
    metrics.count("outcomes", source="guardian", status="ok")
    metrics.count("outcomes", 2, source="guardian", status="ok")
    metrics.count("dead_letters")
    assert metrics.value("outcomes", source="guardian", status="ok") == 3
    assert metrics.value("dead_letters") == 1
    with pytest.raises(KeyError):
        metrics.count("nonsense")
    with pytest.raises(ValueError, match="label"):
        metrics.count("outcomes", source="guardian")


def test_histograms():
    """A value is in every bucket that reaches it, counted and added up under its labels; an unknown name is refused."""
    metrics = Metrics()
    for latency_s in (0.31, 0.4, 9.0):
        metrics.observe("fetch_seconds", latency_s, source="guardian", status="ok")
    read = {labels: value for (name, labels), value in metrics.samples().items() if name == "newsintel_fetch_seconds_bucket"}
    by_end = {dict(labels)["le"]: value for labels, value in read.items()}
    assert (by_end["0.3"], by_end["0.4"], by_end["3.0"], by_end["+Inf"]) == (0, 2, 2, 3)
    with pytest.raises(KeyError):
        metrics.observe("nonsense", 1)


def test_order_of_labels_does_not_matter():
    """The same labels in another order are the same series."""
    metrics = Metrics()
    metrics.count("outcomes", source="ok", status="guardian")
    metrics.count("outcomes", status="ok", source="guardian")
    assert metrics.value("outcomes", source="guardian", status="ok") == 1
    assert metrics.value("outcomes", source="ok", status="guardian") == 1


def test_gauges_are_read_when_asked():
    """Each time afresh; one that is not declared cannot be watched."""
    metrics, flights = Metrics(), iter([3, 5])
    metrics.watch("flights", lambda: {(): next(flights)})
    assert b"newsintel_flights 3.0" in metrics.exposition()
    assert metrics.samples()["newsintel_flights", ()] == 5
    with pytest.raises(KeyError):
        metrics.watch("nonsense", dict)


def test_process_is_among_the_metrics():
    """Resident memory, open descriptors, CPU time and the garbage collector, of this process."""
    text = Metrics().exposition().decode()
    for name in ("process_resident_memory_bytes", "process_open_fds", "process_cpu_seconds_total", "python_gc_collections_total"):
        assert f"\n{name}" in text


def test_operators_page_has_every_metric():
    """docs/operating.md names each counter, histogram and gauge, and no other."""
    page = (Path(__file__).resolve().parents[1] / "docs" / "operating.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^\| `newsintel_([a-z_]+)` \|", page, re.MULTILINE))
    assert told == {*(f"{name}_total" for name in COUNTERS), *HISTOGRAMS, *GAUGES}


def test_addresses_stay_readable(logged):
    """A port is no secret; the password in a URL that no setting holds is."""
    err = logged(lambda log: log.info("on http://127.0.0.1:8000 from redis://u:unknown-pw@cache.example:6379/0"))
    assert "http://127.0.0.1:8000" in err
    assert "redis://u:***@cache.example:6379" in err

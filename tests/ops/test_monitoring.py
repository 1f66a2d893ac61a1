"""ops/monitoring, judged by promtool and by the metrics of a running service."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from newsintel.domain.operations.metrics import COUNTERS, GAUGES, HISTOGRAMS
from tests.service import running

MONITORING = Path(__file__).resolve().parents[2] / "ops" / "monitoring"
PROMTOOL = shutil.which("promtool")
RATE = "5m"
"""What Grafana puts in place of $__rate_interval."""

THEIRS = {"up", "ALERTS"}
"""Metrics of Prometheus itself."""

THEIR_LABELS = {"instance", "job", "le", "worker"}
"""Labels of a scrape, of a histogram, and of each process of several workers."""

needs_promtool = pytest.mark.skipif(
    PROMTOOL is None, reason="promtool is not installed (Debian: apt-get install prometheus)"
)


def promtool(*args):
    """Run promtool."""
    return subprocess.run([PROMTOOL, *args], capture_output=True, text=True, check=False)


def alert_queries():
    """The expression of each alert."""
    groups = yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"]
    return {rule["alert"]: rule["expr"] for group in groups for rule in group["rules"]}


def read_dashboard():
    """The dashboard."""
    return json.loads((MONITORING / "dashboard.json").read_text())


def dashboard_queries():
    """Every query of the dashboard, with its variables replaced."""
    dashboard = read_dashboard()
    texts = {
        f"{panel['title']} {target['refId']}": target["expr"]
        for panel in dashboard["panels"]
        for target in panel.get("targets", ())
    }
    texts["annotation"] = dashboard["annotations"]["list"][0]["expr"]
    return {
        name: text.replace("$__rate_interval", RATE).replace("$instance", ".*")
        for name, text in texts.items()
    }


@pytest.fixture(scope="module")
def families(tmp_path_factory):
    """The names of all metrics of a running service with two workers, as Prometheus reads them."""
    with running(tmp_path_factory.mktemp("metrics"), "serve", "--workers", "2") as service:
        text = service.get("/metrics").text
    found = set()
    for family in text_string_to_metric_families(text):
        suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"]}
        found |= {family.name + suffix for suffix in suffixes.get(family.type, [""])}
    return found


QUERIES = {**alert_queries(), **dashboard_queries()}


def names_in(query):
    """The names of metrics in a query."""
    return set(re.findall(r"\b(?:newsintel|process)_\w+|\bup\b", query))


@pytest.mark.slow
def test_every_metric_exists(families):
    """In the answer of `/metrics`; a name that is wrong by one letter would never fire."""
    named = {name for query in QUERIES.values() for name in names_in(query)}
    assert len(named) > 30
    assert named - THEIRS <= families


def test_every_label_exists():
    """Each label in a query is one of a metric in that query."""
    tables = {
        **{f"newsintel_{name}_total": labels for name, (_, labels) in COUNTERS.items()},
        **{f"newsintel_{name}": labels for name, (_, labels) in GAUGES.items()},
        **{
            f"newsintel_{name}{suffix}": labels
            for name, (_, labels, _) in HISTOGRAMS.items()
            for suffix in ("_bucket", "_count")
        },
    }
    for title, query in QUERIES.items():
        known = {label for name in names_in(query) for label in tables.get(name, ())}
        used = set(re.findall(r"(\w+)\s*(?:=~|!=|=)\s*\"", query))
        for group in re.findall(r"by \(([^)]*)\)", query):
            used |= {label.strip() for label in group.split(",")}
        assert used - THEIR_LABELS <= known, title


@needs_promtool
def test_alerts_are_valid_and_fire(tmp_path):
    """By promtool's own unit tests; a rule that is broken is found."""
    rules = MONITORING / "alerts.yaml"
    done = promtool("check", "rules", str(rules))
    assert done.returncode == 0, done.stderr
    done = promtool("test", "rules", str(MONITORING / "alerts_test.yaml"))
    assert done.returncode == 0, done.stdout + done.stderr
    (tmp_path / "alerts.yaml").write_text(rules.read_text().replace("== 1", "== 2"))
    shutil.copy(MONITORING / "alerts_test.yaml", tmp_path)
    assert promtool("test", "rules", str(tmp_path / "alerts_test.yaml")).returncode == 1


def test_every_alert_is_tested():
    """By the unit tests of promtool: silent while all is well."""
    tests = yaml.safe_load((MONITORING / "alerts_test.yaml").read_text())["tests"]
    assert {case["alertname"] for case in tests[0]["alert_rule_test"]} == set(alert_queries())
    expected = tests[1]["promql_expr_test"][0]["exp_samples"]
    assert expected == [{"value": len(alert_queries())}]


@needs_promtool
def test_every_query_of_the_dashboard_is_valid(tmp_path):
    """As recording rules, which promtool parses."""
    rules = [
        {"record": f"panel:{number}", "expr": query}
        for number, query in enumerate(dashboard_queries().values())
    ]
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = promtool("check", "rules", str(path))
    assert done.returncode == 0, done.stderr


def test_panels_do_not_overlap():
    """Each has its own id and place on Grafana's grid of 24 columns."""
    panels = read_dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24

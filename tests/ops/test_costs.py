"""The costs in docs/deploy.md are what ops/costs.py computes from counts of what there is."""

import json
import re
import statistics

import pytest

from newsintel.domain.operations import emf
from ops import costs
from ops.terraform_check.canonical import REVIEWED
from ops.terraform_check.tools import CONFIGURATION, ROOT

SOURCES = ("newsapi", "guardian", "reddit")
"""The default of the variable `sources`."""

PAGE = (ROOT / "docs/deploy.md").read_text(encoding="utf-8")


def count(pattern):
    """How many resources the reviewed configuration has of a kind."""
    found = re.findall(
        rf"^({pattern}[^ ]*) ", REVIEWED.read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    # A line about all instances (`depends_on`) has no key.
    return len({name for name in found if not any(f"{name}[" in other for other in found)})


def test_the_page_has_the_computed_table():
    """Run `python -m ops.costs` after a change and copy its output."""
    assert costs.build_table() in PAGE
    assert costs.build_facts() in PAGE


def test_the_counts_are_those_of_the_configuration():
    """A new alarm, key, secret or metric costs money."""
    assert count(r"aws_cloudwatch_metric_alarm\.") == costs.ALARMS
    assert count(r"aws_kms_key\.") == costs.KEYS
    assert count(r"aws_secretsmanager_secret\.") + 1 == costs.SECRETS  # RDS makes the owner's
    assert count(r"aws_nat_gateway\.") == count(r"aws_eip\.") == costs.ZONES
    assert count(r"aws_vpc_endpoint\.interface") == costs.ENDPOINTS
    assert len(emf.build_metrics(SOURCES)) == costs.OWN_METRICS


def test_the_measured_figures_are_those_of_the_last_benchmark():
    """After `./dev bench hit miss` these constants, the page and the scaling target may follow."""
    hit, miss = (
        json.loads((ROOT / f"benchmarks/results/{name}.json").read_text(encoding="utf-8"))[
            "figures"
        ]
        for name in ("hit", "miss")
    )
    hit_us = statistics.median(hit["rounds"]["newsintel, 8"]["server_us"])
    assert hit_us / 1000 == pytest.approx(costs.HIT_MS, abs=0.001)
    assert statistics.median(miss["server_cpu_ms"]["newsintel"]) == pytest.approx(
        costs.MISS_MS, abs=0.1
    )
    assert hit["body_bytes"]["newsintel"] / 1000 == pytest.approx(costs.ANSWER_KB, abs=0.05)
    assert f"a hit takes {costs.HIT_MS} ms of a core and a miss\n{costs.MISS_MS} ms" in PAGE


def test_the_target_of_scaling_is_what_a_task_can_carry():
    """Requests add a task a little before its processor is as busy as it may be."""
    variables = (CONFIGURATION / "variables.tf").read_text(encoding="utf-8")
    block = variables.partition('variable "requests_per_task_per_minute"')[2]
    target = int(re.search(r"default *= (\d+)", block)[1])
    assert 0.8 < target / 60 / costs.count_requests_per_task() < 1
    assert f"{costs.count_requests_per_task():.0f} requests/s at 70 % of a core" in PAGE
    assert f"is {target:,} ({target / 60:.0f}/s)" in PAGE


@pytest.mark.parametrize(
    ("gigabytes", "dollars"),
    [(0, 0), (100, 0), (101, 0.09), (10_340, 921.6), (51_300, 921.6 + 3_481.6)],
)
def test_data_to_people_is_priced_by_steps(gigabytes, dollars):
    """The first 100 GB of a month are free, and each step has its own price."""
    assert costs.price_egress(gigabytes) == pytest.approx(dollars)


def test_the_smallest_plan_of_a_source_is_too_small_for_the_smallest_site():
    """The page says so, and what the plan costs."""
    plan = f"was {costs.NEWSAPI_PLAN:.0f} a month for\n  {costs.NEWSAPI_CALLS:,} calls"
    assert plan in PAGE
    assert costs.LOADS[0].requests * costs.MISS_SHARE * costs.SECONDS > costs.NEWSAPI_CALLS

"""The costs in docs/deploy.md are what ops/costs.py computes from counts of what there is."""

import re

import pytest

from newsintel.domain.operations import emf
from newsintel.outbound.sources import REGISTRY
from ops import costs
from ops.terraform_check.canonical import REVIEWED
from ops.terraform_check.tools import CONFIGURATION, ROOT

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
    assert len(emf.build_metrics(REGISTRY)) == costs.OWN_METRICS


def test_the_processor_times_are_those_that_were_measured():
    """The page of performance states both, and the share that a miss takes since."""
    text = (ROOT / "docs/performance.md").read_text(encoding="utf-8")
    hit = re.search(r"newsintel, 8 conn\. .*\| (\d+) \(167-445\)", text)
    miss = re.search(r"\| newsintel \| 345\.4 .*\| ([0-9.]+) \(102", text)
    share = re.search(r"a miss of known articles takes ([0-9.]+)", text)
    assert int(hit[1]) / 1000 == costs.HIT_MS
    assert float(miss[1]) * float(share[1]) == pytest.approx(costs.MISS_MS, abs=0.1)


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

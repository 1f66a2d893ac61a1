"""The Terraform configuration against the service: names and numbers agree, and policies work."""

import re
import shutil
import subprocess
import sys

import pytest

from newsintel.config.environment import PREFIX
from newsintel.config.reading import read_settings
from newsintel.config.settings import Settings
from newsintel.domain.operations import emf
from newsintel.http.server import connection
from newsintel.outbound.sources import REGISTRY
from newsintel.runtime.lifecycle import END_SLACK_S
from ops.terraform_check.breaches import load_breaches
from ops.terraform_check.mutants import load_mutants, load_scenarios
from ops.terraform_check.tools import CONFIGURATION, FEATURES, ROOT

# Settings whose default is right for production, or that something else sets.
LEFT_ALONE = {
    "ALLOWED_HOSTS": "PUBLIC_URL's is the one host",
    "DATA_DIR": "production keeps nothing on disk",
    "COMMIT": "the image knows it",
    "LOG_LEVEL": "info",
    "MAX_FLIGHTS": "measured on one core, which is what a task has",
    "MAX_CONNECTIONS": "a task's descriptors have room for the default",
    "MAX_CONNECTIONS_PER_ADDRESS": "the balancer is a trusted proxy, which has no such limit",
    "HEAD_TIMEOUT_S": "the contract's",
    "WORKERS": "a task has one core; more tasks serve more",
    "SEARCH_DEADLINE_S": "the contract's",
    "CACHE_TTL_S": "the contract's",
    "CACHE_REVALIDATE_S": "the contract's",
    "CACHE_STALE_S": "the contract's",
    "CACHE_PARTIAL_S": "the contract's",
    "HISTORY_RETENTION_D": "the contract's",
    "TRENDING_FLOOR": "the contract's",
    "RATE_LIMIT": "the contract's",
    "MISS_LIMIT": "the contract's",
    "SESSION_IDLE_S": "the contract's",
    "SESSION_MAX_S": "the contract's",
    "DEV_SIGN_IN": "refused in production",
    "METRICS_BIND": "metrics travel in the log",
    "CORS_ORIGINS": "no other site is served",
    "FEEDS": "SOURCES names the sources; feeds are none of them unless somebody adds it",
    "FEEDS_POLL_MIN_S": "the contract's",
    "FEEDS_POLL_MAX_S": "the contract's",
    "PRIVATE_ADDRESSES": "refused in production",
    "SMTP_URL": "the tasks may call ports 80 and 443 only; alerts go by webhook",
    "SMTP_FROM": "as SMTP_URL",
    "ALERTS_PER_PERSON": "the contract's",
    "DATABASE_READ_URL": "there is no replica: one database serves the largest number of tasks",
    "OPS_PAGE": "the dashboard shows the same for all tasks together",
    "OPERATORS": "as OPS_PAGE",
    "REDDIT_SUBREDDITS": "a matter of taste",
    "SPOOL_MAX_BYTES": "a fifth of the smallest cache node",
    "REDDIT_AUTH_URL": "the real one",
    "GDELT_BULK": "300,000 articles a day need another database",
    "GDELT_BULK_URL": "the real one",
} | {
    f"{source.upper()}_{what}": "the source's own"
    for source in REGISTRY
    for what in ("URL", "DEADLINE_S", "PACE_S", "QUOTA", "RETENTION_D")
}

RESOURCE_TYPES = """
    acm_certificate acm_certificate_validation appautoscaling_policy appautoscaling_target
    cloudwatch_dashboard cloudwatch_log_group cloudwatch_metric_alarm db_event_subscription
    db_instance db_parameter_group db_subnet_group default_security_group ecr_lifecycle_policy
    ecr_repository ecs_cluster ecs_service ecs_task_definition eip elasticache_parameter_group
    elasticache_replication_group elasticache_subnet_group elasticache_user elasticache_user_group
    flow_log iam_openid_connect_provider iam_role iam_role_policy iam_role_policy_attachment
    internet_gateway kms_alias kms_key lb lb_listener lb_target_group nat_gateway route
    route53_record route_table route_table_association s3_bucket s3_bucket_lifecycle_configuration
    s3_bucket_ownership_controls s3_bucket_policy s3_bucket_public_access_block
    s3_bucket_server_side_encryption_configuration s3_bucket_versioning secretsmanager_secret
    secretsmanager_secret_version security_group sns_topic sns_topic_policy sns_topic_subscription
    subnet vpc vpc_endpoint vpc_security_group_egress_rule vpc_security_group_ingress_rule
"""


@pytest.fixture(scope="module")
def texts():
    """The files of the configuration, by name."""
    return {path.name: path.read_text(encoding="utf-8") for path in CONFIGURATION.glob("*.tf")}


def named(text):
    """The settings that a text names."""
    return {name.removeprefix(PREFIX) for name in re.findall(rf"\b{PREFIX}[A-Z_]+\b", text)}


def known():
    """Every setting of the service."""
    return {
        row.name.removeprefix(PREFIX)
        for row in read_settings([source.options for source in REGISTRY.values()], {}).rows
    }


def number(text, name):
    """The value of a local."""
    return float(re.search(rf"^\s*{name}\s*=\s*([0-9.]+)", text, flags=re.MULTILINE)[1])


def test_terraform_sets_what_the_service_reads(texts):
    """A name that the service does not read would be a setting without effect."""
    assert named(texts["ecs.tf"]) - known() == set()


def test_every_setting_is_set_or_left_alone_for_a_reason(texts):
    """Each new setting needs a decision for production."""
    assert known() - named(texts["ecs.tf"]) - LEFT_ALONE.keys() == set()
    assert not named(texts["ecs.tf"]) & LEFT_ALONE.keys()


def test_numbers_agree_with_the_service(texts):
    """Limits outside depend on drain, watchdog, pool and keep-alive."""
    assert number(texts["locals.tf"], "drain_s") == Settings().drain_s
    assert number(texts["locals.tf"], "watchdog_slack_s") == END_SLACK_S
    assert number(texts["locals.tf"], "database_pool") == Settings().database_pool
    assert number(texts["alb.tf"], "idle_timeout") < connection.KEEP_ALIVE_S


def test_every_type_of_resource_is_known_here(texts):
    """A resource type that no policy names would pass all policies, such as a registry policy.

    A new type must be added here after thought.
    """
    assert set(
        re.findall(r'^resource "aws_(\w+)"', "\n".join(texts.values()), flags=re.MULTILINE)
    ) == set(RESOURCE_TYPES.split())


def test_one_owner_for_every_field_that_changes(texts):
    """The pipeline owns the revision, autoscaling the count. Terraform must not reset them."""
    assert "ignore_changes = [task_definition, desired_count]" in texts["ecs.tf"]


def test_watched_metrics_are_written(texts):
    """An alarm on a metric that is never written never fires."""
    watched = set(re.findall(r'local\.own_metrics, metric = "([^"]+)"', texts["alarms.tf"]))
    watched |= set(
        re.findall(
            r'"([a-z0-9_]+)"', texts["dashboard.tf"].partition("for name in [")[2].partition("]")[0]
        )
    )
    watched |= set(re.findall(r'local\.own_metrics, "([^"]+)"', texts["dashboard.tf"]))
    assert {"hit_ratio", "flight_bugs", "fetch_p99_ms_${source}"} <= watched
    written = emf.build_metrics(REGISTRY).keys()
    for name in watched:
        assert {name.replace("${source}", source) for source in REGISTRY} <= written, name
    assert emf.DIMENSION == "env"
    assert f'own_metrics    = "{emf.NAMESPACE}"' in texts["alarms.tf"]


def test_the_image_runs_as_the_user_that_the_task_names(texts):
    """The file system is read-only for every user; a wrong number would only fail in production."""
    user = re.search(
        r"^USER (\S+)", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE
    )[1]
    assert f'user                   = "{user}"' in texts["ecs.tf"]


def test_scenarios_and_mutants_match_one_to_one():
    """A scenario that no mutant breaks checks nothing.

    Names are unique, because reports use them.
    """
    scenarios, mutants = load_scenarios(FEATURES), load_mutants(FEATURES / "mutants.toml")
    assert len(scenarios) == len(set(scenarios)) >= 40
    assert sorted(scenarios) == sorted(mutant.scenario for mutant in mutants)


def test_no_feature_passes_by_finding_nothing():
    """terraform-compliance skips what it does not find, unless @noskip is set."""
    for feature in FEATURES.glob("*.feature"):
        assert feature.read_text(encoding="utf-8").startswith("@noskip\nFeature: "), feature.name


def test_every_mutant_finds_its_line(tmp_path):
    """Exactly once, so that an edit of the file cannot disable a mutant."""
    breaches = [each.change for each in load_breaches(FEATURES / "breaches.toml")]
    for mutant in load_mutants(FEATURES / "mutants.toml") + breaches:
        shutil.copy(CONFIGURATION / mutant.file, tmp_path)
        before = (tmp_path / mutant.file).read_text(encoding="utf-8")
        mutant.apply(tmp_path)
        assert (tmp_path / mutant.file).read_text(encoding="utf-8") != before


def test_every_skipped_checkov_check_has_its_reason(texts):
    """The reason is on the same line."""
    lines = (
        (CONFIGURATION / ".checkov.yaml")
        .read_text(encoding="utf-8")
        .partition("skip-check:\n")[2]
        .splitlines()
    )
    assert lines
    for line in lines:
        assert re.fullmatch(r"  - CKV2?_AWS_\d+ # .{20,}", line), line
    for text in texts.values():
        for reason in re.findall(r"checkov:skip=(.*)", text):
            assert re.fullmatch(r"CKV2?_AWS_\d+: .{20,}", reason), reason


def test_variables_are_typed_described_and_validated(texts):
    """No name is declared twice."""
    blocks = re.split(r"^variable ", texts["variables.tf"], flags=re.MULTILINE)[1:]
    for block in blocks:
        for word in ("description = ", "type ", "error_message = "):
            assert word in re.sub(" +", " ", block), block.splitlines()[0]
    names = re.findall(
        r"^(?:resource|variable|output) .+? \{$", "\n".join(texts.values()), flags=re.MULTILINE
    )
    assert len(names) == len(set(names))


def test_the_files_are_in_standard_form():
    """The form is that of `terraform fmt`."""
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not on PATH")
    done = subprocess.run(
        ["terraform", "fmt", "-check", "-recursive", str(CONFIGURATION)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("environ", "code", "words"),
    [
        ({}, 0, "skipped. "),
        ({"CI": "true"}, 1, "FAILED, nothing was checked. "),
    ],
)
def test_without_terraform_the_check_says_why_and_no_gate_opens(environ, code, words):
    """A bare machine has no terraform, which is no error there. In CI it is one."""
    command = [sys.executable, "-m", "ops.terraform_check"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={"PATH": "/nowhere", **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (
        code,
        f"terraform-check: {words}terraform is not on PATH\n",
    )


def test_the_pipeline_builds_for_the_processor_of_the_tasks(texts):
    """An image for another processor starts nowhere: `exec format error`."""
    platforms = {"ARM64": "linux/arm64", "X86_64": "linux/amd64"}
    architecture = re.search(r'architecture *= "(\w+)"', texts["locals.tf"])[1]
    workflow = (ROOT / ".github/workflows/deploy.yml").read_text(encoding="utf-8")
    assert re.findall(r"platforms: (linux/\S+)", workflow) == [platforms[architecture]]
    for name in ("ecs.tf", "ops.tf"):
        assert set(re.findall(r"cpu_architecture *= (\S+)", texts[name])) == {"local.architecture"}

"""The canonical form shows each property once, and a breach is seen by its line."""

import pytest

from ops.terraform_check import canonical
from ops.terraform_check.breaches import Breach, find_unseen, load_breaches
from ops.terraform_check.mutants import Mutant
from ops.terraform_check.properties import list_blocks, list_properties, list_references
from ops.terraform_check.tools import FEATURES, ToolFailedError


def properties(after, unknown=None, expressions=None):
    """The lines of a resource x.y; without `expressions` the configuration sets everything."""
    known = {"address": "x.y", "change": {"after": after}}
    return list(
        list_properties(known, unknown or {}, after if expressions is None else expressions)
    )


def test_a_property_is_a_line():
    """Lists of plain values are one line; what is not set has none."""
    assert properties({"a": 1, "b": False, "c": ["z", "y"], "d": None, "e": [], "f": ""}) == [
        "x.y a = 1",
        "x.y b = false",
        'x.y c = ["z", "y"]',
    ]


def test_a_policy_is_a_line_for_each_part_of_each_statement():
    """A policy is a string with JSON. Statements are named by their Sid."""
    policy = '{"Statement": [{"Sid": "Read", "Action": ["a:B"]}, {"Action": "c:D"}]}'
    assert properties({"policy": policy}) == [
        'x.y policy.Statement[Read].Sid = "Read"',
        'x.y policy.Statement[Read].Action = ["a:B"]',
        'x.y policy.Statement[1].Action = "c:D"',
    ]


def test_what_aws_computes_is_shown_only_as_a_reference():
    """Terraform invents another value in each run for what nobody refers to."""
    after = {
        "arn": "k3j2",
        "group": "aws_group.a.id",
        "rule": [{"order": "8f3e", "port": 80}],
        "names": ["a", "b"],
        "ids": ["9d2k"],
    }
    unknown = {"arn": True, "group": True, "rule": [{"order": True}]}
    unknown |= {"names": [False, False], "ids": [True]}
    assert properties(after, unknown) == [
        'x.y group = "aws_group.a.id"',
        "x.y rule[0].port = 80",
        'x.y names = ["a", "b"]',
    ]


def test_what_the_configuration_does_not_set_is_left_out():
    """A provider's defaults differ between its versions. A dynamic block is set, but unnamed."""
    after = {"a": 1, "b": 2, "log": [{"type": "slow"}], "tags": {"Name": "x"}}
    assert properties(after, expressions={"a": {}, "tags": {}}) == [
        "x.y a = 1",
        'x.y log[0].type = "slow"',
    ]


def test_a_default_in_a_block_is_left_out():
    """The real provider knows the defaults of blocks, and its stand-in does not."""
    after = {
        "rule": [{"port": 80, "host": "#{host}"}, {"port": 81, "path": "/x"}],
        "scan": {"on": True, "deep": False},
    }
    port, path = {"constant_value": 80}, {"references": ["local.path"]}
    expressions = {"rule": [{"port": port}, {"port": port, "path": path}], "scan": {"on": port}}
    assert properties(after, expressions=expressions) == [
        "x.y rule[0].port = 80",
        "x.y rule[1].port = 81",
        'x.y rule[1].path = "/x"',
        "x.y scan.on = true",
    ]


def test_references_of_write_only_arguments_are_shown():
    """No plan has their values. Where a value comes from can be reviewed."""
    resource = {
        "address": "x.y",
        "expressions": {"password_wo": {"references": ["ephemeral.z"]}, "port": {}},
        "depends_on": ["a.b"],
    }
    assert list(list_references([resource])) == [
        'x.y password_wo <- ["ephemeral.z"]',
        "x.y depends_on a.b",
    ]


def test_blocks_without_a_plan_are_shown_as_text():
    """Backend, ephemeral values, variables, lifecycles, and locals that secrets go through."""
    text = """
terraform {
  backend "s3" {
    use_lockfile = true # a comment
  }
}

ephemeral "p" "main" {
  length   = 48
}

resource "a" "b" {
  port = 80

  lifecycle {
    ignore_changes = [x]
  }
}

locals {
  plain = 1
}

locals {
  document = ephemeral.p.main.value
}
"""
    assert list(list_blocks(text)) == [
        'terraform: backend "s3" {',
        "terraform: use_lockfile = true",
        'ephemeral "p" "main": length = 48',
        'resource "a" "b": ignore_changes = [x]',
        "locals: document = ephemeral.p.main.value",
    ]


def test_any_other_line_than_the_reviewed_ones_is_an_error(tmp_path, monkeypatch):
    """The message has the changed lines, and says what to do if they are meant."""
    monkeypatch.setattr(canonical, "REVIEWED", tmp_path / "reviewed.txt")
    canonical.REVIEWED.write_text("a = 1\nb = 2\n")
    assert canonical.check_reviewed("a = 1\nb = 2\n") == 2
    with pytest.raises(ToolFailedError, match="--review") as raised:
        canonical.check_reviewed("a = 1\nb = 3\n")
    assert str(raised.value).splitlines()[-2:] == ["-b = 2", "+b = 3"]


@pytest.mark.parametrize(
    ("planned", "unseen"),
    [("a.b port = 81\n", 0), ("a.b port = 80\n", 1), ("a.b port = 80\na.c port = 1\n", 1)],
)
def test_a_breach_is_seen_only_by_its_own_line(planned, unseen):
    """Another breach of the same plan changes other lines."""
    breach = Breach(Mutant("an open port", "main.tf", "80", "81"), "a.b port")
    assert len(find_unseen([breach], "a.b port = 80\n", planned)) == unseen


def test_there_are_as_many_breaches_as_were_tried_before():
    """52 were, of which the policies saw 15. Names are unique, because reports use them."""
    breaches = load_breaches(FEATURES / "breaches.toml")
    assert len({breach.name for breach in breaches}) == len(breaches) >= 52

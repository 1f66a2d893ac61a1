"""The simulated account fails each creation once, and keeps what AWS would keep."""

import pytest

from ops.terraform_check.account import FAILURES, Account, invent
from ops.terraform_check.first_apply import check_passwords
from ops.terraform_check.tools import ToolFailedError

VERSION = "aws_secretsmanager_secret_version"
USER = "aws_elasticache_user"
BLOCK = {
    "attributes": {
        "id": {"type": "string", "computed": True},
        "secret_id": {"type": "string"},
        "secret_string_wo": {"type": "string", "write_only": True},
        "version_id": {"type": "string", "computed": True},
        "user_id": {"type": "string"},
        "passwords_wo": {"type": "string", "write_only": True},
        "passwords_wo_version": {"type": "number"},
    }
}


def write_secret(account, text):
    """Create a version of the cache's secret."""
    given = {"secret_id": "the cache", "secret_string_wo": text}
    return account.change(VERSION, BLOCK, None, {"secret_id": "the cache"}, given)


def write_user(account, password, *, version=1, before=None):
    """Create or change the cache's user."""
    planned = {"user_id": "u", "passwords_wo_version": version}
    return account.change(USER, BLOCK, before, planned, {**planned, "passwords_wo": password})


@pytest.mark.parametrize("when", FAILURES)
def test_each_creation_fails_once(tmp_path, when):
    """Also if the next run is another process, and whatever secret it brings."""
    Account(tmp_path / "a").fail_each_once(when)
    first = write_secret(Account(tmp_path / "a"), '{"password": "1"}')
    second = write_secret(Account(tmp_path / "a"), '{"password": "2"}')
    assert bool(first.error) == (when != "never")
    assert (first.state is None) == (when == "before")
    assert not second.error
    assert second.state["version_id"]
    assert second.state.get("secret_string_wo") is None
    assert Account(tmp_path / "a").list_failed() == ([] if when == "never" else [VERSION])


@pytest.mark.parametrize(("when", "written"), [("before", False), ("after", True)])
def test_a_failed_call_has_its_effect_or_not(tmp_path, when, written):
    """AWS may have done what Terraform did not hear of."""
    account = Account(tmp_path / "a")
    account.fail_each_once(when)
    write_secret(account, '{"password": "1"}')
    assert bool(account.list_secrets()) == written


def test_a_user_keeps_its_password_until_the_version_is_raised(tmp_path):
    """As the provider: a write-only value alone changes nothing."""
    account = Account(tmp_path / "a")
    state = write_user(account, "one").state
    write_user(account, "two", before=state)
    assert account.list_passwords() == {"u": "one"}
    write_user(account, "two", version=2, before=state)
    assert account.list_passwords() == {"u": "two"}


def test_different_passwords_are_found(tmp_path):
    """Then the service cannot use its cache, at every run, for good."""
    account = Account(tmp_path / "a")
    write_user(account, "one")
    with pytest.raises(ToolFailedError, match="different passwords"):
        check_passwords(account)
    write_secret(account, '{"password": "two"}')
    with pytest.raises(ToolFailedError, match="different passwords"):
        check_passwords(account)
    write_secret(account, '{"password": "one"}')
    check_passwords(account)


def test_passwords_differ_in_every_run(tmp_path):
    """GetRandomPassword never answers the same."""
    made = [Account(tmp_path / "a").create_password() for _ in range(3)]
    assert len(set(made)) == 3
    assert all(len(each) == 48 for each in made)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("string", "x"),
        ("bool", False),
        (["set", "string"], []),
        (["map", "string"], {}),
        (["list", ["object", {"arn": "string"}]], [{"arn": "x arn"}]),
    ],
)
def test_computed_values_have_their_type(kind, value):
    """A list of objects has one, because the configuration refers to its first."""
    assert invent(kind, "x") == value


def test_a_restored_database_gets_the_name_but_not_the_id(tmp_path):
    """So a state that has the id follows the old one."""
    account = Account(tmp_path / "a")
    planned = {"identifier": "db"}
    made = account.change("aws_db_instance", BLOCK, None, planned, planned).state
    Account(tmp_path / "a").swap_databases()
    account = Account(tmp_path / "a")
    assert account.read_database(made["id"])["identifier"] == "db-old"
    assert account.read_database("db")["id"] != made["id"]
    assert account.read_database("other") is None

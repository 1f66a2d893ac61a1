"""`newsintel new-account` and `new-api-key`: an account and a key without any sign-in provider."""

import re

import pytest

from tests.service import newsintel, running


@pytest.fixture(scope="module")
def serving(tmp_path_factory):
    """A folder and the service that runs on it with sign-in off."""
    folder = tmp_path_factory.mktemp("accounts")
    with running(folder, "serve", SIGN_IN="off") as service:
        made = newsintel(folder, "new-account", "my reader")
        assert made.returncode == 0, made.stderr
        yield folder, service, made.stdout


def asked(service, path, key):
    """The response to a program with this key."""
    return service.client.get(service.url + path, headers={"Authorization": f"Bearer {key}"})


@pytest.mark.slow
def test_new_key_works_on_a_running_service(serving):
    """The key works at once, allows what its scope says, and is all that is printed."""
    folder, service, printed = serving
    assert re.fullmatch(r"u_[a-z2-7]{20}\n", printed)
    reading = newsintel(folder, "new-api-key", "my reader", "--scope", "read")
    assert reading.returncode == 0, reading.stderr
    assert re.fullmatch(r"ni_[\w-]{43}\n", reading.stdout)
    assert reading.stdout.strip() not in reading.stderr
    me = asked(service, "/me", reading.stdout.strip()).json()
    assert (me["id"], me["username"], me["provider"]) == (printed.strip(), "my reader", "local")
    writing = newsintel(folder, "new-api-key", "my reader", "--scope", "write").stdout.strip()
    for key, status in ((reading.stdout.strip(), 403), (writing, 201)):
        put = service.client.put(
            f"{service.url}/me/preferences/theme",
            json={"value": 1},
            headers={"Authorization": f"Bearer {key}"},
        )
        assert put.status_code == status


@pytest.mark.slow
def test_revoke_others_revokes_older_keys(serving):
    """Nobody can sign in to such an account, so only the command can revoke a leaked key."""
    folder, service, _ = serving
    old = newsintel(folder, "new-api-key", "my reader", "--scope", "read").stdout.strip()
    assert asked(service, "/me", old).status_code == 200
    new = newsintel(
        folder, "new-api-key", "my reader", "--scope", "read", "--revoke-others"
    ).stdout.strip()
    assert (asked(service, "/me", old).status_code, asked(service, "/me", new).status_code) == (
        401,
        200,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("new-account", "my reader"), 1, "there is an account 'my reader' already"),
        (("new-account", " "), 2, "NAME must have 1 to 100 printable characters"),
        (("new-account", "x" * 101), 2, "NAME must have 1 to 100 printable characters"),
        (("new-account", "a\nb"), 2, "NAME must have 1 to 100 printable characters"),
        (
            ("new-api-key", "nobody", "--scope", "read"),
            1,
            "there is no account 'nobody': make it with newsintel new-account",
        ),
        (("new-api-key", "my reader", "--scope", "all"), 2, "invalid choice: 'all'"),
        (("new-api-key", "my reader"), 2, "--scope"),
    ],
)
def test_failure_is_one_clear_line(serving, args, code, says):
    """A failed command prints no key."""
    done = newsintel(serving[0], *args)
    assert (done.returncode, done.stdout) == (code, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr

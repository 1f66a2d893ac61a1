"""`newsintel config` and settings that cannot be used."""

import pytest

from newsintel.cli import main


@pytest.fixture
def environ(monkeypatch, tmp_path):
    """Sets the environment to these alone."""

    def become(**settings):
        for name in ("DATABASE_URL", "REDIS_URL", "PORT", "PGSSLROOTCERT"):
            monkeypatch.delenv(name, raising=False)
        for name, value in {"HOME": str(tmp_path), **settings}.items():
            monkeypatch.setenv(name, value)

    return become


@pytest.mark.parametrize("command", [["config"], ["config", "--json"], ["serve"], ["migrate"], ["search", "x"]])
@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("NEWSINTEL_DATABASE_URL", "foo"),
        ("DATABASE_URL", "postgresql://u:planted@h/d?channel_binding=require"),
        ("DATABASE_URL", "postgresql://u:planted@h/d?sslmode=verify-full"),
        ("NEWSINTEL_REDIS_URL", "localhost:6379"),
        ("REDIS_URL", "redis://:planted@h?ssl_cert_reqs=none"),
    ],
)
def test_a_store_url_that_cannot_be_used_is_one_line_and_exit_2(environ, capsys, command, name, url):
    """In every command, `config` too; nothing is started, nothing secret is said."""
    environ(**{name: url})
    assert main(command) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"newsintel: {name} ")
    assert captured.err.count("\n") == 1
    assert "planted" not in captured.err


def test_urls_are_hidden(environ, capsys):
    """A URL may hold a password."""
    environ(DATABASE_URL="postgresql://u:planted@h/d?connect_timeout=5", REDIS_URL="redis://:planted@h")
    assert main(["config"]) == 0
    captured = capsys.readouterr()
    assert "NEWSINTEL_DATABASE_URL  " in captured.out
    assert "planted" not in captured.out + captured.err

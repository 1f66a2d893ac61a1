"""`newsintel config`: each setting with value, origin and meaning; and invalid settings."""

import json
import os
import re
from pathlib import Path

import pytest

from newsintel.commands.main import main
from newsintel.config.reading import read_settings
from newsintel.config.setting_meanings import MEANINGS, SOURCE_MEANINGS, find_meaning
from newsintel.outbound.sources import REGISTRY
from tests.service import newsintel

ROWS = read_settings([source.options for source in REGISTRY.values()], {}).rows
README = Path(__file__).resolve().parents[2] / "README.md"


def test_every_setting_has_a_meaning_and_no_meaning_is_left_over():
    """One line each; a new setting needs one."""
    assert [row.name for row in ROWS if not find_meaning(row.name)] == []
    names = {row.name.removeprefix("NEWSINTEL_") for row in ROWS}
    assert set(MEANINGS) <= names
    assert set(SOURCE_MEANINGS) == {name.partition("_")[2] for name in names - set(MEANINGS)}
    assert all(
        "\n" not in text and len(text) <= 100
        for text in (*MEANINGS.values(), *SOURCE_MEANINGS.values())
    )


def test_table_shows_durations_and_hides_secrets(tmp_path):
    """Durations are also in larger units; grep finds a row whatever the terminal's width."""
    done = newsintel(
        tmp_path,
        "config",
        SESSION_MAX_S="5400",
        HISTORY_RETENTION_D="7",
        GUARDIAN_KEY="planted-key",
        CACHE_TTL_S="400",
        LOG_FORMAT="json",
    )
    lines = {line.split("  ")[0]: line for line in done.stdout.splitlines()}
    assert re.split(r"\s{2,}", lines["setting"]) == ["setting", "value", "origin", "meaning"]
    assert re.split(r"\s{2,}", lines["NEWSINTEL_SESSION_IDLE_S"])[1:3] == [
        "1209600 s (14 d)",
        "default",
    ]
    assert re.split(r"\s{2,}", lines["NEWSINTEL_SESSION_MAX_S"])[1:3] == [
        "5400 s (1.5 h)",
        "NEWSINTEL_SESSION_MAX_S",
    ]
    assert re.split(r"\s{2,}", lines["NEWSINTEL_SEARCH_DEADLINE_S"])[1] == "1.5 s"
    assert re.split(r"\s{2,}", lines["NEWSINTEL_HISTORY_RETENTION_D"])[1] == "7 days"
    assert re.split(r"\s{2,}", lines["NEWSINTEL_CACHE_TTL_S"])[1] == "400 s (6.67 min)"
    for name, word in (("GUARDIAN_RETENTION_D", "off"), ("LOG_FORMAT", "json")):
        assert re.split(r"\s{2,}", lines[f"NEWSINTEL_{name}"])[1] == word
    assert re.split(r"\s{2,}", lines["NEWSINTEL_GUARDIAN_KEY"])[1] == "***"
    assert lines["NEWSINTEL_BIND"].endswith(MEANINGS["BIND"])
    assert (done.returncode, done.stderr) == (0, "")


def test_json_has_value_unit_origin_and_meaning(tmp_path):
    """Each row has the value as it is set, its unit and its meaning."""
    done = newsintel(tmp_path, "config", "--json")
    rows = {row["name"]: row for row in json.loads(done.stdout)["settings"]}
    assert rows["NEWSINTEL_SESSION_IDLE_S"] == {
        "name": "NEWSINTEL_SESSION_IDLE_S",
        "value": "1209600",
        "unit": "s",
        "origin": "default",
        "meaning": MEANINGS["SESSION_IDLE_S"],
    }
    assert set(rows) == {row.name for row in ROWS}


@pytest.fixture
def environ(monkeypatch, tmp_path):
    """Replaces the environment of settings."""

    def become(**settings):
        for name in ("DATABASE_URL", "REDIS_URL", "PORT", "PGSSLROOTCERT"):
            monkeypatch.delenv(name, raising=False)
        for name, value in {"HOME": str(tmp_path), **settings}.items():
            monkeypatch.setenv(name, value)

    return become


@pytest.mark.parametrize(
    "command", [["config"], ["config", "--json"], ["serve"], ["migrate"], ["search", "x"]]
)
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
def test_invalid_store_url_is_one_line_and_exit_2(environ, capsys, command, name, url):
    """In every command, also `config`; nothing starts, and no secret is printed."""
    environ(**{name: url})
    assert main(command) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"newsintel: {name} ")
    assert captured.err.count("\n") == 1
    assert "planted" not in captured.err


def test_urls_are_hidden(environ, capsys):
    """A URL may hold a password."""
    environ(
        DATABASE_URL="postgresql://u:planted@h/d?connect_timeout=5", REDIS_URL="redis://:planted@h"
    )
    assert main(["config"]) == 0
    captured = capsys.readouterr()
    assert "NEWSINTEL_DATABASE_URL  " in captured.out
    assert "planted" not in captured.out + captured.err


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_folder_whose_name_is_not_utf8_is_shown(form, tmp_path):
    """Linux allows it. JSON cannot hold its bytes, so it has a replacement character."""
    done = newsintel(tmp_path, "config", *form, DATA_DIR=os.fsdecode(b"/data/j\xfcrgen"))
    assert (done.returncode, done.stderr) == (0, "")
    assert "/data/j\ufffdrgen" in done.stdout


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_output_is_utf8_in_every_locale(form, encoding, tmp_path, monkeypatch):
    """A locale without the character ended the command with a traceback, or broke its JSON."""
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    done = newsintel(tmp_path, "config", *form, OIDC_LABEL="Zürich 東京")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Zürich 東京" in done.stdout

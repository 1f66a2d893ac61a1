"""The log's redactor, and the counters."""

import json
import logging

import pytest

from newsintel.settings import load
from newsintel.telemetry import Metrics, set_up_logging
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


def test_addresses_stay_readable(logged):
    """A port is no secret; the password in a URL that no setting holds is."""
    err = logged(lambda log: log.info("on http://127.0.0.1:8000 from redis://u:unknown-pw@cache.example:6379/0"))
    assert "http://127.0.0.1:8000" in err
    assert "redis://u:***@cache.example:6379" in err


KEY = "ni_" + "k" * 43
SPELT = (
    f"tried {KEY} twice",
    f"Cookie: newsintel_dev={KEY[3:]}; other=1",
    f"__Host-newsintel={KEY[3:]}",
    f"GET /auth/reddit/callback?state={KEY[3:]}&code={KEY[3:]}",
    f'{{"id_token": "{KEY[3:]}", "code_verifier": "{KEY[3:]}"}}',
)


@pytest.mark.parametrize("line", SPELT)
def test_asvs_27_what_signs_people_in_is_redacted_however_it_got_there(logged, line):
    """Keys, cookies, states, codes and tokens: no setting holds them, but they are known by their spelling."""
    err = logged(lambda log: log.warning("%s", line))
    assert "kkk" not in err
    assert "***" in err

"""The notice about sources that are off.

One line names the settings that turn sources on; every place where a person looks for the reason
has it.
"""

import json

import pytest
from structlog.testing import capture_logs

from newsintel.commands import serving
from newsintel.config.reading import read_settings
from newsintel.domain.operations.source_notice import make_source_notice
from newsintel.domain.search.harvest import Origin
from newsintel.domain.search.outcome import Status
from newsintel.http.application import create_app
from newsintel.outbound.sources import REGISTRY
from tests.http.personal_world import Person
from tests.http.world import Desk, World, answer, outcome
from tests.http.world import settings as two_sources
from tests.service import newsintel
from tests.test_app import world  # noqa: F401 - a fixture

NEWSAPI, GUARDIAN = "NEWSINTEL_NEWSAPI_KEY", "NEWSINTEL_GUARDIAN_KEY"
REDDIT = (
    "NEWSINTEL_REDDIT_CLIENT_ID",
    "NEWSINTEL_REDDIT_CLIENT_SECRET",
    "NEWSINTEL_REDDIT_USER_AGENT",
)
KEYED = "newsapi,guardian,reddit"
"""The sources that need keys."""
NONE = (
    "no source is set up, so answers come from the archive alone; "
    "for news set NEWSINTEL_NEWSAPI_KEY; or NEWSINTEL_GUARDIAN_KEY; "
    "or NEWSINTEL_REDDIT_CLIENT_ID, NEWSINTEL_REDDIT_CLIENT_SECRET and NEWSINTEL_REDDIT_USER_AGENT"
)


def settings(*names, **more):
    """The settings with these values."""
    return read_settings(
        [one.options for one in REGISTRY.values()],
        dict.fromkeys(names, "x") | {"NEWSINTEL_DATA_DIR": "/nowhere"} | more,
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (settings(NEWSINTEL_SOURCES=KEYED), NONE),
        (settings(), None),
        (
            settings(NEWSINTEL_SOURCES="feeds", NEWSINTEL_FEEDS="off"),
            f"{NONE.partition('NEWSINTEL')[0]}NEWSINTEL_FEEDS",
        ),
        (settings(GUARDIAN), None),
        (settings(NEWSAPI, GUARDIAN, *REDDIT), None),
        (
            settings(GUARDIAN, *REDDIT[:1]),
            f"reddit is off: {REDDIT[1]} and {REDDIT[2]} must be set too",
        ),
        (settings(GUARDIAN, *REDDIT[:2]), f"reddit is off: {REDDIT[2]} must be set too"),
        (settings(GUARDIAN, *REDDIT[:2], NEWSINTEL_SOURCES="guardian"), None),
        (
            settings(*REDDIT[1:], NEWSINTEL_SOURCES=KEYED),
            (
                f"{NONE.partition('NEWSINTEL')[0]}{NEWSAPI}; or {GUARDIAN}; or {REDDIT[0]}. "
                f"reddit is off: {REDDIT[0]} must be set too"
            ),
        ),
        (
            settings(GUARDIAN, NEWSINTEL_SOURCES="guardian,newsapi"),
            f"newsapi is off: {NEWSAPI} must be set for it",
        ),
        (
            settings(GUARDIAN, NEWSINTEL_SOURCES="newsapi"),
            f"no source is set up, so answers come from the archive alone; for news set {NEWSAPI}",
        ),
    ],
)
def test_the_notice_names_every_missing_setting(given, said):
    """A source that the operator turned off has no notice."""
    assert make_source_notice(given) == said


def archive_alone(query):
    """The answer of a service without a source."""
    return answer(
        query, outcome(Status.DISABLED, "newsapi"), outcome(Status.DISABLED), origin=Origin.ARCHIVE
    )


async def test_every_answer_has_the_notice_if_no_source_is_on():
    """For anonymous and signed-in callers.

    If one source is on, there is no notice, whatever other sources are off.
    """
    unset = two_sources(NEWSINTEL_GUARDIAN_KEY="")
    world = World(settings=unset, desk=Desk(made_by=archive_alone))  # noqa: F811
    body = await (await create_app(world.services).test_client().get("/articles?q=a")).get_json()
    assert body["notice"] == make_source_notice(unset)
    assert body["notice"].endswith("for news set NEWSINTEL_NEWSAPI_KEY; or NEWSINTEL_GUARDIAN_KEY")
    assert (await (await Person.of(world)).get("/articles?q=a"))["notice"] == make_source_notice(
        unset
    )
    body = await (await create_app(World().services).test_client().get("/articles?q=a")).get_json()
    assert "notice" not in body


async def test_readiness_has_the_notice():
    """Without a notice the member is absent."""
    for given, said in ((two_sources(NEWSINTEL_GUARDIAN_KEY=""), True), (two_sources(), False)):
        body = await (
            await create_app(World(settings=given).services).test_client().get("/health/ready")
        ).get_json()
        assert body.get("notice") == (make_source_notice(given) if said else None)
        assert bool(body.get("notice")) is said


async def test_the_notice_is_logged_once_at_start(world, autojump_clock, monkeypatch):  # noqa: F811
    """It is logged before the service listens."""

    class ServedError(Exception):
        """Ends the start."""

    async def stop(*_, **__):
        raise ServedError

    monkeypatch.setattr(serving.server, "serve_http", stop)
    for given in (
        settings(NEWSINTEL_SECRET_KEYS="A" * 43, NEWSINTEL_SOURCES=KEYED),
        settings(GUARDIAN, NEWSINTEL_SECRET_KEYS="A" * 43),
    ):
        with capture_logs() as logs, pytest.raises(BaseExceptionGroup):
            await serving.run_service(given)
        assert [line["notice"] for line in logs if line["event"] == "source_notice"] == (
            [NONE] if make_source_notice(given) else []
        )


def test_the_command_prints_the_notice(tmp_path):
    """`newsintel search` prints it as a line on standard error.

    With --json the answer has it too, as in GET /articles.
    """
    known = {"DATA_DIR": str(tmp_path / "data"), "SOURCES": KEYED}
    done = newsintel(tmp_path, "search", "climate", "--json", **known)
    assert f"newsintel: {NONE}\n" in done.stderr
    assert json.loads(done.stdout)["notice"] == NONE

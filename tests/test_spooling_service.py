"""A service whose PostgreSQL is frozen: it answers, and its articles come back after its end."""

import signal

import pytest

from tests.service import running
from tests.storage.support import Servers, family, frozen_processes
from tests.waiting import PATIENCE_S, wait_for

UNLIMITED = {"RATE_LIMIT": "off", "MISS_LIMIT": "off"}
QUERIES = ("climate", "election", "football", "storm", "market")


def find_ids(service):
    """Search for new things; return the ids of all articles in the answers."""
    pages = [service.search(query, limit=100, dedupe="off").json() for query in QUERIES]
    return {article["id"] for page in pages for article in page["articles"]}


def are_on_disk(data_dir, ids):
    """Whether the spool's files hold all these articles."""
    data = b"".join(path.read_bytes() for path in (data_dir / "spool").glob("*.spool"))
    return all(one.encode() in data for one in ids)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_case_36_ended_while_postgresql_is_frozen_nothing_answered_is_lost(tmp_path, how):
    """The next process on the folder saves what this one spooled.

    SIGKILL comes when everything is on disk: what is only in memory is lost with it. SIGTERM may
    come earlier. PostgreSQL resumes when all is spooled, so that it can be stopped.
    """
    data_dir = tmp_path / "newsintel" / "demo"
    with running(tmp_path, "demo", **UNLIMITED) as service:
        with frozen_processes(family(Servers(data_dir, "", "").postgres.find_pid())):
            ids = find_ids(service)
            assert len(ids) > 20
            if how is signal.SIGTERM:
                service.process.send_signal(how)
            wait_for(lambda: are_on_disk(data_dir, ids), "the spool")
            if how is signal.SIGKILL:
                service.process.send_signal(how)
        assert service.process.wait(PATIENCE_S) == (0 if how is signal.SIGTERM else -how)
        assert "articles_lost" not in service.log.read_text()
    with running(tmp_path, "demo", **UNLIMITED) as service:
        wait_for(lambda: not list((data_dir / "spool").glob("*.spool")), "an empty spool")
        assert {service.get(f"/articles/{one}").status_code for one in ids} == {200}
        assert "newsintel_lost_articles_total 0.0" in service.get("/metrics").text

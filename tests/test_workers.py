"""`newsintel serve --workers 2` as users run it, on the demo's servers and simulated upstreams."""

import json
import os
import re
import signal
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.cluster import WHERE
from tests.service import ROOT, beside, command_lines, free_port, newsintel, running
from tests.test_two_processes import CALLERS, UNLIMITED, stampede
from tests.waiting import PATIENCE_S, wait_for

WORKERS = 2


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The upstreams and embedded servers of all tests in this module."""
    with running(tmp_path_factory.mktemp("workers"), "demo", **UNLIMITED) as service:
        yield service


@pytest.fixture(scope="module")
def service(demo):
    """One service of two workers without limits on persons, with a listener for metrics."""
    with several(demo, METRICS_BIND=f"127.0.0.1:{free_port()}", **UNLIMITED) as found:
        yield found


@contextmanager
def several(demo, **settings):
    """Run `serve` with two workers until the block ends; it begins when all of them serve."""
    with beside(
        demo, WORKERS=str(WORKERS), DEV_SIGN_IN="1", LOG_FORMAT="json", **settings
    ) as found:
        wait_for(lambda: events(found, "serving"), "the line `serving`")
        yield found


def events(service, name):
    """The lines of an event in the log.

    CPython adds a line of its own if a signal arrives while trio closes its wake-up socket.
    """
    lines = (line for line in service.log.read_text().splitlines() if line.startswith("{"))
    return [line for line in map(json.loads, lines) if line["event"] == name]


def workers_of(service):
    """The process ids of the workers."""
    pids = [line["pid"] for line in events(service, "worker_serving")]
    assert all("--handover" in command_of(pid) for pid in pids)
    return pids


def list_children(service):
    """The process ids of all workers, also of those that do not serve yet."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parent = int(path.read_text(encoding="utf-8").rpartition(")")[2].split()[1])
            pid = int(path.parent.name)
            if parent == service.process.pid and "--handover" in command_of(pid):
                found.append(pid)
    return found


def command_of(pid):
    """A process's command line; empty if it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8")
    except OSError:
        return ""


def which(service, client):
    """The number of the worker that holds a client's connection, from the log."""
    request_id = uuid4().hex
    client.get(service.url + "/health", headers={"X-Request-Id": request_id})

    def find():
        lines = events(service, "request")
        return next((line["worker"] for line in lines if line["request_id"] == request_id), None)

    return wait_for(find, "the request's line")


@contextmanager
def connected(service):
    """A client of each worker, by number; each holds one connection."""
    clients, spare = {}, []
    give_up = time.monotonic() + PATIENCE_S
    try:
        while len(clients) < WORKERS:
            assert time.monotonic() < give_up, clients
            spare.append(httpx.Client(trust_env=False, timeout=PATIENCE_S))
            clients.setdefault(which(service, spare[-1]), spare[-1])
        yield clients
    finally:
        for client in spare:
            client.close()


def read_metrics(client, url):
    """All samples of /metrics, read by prometheus_client."""
    families = text_string_to_metric_families(client.get(url + "/metrics").text)
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def test_one_start_for_all(service):
    """`serving` comes once, after every worker; the schema is prepared before them."""
    names = [line["event"] for line in map(json.loads, service.log.read_text().splitlines())]
    assert names.count("starting") == names.count("serving") == 1
    assert names.count("worker_serving") == WORKERS
    first = names.index("schema_up_to_date")
    assert first < names.index("worker_serving") < names.index("serving")
    (line,) = events(service, "serving")
    assert (line["url"], line["workers"]) == ([service.url], WORKERS)
    assert {line["worker"] for line in events(service, "worker_serving")} == {1, 2}


def test_equal_misses_at_all_workers_are_one_fan_out(demo, service):
    """Each source is called once, and every caller gets the same bytes from either worker."""
    for source in ("newsapi", "guardian", "reddit"):
        demo.behave(source, fault="none", latency_ms=200, jitter_ms=0)
    query, before, lines = (
        f"climate OR {time.monotonic_ns()}",
        demo.calls(),
        len(events(service, "request")),
    )
    answers = stampede([service.url], query)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert {name: calls - before[name] for name, calls in demo.calls().items()} == dict.fromkeys(
        before, 1
    )
    # Written after the answers
    wait_for(lambda: len(events(service, "request")) >= lines + CALLERS, "a line of each request")
    assert {line["worker"] for line in events(service, "request")[lines:]} == {1, 2}


def test_a_session_of_one_worker_holds_at_the_other(service):
    """So does its end."""
    with connected(service) as clients:
        first, second = clients.values()
        same_site = {"Sec-Fetch-Site": "same-origin"}
        name = f"person-{time.monotonic_ns()}"
        signed_in = first.post(
            service.url + "/auth/dev/login", json={"username": name}, headers=same_site
        )
        assert signed_in.is_success, signed_in.text
        second.cookies = first.cookies
        assert second.get(service.url + "/me").json()["username"] == name
        second.post(service.url + "/auth/logout", headers=same_site).raise_for_status()
        assert first.get(service.url + "/me").status_code == 401


def test_one_scrape_has_the_metrics_of_all_workers(service):
    """Whoever answers, on either port, the counts of all workers are there."""
    own = re.search(r"127\.0\.0\.1:\d+", str(events(service, "serving")[0]["metrics"]))[0]
    key = ("newsintel_http_request_seconds_count", ("route", "/health"), ("status", "2xx"))
    with connected(service) as clients:
        before = read_metrics(clients[1], f"http://{own}")[key]
        for client in clients.values():
            client.get(service.url + "/health").raise_for_status()
        after = [
            read_metrics(client, url)
            for client in clients.values()
            for url in (f"http://{own}", service.url)
        ]
    assert [found[key] - before for found in after] == [WORKERS] * 4
    for found in after:
        assert found["newsintel_workers",] == WORKERS
        assert {key[-1] for key in found if key[0] == "process_resident_memory_bytes"} == {
            ("worker", "1"),
            ("worker", "2"),
        }


@pytest.mark.slow
def test_a_scrape_is_refused_while_the_supervisor_is_stopped(service):
    """On either port. The workers serve on, and the next scrape has everything again."""
    own = re.search(r"127\.0\.0\.1:\d+", str(events(service, "serving")[0]["metrics"]))[0]
    urls = (f"http://{own}", service.url)
    with connected(service) as clients:
        os.kill(service.process.pid, signal.SIGSTOP)
        try:
            refused = [client.get(url + "/metrics") for client in clients.values() for url in urls]
            for client in clients.values():
                client.get(service.url + "/health").raise_for_status()
        finally:
            os.kill(service.process.pid, signal.SIGCONT)
        for answer in refused:
            assert (answer.status_code, answer.json()["code"]) == (503, "busy")
            assert "supervisor of the workers does not answer" in answer.json()["detail"]
            assert int(answer.headers["Retry-After"]) > 0
        for client in clients.values():
            assert read_metrics(client, service.url)["newsintel_workers",] == WORKERS
    assert not events(service, "channel_cut")


def test_a_limit_counts_over_all_workers(demo):
    """A person's calls at one worker are missing at the other."""
    with several(demo, RATE_LIMIT="16/1h", MISS_LIMIT="off") as found, connected(found) as clients:
        codes = [
            client.get(found.url + "/sources").status_code
            for _ in range(12)
            for client in clients.values()
        ]
        assert codes.count(200) <= 16
        assert codes.count(429) == len(codes) - codes.count(200)
        assert codes.count(200) >= 12


@pytest.mark.slow
def test_a_killed_worker_costs_its_own_connections_and_is_replaced(demo):
    """The other worker's connections stay open; the new worker serves."""
    with several(demo, **UNLIMITED) as found, connected(found) as clients:
        pid = next(line["pid"] for line in events(found, "worker_serving") if line["worker"] == 1)
        os.kill(pid, signal.SIGKILL)
        assert which(found, clients[2]) == 2
        assert clients[2].get(found.url + "/sources").status_code == 200
        wait_for(lambda: len(events(found, "worker_serving")) == 3, "a new worker")
        (ended,) = events(found, "worker_ended")
        assert (ended["worker"], ended["reason"]) == (1, "SIGKILL")
        assert found.stop() == 0


@pytest.mark.slow
def test_workers_that_keep_ending_end_the_service(demo):
    """The exit code is 1, the last line says why, and no worker is left."""
    with several(demo, **UNLIMITED) as found:

        def has_ended():
            for pid in list_children(found):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return found.process.poll() is not None

        wait_for(has_ended, "the end of the service")
        assert found.process.returncode == 1
        (why,) = events(found, "command_failed")
        assert re.fullmatch(
            r"worker [12] ended \(SIGKILL\), after 3 restarts in 3600 s", why["reason"]
        )
        assert list_children(found) == []


@pytest.mark.slow
@pytest.mark.parametrize("everybody", [False, True])
def test_sigterm_drains_a_slow_request_of_every_worker(demo, everybody):
    """Each is answered; then no process of the service is left, and the exit code is 0.

    It is the same if the platform signals all processes of the service at once, as systemd does.
    """
    with several(demo, **UNLIMITED) as found, connected(found) as clients:
        demo.behave("guardian", fault="none", latency_ms=3000, jitter_ms=0)
        before, answers, pids = demo.calls()["guardian"], [], workers_of(found)
        assert len(pids) == WORKERS

        def ask(client):
            answers.append(client.get(f"{found.url}/articles?q=slow-{time.monotonic_ns()}"))

        threads = [threading.Thread(target=ask, args=(client,)) for client in clients.values()]
        for thread in threads:
            thread.start()
        wait_for(lambda: demo.calls()["guardian"] == before + WORKERS, "a call of each worker")
        for pid in pids if everybody else ():
            os.kill(pid, signal.SIGTERM)
        assert found.stop() == 0
        for thread in threads:
            thread.join()
        demo.behave("guardian", fault="none", latency_ms=50, jitter_ms=0)
        assert [answer.json()["complete"] for answer in answers] == [True] * WORKERS
        assert not any(map(command_of, pids))


@pytest.mark.slow
def test_a_second_signal_ends_all_workers_at_once(demo):
    """A search that would still take a minute is cut off; the exit code names the signal."""
    with several(demo, DRAIN_S="300", **UNLIMITED) as found:
        demo.behave("guardian", fault="none", latency_ms=50_000, jitter_ms=0)
        before, pids = demo.calls()["guardian"], workers_of(found)
        asking = threading.Thread(target=ask_in_vain, args=(found,))
        asking.start()
        wait_for(lambda: demo.calls()["guardian"] > before, "a call to the Guardian")
        found.process.send_signal(signal.SIGTERM)
        wait_for(lambda: len(events(found, "stopping")) == 1 + WORKERS, "the shutdown of all")
        assert found.stop() == 128 + signal.SIGTERM
        asking.join()
        demo.behave("guardian", fault="none", latency_ms=50, jitter_ms=0)
        assert not any(map(command_of, pids))
        assert not events(found, "worker_ended")


def ask_in_vain(service):
    """Send a search whose connection breaks."""
    with (
        httpx.Client(trust_env=False, timeout=PATIENCE_S) as client,
        pytest.raises(httpx.TransportError),
    ):
        client.get(f"{service.url}/articles?q=vain-{time.monotonic_ns()}")


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_no_worker_outlives_the_supervisor(tmp_path, monkeypatch, how):
    """Also after SIGKILL: the workers notice it, end in order and stop the embedded servers.

    The supervisor had made the tables before it started the workers.
    """
    monkeypatch.delenv(WHERE, raising=False)
    with running(tmp_path, "serve", WORKERS="2", LOG_FORMAT="json") as found:
        wait_for(lambda: events(found, "serving"), "the line `serving`")
        pids = workers_of(found)
        assert len(pids) == WORKERS
        (migrated,) = events(found, "schema_migrated")  # of a new database
        assert "worker" not in migrated
        assert found.stop(how) == (-how if how is signal.SIGKILL else 0)
        wait_for(lambda: not any(map(command_of, pids)), "the end of all workers")
        assert events(found, "supervisor_gone") or how is not signal.SIGKILL
        wait_for(lambda: not found.servers(), "the end of the embedded servers")
    assert not [line for line in command_lines() if str(tmp_path) in line]


@pytest.mark.parametrize(
    ("arguments", "setting", "refused"), [((), "33", "33"), (("--workers", "none"), "2", "none")]
)
def test_a_bad_number_is_one_line_that_names_the_setting(tmp_path, arguments, setting, refused):
    """The option and the setting have the same rule, and the option wins."""
    done = newsintel(tmp_path, "serve", *arguments, WORKERS=setting)
    assert done.returncode == 2
    assert done.stderr == (
        "newsintel: NEWSINTEL_WORKERS must be auto, or a whole number from 1 to 32, not "
        f"{refused!r}\n"
    )


PLANTED = """
import os, sys
from pathlib import Path
if "--handover" in sys.orig_argv:
    try:
        Path(os.environ["HANG_ONCE"]).unlink()
    except FileNotFoundError:
        pass
    else:
        import trio
        from newsintel.actors import janitor
        from newsintel.runtime import heartbeats
        async def hang(**_):
            with heartbeats.at_work():
                await trio.sleep_forever()
        janitor.run, heartbeats.SILENT_S = hang, 0.5
"""
"""One worker gets an actor that hangs, and notices it soon. The next worker gets none."""


@pytest.mark.slow
def test_a_worker_whose_actor_hangs_is_replaced(demo, tmp_path, monkeypatch):
    """It ends in order and by itself, and the log says why; then both workers are well."""
    (tmp_path / "sitecustomize.py").write_text(PLANTED)
    (tmp_path / "once").touch()
    monkeypatch.setenv("HANG_ONCE", str(tmp_path / "once"))
    monkeypatch.setattr("tests.service.ROOT", f"{tmp_path}{os.pathsep}{ROOT}")
    deadlines = {f"{name}_DEADLINE_S": "1" for name in ("SEARCH", "NEWSAPI", "GUARDIAN", "REDDIT")}
    with several(demo, **deadlines, **UNLIMITED) as service:
        (ended,) = wait_for(lambda: events(service, "worker_ended"), "the end of the worker")
        silent = events(service, "actor_silent")[0]
        assert (ended["worker"], ended["reason"]) == (silent["worker"], "exit code 0")
        assert "janitor" in silent["actors"]
        wait_for(lambda: len(events(service, "worker_serving")) == WORKERS + 1, "a new worker")
        with connected(service) as clients:
            for client in clients.values():
                assert client.get(service.url + "/health").json()["status"] == "ok"

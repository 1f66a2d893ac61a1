"""`just drill` restarts two services behind a balancer under steady load, and tries a bad deploy.

Both services use one PostgreSQL and one Redis. The drill prints each check and ends with exit code
1 if one fails. It ends every process that it starts.
"""

import secrets
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import trio
from attrs import define, frozen

from newsintel.demo.server import Simulated, run_simulated_upstreams
from ops.balancer import Balancer, run_balancer
from ops.load import LoadGenerator
from ops.processes import (
    CheckFailedError,
    RunningProcess,
    build_clean_environ,
    find_free_port,
    run_checks,
    run_process,
    run_to_end,
    wait_until,
)
from ops.stores import run_external_stores

START_S = 120.0
"""A start takes two seconds, and on an overloaded machine a minute."""

DRAIN_S = 20.0
"""NEWSINTEL_DRAIN_S's default: the time limit between SIGTERM and exit."""

SLOW_MS = 800
"""A source's latency. The search still runs when its service gets SIGTERM, but is not late."""


LONG_DEADLINES = {
    f"{name}_DEADLINE_S": "10" for name in ("SEARCH", "NEWSAPI", "GUARDIAN", "REDDIT")
}
"""Long deadlines, because the drill tests shutdown and not the sources. On a busy machine every
source could miss the default deadline, and the search would fail."""


@frozen
class Scale:
    """The size of the drill.

    Attributes:
        clients: parallel clients.
        settle_s: seconds of load before the first and after each step.
    """

    clients: int = 6
    settle_s: float = 5.0


@frozen
class Instance:
    """One service."""

    port: int
    service: RunningProcess

    @property
    def url(self) -> str:
        """Its address without the balancer."""
        return f"http://127.0.0.1:{self.port}"


@define
class Drill:
    """The state of the drill: the balancer, its instances, how to start more, and the load."""

    folder: Path
    settings: dict[str, str]
    scale: Scale
    stack: AsyncExitStack
    client: httpx.AsyncClient
    front: Balancer
    serving: list[Instance]
    load: LoadGenerator
    simulated: Simulated

    async def restart_in_turn(self) -> None:
        """Replace each instance as ECS does.

        Start the new one, move the traffic to it, then end the old one in order.
        """
        for number, old in enumerate(list(self.serving)):
            new = await start_instance(self.stack, self.folder, self.settings, f"second-{number}")
            ready_s = await wait_until_ready(self.client, new)
            self.serving[number] = new
            off_s = await self.front.route_to([each.port for each in self.serving])
            ended_s = await end_in_order(old)
            print(
                f"restart {number + 1}: new one ready in {ready_s:.1f} s, "
                f"old one out of traffic in {off_s:.1f} s, ended in {ended_s:.1f} s"
            )
            await trio.sleep(self.scale.settle_s)

    async def check_bad_deploy(self) -> None:
        """Check that a version that cannot connect to the database ends by itself.

        It must never be ready, and must print the reason in one line.
        """
        bad = await start_instance(
            self.stack, self.folder, {**self.settings, "DATABASE_PASSWORD": "wrong"}, "bad"
        )
        while bad.service.process.poll() is None:
            if await is_ready(self.client, bad.url):
                raise CheckFailedError(
                    "a service with a wrong database password says that it is ready"
                )
            await trio.sleep(0.05)
        said = [
            line
            for line in bad.service.read_output().splitlines()
            if line.startswith("newsintel: ")
        ]
        if (
            bad.service.process.returncode != 1
            or len(said) != 1
            or "Traceback" in bad.service.read_output()
        ):
            raise CheckFailedError(
                f"a wrong password ended it with {bad.service.process.returncode}:\n"
                f"{bad.service.read_output()}"
            )
        print(f"wrong database password: exit 1, {said[0]!r}; the others went on")
        await trio.sleep(self.scale.settle_s)

    async def stop_during_search(self) -> None:
        """Check that a search running at SIGTERM is answered, and that the service ends in time."""
        last = await start_instance(self.stack, self.folder, self.settings, "last")
        await wait_until_ready(self.client, last)
        await self.client.put(
            f"{self.simulated.control_url}/guardian", json={"latency_ms": SLOW_MS, "jitter_ms": 0}
        )
        statuses: list[int] = []

        async def search() -> None:
            statuses.append(
                (
                    await self.client.get(
                        f"{last.url}/articles", params={"q": f"harbour OR {secrets.token_hex(4)}"}
                    )
                ).status_code
            )

        async with trio.open_nursery() as nursery:
            nursery.start_soon(search)
            await trio.sleep(SLOW_MS / 2000)
            ended_s = await end_in_order(last)
        await self.client.put(
            f"{self.simulated.control_url}/guardian", json={"latency_ms": 90, "jitter_ms": 30}
        )
        if statuses != [200]:
            raise CheckFailedError(f"a running search at SIGTERM was answered {statuses}")
        print(
            f"SIGTERM with a running search: answered 200, ended {ended_s:.1f} s after the signal"
        )

    def report_load(self) -> None:
        """Print the results of the load. Raises CheckFailedError if a request failed."""
        median_ms, p99_ms = self.load.median_and_p99_ms()
        failed = sum(self.load.failures.values())
        print(
            f"load: {self.load.answered} requests answered, {failed} failed, "
            f"{self.load.reopened} sent again on a new connection; "
            f"median {median_ms:.0f} ms, p99 {p99_ms:.0f} ms"
        )
        if failed:
            raise CheckFailedError(
                f"requests failed: {dict(self.load.failures)}\n{self.front.nginx.read_output()}"
            )


async def run_drill(folder: Path, scale: Scale) -> None:
    """Run the whole drill.

    Raises:
        CheckFailedError: a check failed.
    """
    async with open_environment(folder, scale) as it, trio.open_nursery() as nursery:
        for instance in it.serving:
            await check_probe_by_address(it.client, instance)
        await it.load.warm_up()
        stop = trio.Event()
        nursery.start_soon(it.load.run, scale.clients, stop)
        await trio.sleep(scale.settle_s)
        await it.restart_in_turn()
        await it.check_bad_deploy()
        await it.stop_during_search()
        stop.set()
    it.report_load()


@asynccontextmanager
async def open_environment(folder: Path, scale: Scale) -> AsyncIterator[Drill]:
    """Start stores, sources, two ready instances and the balancer in front of them."""
    folders = {name: folder / name for name in ("stores", "nginx", "logs")}
    for each in folders.values():
        each.mkdir()
    logs = folders["logs"]
    async with (
        run_external_stores(folders["stores"]) as stores,
        run_simulated_upstreams() as simulated,
        AsyncExitStack() as stack,
        httpx.AsyncClient(trust_env=False, timeout=10) as client,
    ):
        settings = stores.settings | {
            name.removeprefix("NEWSINTEL_"): value for name, value in simulated.environ.items()
        }
        settings |= {
            "SECRET_KEYS": secrets.token_urlsafe(32),
            "RATE_LIMIT": "off",
            "MISS_LIMIT": "off",
            "FEEDS": "off",
        } | LONG_DEADLINES
        migrated = await run_to_end(
            "migrate",
            (sys.executable, "-m", "newsintel", "migrate"),
            build_clean_environ(**settings),
            logs,
            START_S,
        )
        if migrated.process.returncode:
            raise CheckFailedError(
                f"migrate ended with {migrated.process.returncode}:\n{migrated.read_output()}"
            )
        serving = [
            await start_instance(stack, logs, settings, f"first-{number}") for number in range(2)
        ]
        for instance in serving:
            await wait_until_ready(client, instance)
        front = await stack.enter_async_context(
            run_balancer(folders["nginx"], [each.port for each in serving])
        )
        url = f"http://127.0.0.1:{front.port}"
        print(f"two services behind {url}, one PostgreSQL, one Redis, simulated sources")
        yield Drill(
            logs, settings, scale, stack, client, front, serving, LoadGenerator(url), simulated
        )


async def start_instance(
    stack: AsyncExitStack, folder: Path, settings: dict[str, str], name: str
) -> Instance:
    """Start a service on its own port. It ends with the stack at the latest."""
    port = find_free_port()
    environ = build_clean_environ(**settings, BIND=f"127.0.0.1:{port}") | {
        "XDG_DATA_HOME": str(folder)
    }
    return Instance(
        port,
        await stack.enter_async_context(
            run_process(name, (sys.executable, "-m", "newsintel", "serve"), environ, folder)
        ),
    )


async def wait_until_ready(client: httpx.AsyncClient, instance: Instance) -> float:
    """Wait until it is ready. Returns the seconds it took."""
    try:
        return await wait_until(
            lambda: is_ready(client, instance.url), START_S, f"readiness of {instance.service.name}"
        )
    except CheckFailedError as error:
        raise CheckFailedError(f"{error}\n{instance.service.read_output()}") from error


async def end_in_order(instance: Instance) -> float:
    """Send SIGTERM. Returns the seconds to the exit, which must be in time and have code 0."""
    took_s = await instance.service.end_process()
    if instance.service.process.returncode or took_s > DRAIN_S:
        raise CheckFailedError(
            f"{instance.service.name} ended with {instance.service.process.returncode} "
            f"after {took_s:.1f} s:\n{instance.service.read_output()}"
        )
    return took_s


async def check_probe_by_address(client: httpx.AsyncClient, instance: Instance) -> None:
    """Check that only health routes answer a balancer's probe, whose Host is an IP address."""
    host = {"Host": "10.20.16.7:8000"}
    statuses = [
        (await client.get(instance.url + path, headers=host)).status_code
        for path in ("/health", "/health/ready", "/sources")
    ]
    if statuses != [200, 200, 421]:
        raise CheckFailedError(
            "to a probe whose Host is an address, "
            f"health, readiness and sources answered {statuses}"
        )
    print(
        f"{instance.service.name}: a probe whose Host is an address "
        "gets 200 from the health routes, 421 elsewhere"
    )


async def is_ready(client: httpx.AsyncClient, url: str) -> bool:
    """Return whether it accepts traffic (`ready` or, on an overloaded machine, `degraded`)."""
    try:
        return (await client.get(f"{url}/health/ready")).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def main() -> int:
    """Run the drill. Returns 0 if every check passed."""
    with tempfile.TemporaryDirectory(prefix="newsintel-drill-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # nginx runs as nobody
        return run_checks("drill", lambda: trio.run(run_drill, folder, Scale()))


if __name__ == "__main__":
    sys.exit(main())

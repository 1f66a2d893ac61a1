"""`python -m benchmarks.pages` measures what a page costs the service, and how soon it is seen.

Pages a second: the page of a search that the service has in memory, beside the same search as JSON,
in turns. First contentful paint: Chromium opens that page, the same page as static files behind
nginx, and a page of plain text of the same size from a trivial server, in turns, each time with an
empty cache. Ratios are of one run.
"""

import argparse
import gzip
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.client import Job
from benchmarks.numbers import Figure, compute_ratio
from benchmarks.rig import Captured, Rig, Server, capture_answer, open_rig
from benchmarks.static_files import serve_copy
from benchmarks.table import format_table
from tests.webdriver import Browser, browser

PAGE, JSON = "/?q=climate", "/articles?q=climate"
CASES = {
    "page, compressed": (PAGE, "Accept-Encoding: gzip, deflate, br, zstd\r\n"),
    "page, plain": (PAGE, ""),
    "JSON": (JSON, ""),
}
"""The target and further header lines of each rate; browsers ask for the first."""
CONNECTIONS = 8
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def measure_rates(
    rig: Rig, server: Server, rounds: int, seconds: float
) -> dict[str, tuple[Figure, Figure]]:
    """Return answers a second, and their CPU time in ms, of each case."""
    found: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in CASES}
    for _ in range(rounds):
        for name, (rates, costs_ms) in found.items():
            target, headers = CASES[name]
            before_s = server.cpu_s()
            job = Job((server.port,), [target], CONNECTIONS, seconds, headers=headers)
            result = rig.run_load(job)
            if result.failed:
                raise RuntimeError(f"{result.failed} requests for {target} have no 200")
            rates.append(result.rate)
            costs_ms.append(1000 * (server.cpu_s() - before_s) / len(result.answers))
    return {
        name: (Figure.from_rounds(rates), Figure.from_rounds(costs_ms))
        for name, (rates, costs_ms) in found.items()
    }


def build_static_page(size: int) -> Captured:
    """Return a page of plain text, of `size` bytes, compressed as ours is."""
    head = b"<!doctype html><html lang=en><meta charset=utf-8><title>static</title><body>"
    words = b"<p>Towns along the river prepare for the highest water in ten years.</p>\n"
    body = (head + words * (size // len(words) + 1))[:size]
    packed = gzip.compress(body)
    headers = [
        ("content-type", "text/html; charset=utf-8"),
        ("content-encoding", "gzip"),
        ("cache-control", "no-store"),
        ("content-length", str(len(packed))),
    ]
    return Captured(headers, packed)


def measure_paints(window: Browser, urls: Sequence[str], rounds: int) -> list[list[float]]:
    """Return the milliseconds to the first contentful paint of each address in each round."""
    paints: list[list[float]] = [[] for _ in urls]
    for turn in range(rounds + 1):  # the first only warms the browser
        for url, times in zip(urls, paints, strict=True):
            window.control("Network.clearBrowserCache")
            window.go(url)
            painted_ms = float(window.wait(PAINTED))
            if turn:
                times.append(painted_ms)
    return paints


def report_rates(rates: dict[str, tuple[Figure, Figure]]) -> None:
    """Print a row for each case."""
    rows = [[name, rate.format(0), cost.format(2)] for name, (rate, cost) in rates.items()]
    print(format_table(["search in memory", "answers a second", "ms of CPU time each"], rows))


def report_paints(rig: Rig, server: Server, rounds: int) -> None:
    """Print a row for each page, with the ratio of ours to it."""
    size = len(capture_answer(server, PAGE).body)
    with (
        tempfile.TemporaryDirectory() as folder,
        serve_copy(server, PAGE, Path(folder)) as copy_port,
        rig.run_trivial(build_static_page(size)) as trivial,
        browser(Path(folder) / "profile") as window,
    ):
        ports = {
            "cached search": server.port,
            "the same page and parts, static": copy_port,
            f"static text of {size:,} bytes": trivial.port,
        }
        urls = [f"http://127.0.0.1:{port}{PAGE}" for port in ports.values()]
        paints = measure_paints(window, urls, rounds)
    rows = [
        [name, Figure.from_rounds(times).format(0), compute_ratio(paints[0], times).format(2)]
        for name, times in zip(ports, paints, strict=True)
    ]
    print(format_table(["page", "ms to the first paint", "cached search / this page"], rows))


def main() -> None:
    """Print two tables, with the load of the machine."""
    parser = argparse.ArgumentParser(description=__doc__, prog="just bench-pages")
    parser.add_argument("--rounds", type=int, default=5, help="of each rate (default: 5)")
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement")
    parser.add_argument("--paints", type=int, default=20, help="of each page (default: 20)")
    options = parser.parse_args()
    print(f"load average before: {os.getloadavg()[0]:.2f}")
    with open_rig() as rig, rig.run_newsintel() as server:
        for target in (JSON, PAGE):
            capture_answer(server, target)  # from here on both are in memory
        report_rates(measure_rates(rig, server, options.rounds, options.seconds))
        report_paints(rig, server, options.paints)
    print(f"load average after: {os.getloadavg()[0]:.2f}")


if __name__ == "__main__":
    main()

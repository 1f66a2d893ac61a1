"""`newsintel search "QUERY"`: the pipeline once, with a live line per source, then the ranked table."""

import argparse
import sys
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from newsintel import app, command_loop, telemetry
from newsintel.codec import to_json
from newsintel.commands.setup import load_settings
from newsintel.model import Answer, Failed, FetchOutcome, Landed, SourceReported, Status
from newsintel.ports import Joined
from newsintel.query import build
from newsintel.settings import Settings
from newsintel.source_notice import noticed, source_notice
from newsintel.views import View, render

MAX_LIMIT = 100


def add_parser(commands: Any) -> None:
    """Declare the command."""
    command = commands.add_parser("search", help="search once, in the terminal")
    command.add_argument("query", metavar="QUERY", help='words, "a phrase", OR, -word')
    command.add_argument("--limit", metavar="N", type=_limit, default=20, help=f"articles to show, 1 to {MAX_LIMIT} (default 20)")
    command.add_argument("--json", action="store_true", help="print the JSON that GET /articles would give")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Search; 1 where HTTP would answer 5xx."""
    settings = load_settings()
    telemetry.set_up_logging(settings, quiet=True)
    if notice := source_notice(settings):
        sys.stderr.write(f"newsintel: {notice}\n")
    answer = command_loop.run(_search, settings, args.query)
    if args.json:
        body = render(answer, View(limit=args.limit)) | noticed(settings)
        sys.stdout.write(to_json(body).decode() + "\n")
    else:
        _print_table(answer, args.limit)
    return 0 if answer.harvest.answered or answer.refused or answer.harvest.archived else 1


async def _search(settings: Settings, text: str) -> Answer:
    query = build(text, sources=tuple(settings.source))
    async with app.open_pipeline(settings) as services:
        return await _watch(services.desk.join(query, signed_in=True), query.sources)


async def _watch(flight: Joined, sources: tuple[str, ...]) -> Answer:
    """Show each source's line as its outcome arrives, until the flight lands."""
    console = Console(stderr=True)
    lines = {name: Text(f"{name:<10} asking", style="dim") for name in sources}
    seen = 0
    with Live(_stacked(lines), console=console, refresh_per_second=12, transient=False) as live:
        while True:
            for event in await flight.after(seen):
                seen += 1
                match event:
                    case SourceReported(outcome):
                        lines[outcome.source] = _line(outcome)
                        live.update(_stacked(lines))
                    case Landed(answer, asked):
                        if not asked:
                            live.update(Text(f"answered from the cache, fetched at {answer.harvest.fetched_at:%H:%M:%S} UTC", style="dim"))
                        return answer
                    case Failed(error):
                        raise error


def _line(outcome: FetchOutcome) -> Text:
    style = "green" if outcome.status.answered else "dim" if outcome.status is Status.DISABLED else "red"
    took = f"{outcome.latency_ms:6.0f} ms" if outcome.latency_ms is not None else " " * 9
    note = f"{len(outcome.articles):4} articles" if outcome.status.answered else outcome.detail or ""
    return Text(f"{outcome.source:<10} {outcome.status:<15} {took}  {note}", style=style)


def _stacked(lines: dict[str, Text]) -> Text:
    return Text("\n").join(lines.values())


def _print_table(answer: Answer, limit: int) -> None:
    body = render(answer, View(limit=limit))
    table = Table("score", "published", "publisher", "title", "also", box=None, pad_edge=False)
    for article in body["articles"]:
        also = ", ".join(dict.fromkeys(duplicate["publisher"] for duplicate in article["duplicates"]))
        table.add_row(
            f"{article['score']:.3f}", article["published_at"][:16], Text(article["publisher"]), Text(article["title"]), Text(also)
        )
    console = Console()
    console.print(table)
    shown = len(body["articles"])
    console.print(f"{shown} of {body['total']} stories, {body['origin']}{'' if body['complete'] else ', incomplete'}", style="dim")


def _limit(raw: str) -> int:
    if not raw.isascii() or not raw.isdigit() or not 1 <= int(raw) <= MAX_LIMIT:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to {MAX_LIMIT}")
    return int(raw)

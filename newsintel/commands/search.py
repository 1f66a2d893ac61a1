"""`newsintel search QUERY` runs the pipeline once: a line per source, then the ranked stories."""

import argparse
import sys
from collections.abc import Callable
from typing import Any

from rich.console import Console

from newsintel import app
from newsintel.commands.setup import begin, tell
from newsintel.commands.source_lines import watch
from newsintel.commands.stories import print_lines, print_table
from newsintel.config.settings import Settings
from newsintel.domain.operations.source_notice import noticed, source_notice
from newsintel.domain.search.codec import to_json
from newsintel.domain.search.harvest import Answer
from newsintel.domain.search.query import build
from newsintel.domain.search.query_model import Query, Sort
from newsintel.domain.text.moments import read_moment
from newsintel.http.bodies.search import View, render
from newsintel.http.request.filters import check_bounds
from newsintel.http.request.query_kinds import language, names, whole
from newsintel.outbound.sources import REGISTRY
from newsintel.runtime import command_loop

MAX_LIMIT = 100

EXAMPLES = """\
examples:
  newsintel search climate -football
  newsintel search '"machine learning" OR "neural networks"' --sort newest --from 2026-01-01
  newsintel search rail --sources guardian,reddit --json | jq '.articles[].url'

On a terminal the stories are a table. Otherwise each story is one line: score, time, publisher,
title, address and other publishers, separated by tabs. Standard error has the lines about sources.
"""


def add_parser(commands: Any) -> None:
    """Declare the command."""
    command = commands.add_parser("search", epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter)
    command.takes_words = True
    command.add_argument("query", metavar="QUERY", nargs="+", help='words that must all occur, OR, -word; quoted for the shell: "a phrase"')
    command.add_argument("--limit", metavar="N", type=_kind(whole(1, MAX_LIMIT).parse), default=20, help="stories to show (default 20)")
    command.add_argument("--sources", metavar="A,B", type=_kind(names(tuple(REGISTRY)).parse), help=f"out of {','.join(REGISTRY)}")
    command.add_argument("--sort", choices=[one.value for one in Sort], default=Sort.RELEVANCE.value, help="default: relevance")
    command.add_argument("--from", metavar="DATE", type=_kind(read_moment), help="the first day or moment wanted, in UTC")
    command.add_argument("--to", metavar="DATE", type=_kind(lambda raw: read_moment(raw, end=True)), help="the last day or moment wanted")
    command.add_argument("--language", metavar="XX", type=_kind(language().parse), help="two letters; omits articles known to be in others")
    command.add_argument("--json", action="store_true", help="print the same JSON as GET /articles")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Search. Returns 1 where the HTTP API would answer 5xx."""
    settings = begin(quiet=True)
    if notice := source_notice(settings):
        tell("source_notice", f"newsintel: {notice}", notice=notice)
    answer = command_loop.run(_search, settings, _query(args, settings))
    body, console = render(answer, View(limit=args.limit)), Console()
    if args.json:
        sys.stdout.write(to_json(body | noticed(settings)).decode() + "\n")
    elif console.is_terminal:
        print_table(body, console)
    else:
        print_lines(body)
    return 1 if answer.failed else 0


def _query(args: argparse.Namespace, settings: Settings) -> Query:
    """Build the query. Raises InvalidParameterError if it is invalid."""
    start, end = vars(args)["from"], args.to
    check_bounds(start, end)
    sources = tuple(name for name in settings.source if args.sources is None or name in args.sources)
    return build(" ".join(args.query), sources=sources, start=start, end=end, language=args.language, sort=Sort(args.sort))


async def _search(settings: Settings, query: Query) -> Answer:
    async with app.open_pipeline(settings) as services:
        return await watch(services.search.desk.join(query, signed_in=True), query.sources)


def _kind(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """Wrap a parser for argparse, which then shows the text of its ValueError."""

    def parsed(raw: str) -> Any:
        try:
            return parse(raw)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parsed

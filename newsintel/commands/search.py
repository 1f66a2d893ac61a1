"""`newsintel search QUERY` runs the pipeline once: a line per source, then the ranked stories."""

import argparse
import sys
from collections.abc import Callable
from typing import Any

from rich.console import Console

from newsintel import app
from newsintel.commands.setup import load_settings_and_log, write_message
from newsintel.commands.source_lines import show_outcomes
from newsintel.commands.stories import print_lines, print_table
from newsintel.config.settings import Settings
from newsintel.domain.operations.source_notice import make_source_notice, notice_member
from newsintel.domain.search.codec import to_json
from newsintel.domain.search.harvest import Answer
from newsintel.domain.search.query import build_query
from newsintel.domain.search.query_model import Query, Sort
from newsintel.domain.text.moments import parse_time
from newsintel.http.bodies.search import View, render
from newsintel.http.request.filters import check_bounds
from newsintel.http.request.query_kinds import known_names, language_code, whole_number
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
    command = commands.add_parser(
        "search", epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    command.takes_words = True
    command.add_argument(
        "query",
        metavar="QUERY",
        nargs="+",
        help='words that must all occur, OR, -word; quoted for the shell: "a phrase"',
    )
    command.add_argument(
        "--limit",
        metavar="N",
        type=_wrap_parser(whole_number(1, MAX_LIMIT).parse),
        default=20,
        help="stories to show (default 20)",
    )
    command.add_argument(
        "--sources",
        metavar="A,B",
        type=_wrap_parser(known_names(tuple(REGISTRY)).parse),
        help=f"out of {','.join(REGISTRY)}",
    )
    command.add_argument(
        "--sort",
        choices=[one.value for one in Sort],
        default=Sort.RELEVANCE.value,
        help="default: relevance",
    )
    command.add_argument(
        "--from",
        metavar="DATE",
        type=_wrap_parser(parse_time),
        help="the first day or moment wanted, in UTC",
    )
    command.add_argument(
        "--to",
        metavar="DATE",
        type=_wrap_parser(lambda raw: parse_time(raw, end=True)),
        help="the last day or moment wanted",
    )
    command.add_argument(
        "--language",
        metavar="XX",
        type=_wrap_parser(language_code().parse),
        help="two letters; omits articles known to be in others",
    )
    command.add_argument("--json", action="store_true", help="print the same JSON as GET /articles")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Search. Returns 1 where the HTTP API would answer 5xx."""
    settings = load_settings_and_log(quiet=True)
    if notice := make_source_notice(settings):
        write_message("source_notice", f"newsintel: {notice}", notice=notice)
    answer = command_loop.run(_run_search, settings, _build_query(args, settings))
    body, console = render(answer, View(limit=args.limit)), Console()
    if args.json:
        sys.stdout.write(to_json(body | notice_member(settings)).decode() + "\n")
    elif console.is_terminal:
        print_table(body, console)
    else:
        print_lines(body)
    return 1 if answer.failed else 0


def _build_query(args: argparse.Namespace, settings: Settings) -> Query:
    """Build the query. Raises InvalidParameterError if it is invalid."""
    start, end = vars(args)["from"], args.to
    check_bounds(start, end)
    sources = tuple(
        name for name in settings.source if args.sources is None or name in args.sources
    )
    return build_query(
        " ".join(args.query),
        sources=sources,
        start=start,
        end=end,
        language=args.language,
        sort=Sort(args.sort),
    )


async def _run_search(settings: Settings, query: Query) -> Answer:
    async with app.open_pipeline(settings) as services:
        return await show_outcomes(
            services.search.desk.join_flight(query, signed_in=True), query.sources
        )


def _wrap_parser(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """Wrap a parser for argparse, which then shows the text of its ValueError."""

    def parsed(raw: str) -> Any:
        try:
            return parse(raw)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parsed

"""`newsintel feeds` lists, adds, removes, imports and exports the feeds that the service reads."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import trio
from attrs import asdict

from newsintel.commands.setup import load_settings_and_log
from newsintel.commands.stores import open_prepared_stores
from newsintel.config.settings import Settings
from newsintel.domain.bounds.slices import run_all
from newsintel.domain.feeds.model import FeedState, Origin, Subscription
from newsintel.domain.feeds.ports import FeedStore
from newsintel.domain.text.moments import format_time
from newsintel.domain.text.request_urls import find_url_fault, to_ascii_url
from newsintel.errors import InvalidParameterError
from newsintel.http.bodies.opml import build_opml
from newsintel.outbound.feed_lists import read_list, read_list_file
from newsintel.outbound.sources.feeds.default_list import load_default_feeds, mark_state_media
from newsintel.runtime import command_loop


def add_parser(commands: Any) -> None:
    """Declare the command."""
    command = commands.add_parser("feeds")
    actions = command.add_subparsers(
        required=True, metavar="ACTION", dest="action", help="`ACTION --help` explains one"
    )
    listing = actions.add_parser("list", help="show each feed and what came of its last poll")
    listing.add_argument("--json", action="store_true", help="one JSON object a line")
    adding = actions.add_parser("add", help="read a feed from now on")
    adding.add_argument("address", metavar="ADDRESS", help="http or https")
    removing = actions.add_parser("remove", help="stop reading a feed; its articles stay")
    removing.add_argument("address", metavar="ADDRESS", help="as `list` shows it")
    importing = actions.add_parser("import", help="add the feeds of a list in OPML")
    importing.add_argument("file", metavar="FILE.opml", type=Path, help="of any feed reader")
    actions.add_parser("export", help="write all feeds as OPML")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run one action. Safe beside a running service, which notices within seconds."""
    settings = load_settings_and_log()
    if args.action == "add":
        args.address = _check(args.address)
    return command_loop.run(_run_action, settings, args)


def _check(written: str) -> str:
    """Return an address in ASCII; raise InvalidParameterError if it must not be asked."""
    address = to_ascii_url(written) or written
    if (fault := find_url_fault(address)) is not None:
        raise InvalidParameterError("ADDRESS", "invalid", f"{written} is {fault}")
    return address


async def _run_action(settings: Settings, args: argparse.Namespace) -> int:
    found = await _load_file(args.file) if args.action == "import" else ()
    async with open_prepared_stores(settings) as stores:
        feeds, now = stores.archive.feeds, datetime.now(UTC)
        match args.action:
            case "list":
                return await _list(feeds, as_json=args.json)
            case "remove":
                return await _remove(feeds, args.address)
            case "export":
                listed = [one.subscription for one in await feeds.list_feeds()]
                sys.stdout.write(run_all(build_opml(listed)).decode() + "\n")
                return 0
        asked = found or (_describe(args.address),)
        new = await feeds.add_feeds(asked, Origin.COMMAND, now)
    sys.stdout.write(f"added: {new}, known already: {len(asked) - new}\n")
    return 0


async def _load_file(path: Path) -> tuple[Subscription, ...]:
    try:
        body = await trio.to_thread.run_sync(read_list_file, path)
    except OSError as error:
        raise InvalidParameterError(
            "FILE", "unreadable", f"{path}: {error.strerror or error}"
        ) from error
    return await read_list(body)


def _describe(address: str) -> Subscription:
    """Return what our list knows of a feed."""
    known = {feed.address: feed for feed in load_default_feeds()}
    return known.get(address) or mark_state_media(Subscription(address))


async def _list(feeds: FeedStore, *, as_json: bool) -> int:
    states = await feeds.list_feeds()
    for state in states:
        sys.stdout.write(_write_json(state) if as_json else _write_line(state))
    if not as_json:
        sys.stdout.write(f"{len(states)} feeds\n")
    return 0


async def _remove(feeds: FeedStore, address: str) -> int:
    stored = {address, to_ascii_url(address) or address}
    if not any([await feeds.remove_feed(one) for one in stored]):
        raise InvalidParameterError("ADDRESS", "unknown", f"{address} is not read")
    sys.stdout.write(f"{address} is not read any more; its articles stay\n")
    return 0


def _write_line(state: FeedState) -> str:
    known = state.subscription
    marks = [known.language or "--", known.country or "--"]
    marks += ["state media"] if known.state_media else []
    items = "" if state.items is None else f", {state.items} items"
    reason = f": {state.reason}" if state.reason else ""
    due = f", next {format_time(state.next_at)}" if state.next_at else ""
    return f"{state.status:<12} {known.address}  [{' '.join(marks)}]{items}{due}{reason}\n"


def _write_json(state: FeedState) -> str:
    values = asdict(state)
    row = values.pop("subscription") | values
    return orjson.dumps(row, option=orjson.OPT_UTC_Z).decode() + "\n"

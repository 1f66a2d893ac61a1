"""Prints the stories of a search, as a table on a terminal or as one line each."""

import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from newsintel.commands.setup import write_message
from newsintel.domain.search.forums import name_forum
from newsintel.domain.text.clean import remove_invisible

Body = Mapping[str, Any]
"""The JSON of GET /articles."""


def print_table(body: Body, console: Console) -> None:
    """Print each story's title, address and publishers. Addresses are links and are never cut."""
    table = Table("score", "published", "story", box=None, pad_edge=False, padding=(0, 2, 1, 0))
    for article in body["articles"]:
        story = Text("\n", overflow="fold").join(
            [
                Text(_clean_line(article["title"]), style="bold"),
                Text(_clean_line(article["url"]), style=f"dim link {_clean_line(article['url'])}"),
                Text(_describe_publishers(article)),
            ]
        )
        table.add_row(
            f"{article['score']:.3f}", article["published_at"][:16].replace("T", " "), story
        )
    console.print(table)
    console.print(_summarize_body(body), style="dim", highlight=False)


def print_lines(body: Body) -> None:
    """Print one line per story for other programs.

    The fields are score, time, publisher, title, address and other publishers, separated by tabs.
    """
    for article in body["articles"]:
        cells = (
            f"{article['score']:.3f}",
            article["published_at"],
            article["publisher"],
            article["title"],
            article["url"],
        )
        sys.stdout.write(
            "\t".join([*map(_clean_line, cells), ", ".join(_list_other_publishers(article))]) + "\n"
        )
    write_message(
        "searched",
        _summarize_body(body),
        **{name: body[name] for name in ("total", "origin", "complete")},
    )


def _describe_publishers(article: Body) -> str:
    """Return the publisher, the forum that discusses the story, and the other publishers."""
    publisher, others = _clean_line(article["publisher"]), _list_other_publishers(article)
    forum = name_forum(article["discussion"]["url"]) if article["discussion"] else None
    via = f" via {forum}" if forum not in (None, publisher) else ""
    return publisher + via + (f", also {', '.join(others)}" if others else "")


def _list_other_publishers(article: Body) -> list[str]:
    """Return the other publishers of a story, each once."""
    return list(
        dict.fromkeys(_clean_line(duplicate["publisher"]) for duplicate in article["duplicates"])
    )


def _clean_line(text: str) -> str:
    """Return upstream text as one line, without control characters and tabs."""
    return " ".join(remove_invisible(text).split())


def _summarize_body(body: Body) -> str:
    suffix = "" if body["complete"] else ", incomplete"
    return f"{len(body['articles'])} of {body['total']} stories, {body['origin']}{suffix}"

"""The elements of a document, and ways to read them in small steps whatever they hold."""

from collections.abc import Iterator
from itertools import islice
from typing import TypeAlias

from attrs import define, field

from newsintel.domain.bounds.slices import Sliced
from newsintel.outbound.sources.feeds.bases import Base

MOST_PARTS = 2_000
"""Texts and elements in a field that are read: 1 ms. Of no field are more than 2,000 characters
used."""
MOST_CHARS = 32 * 1024
"""Of a field that are read. A text in base64, or with much markup, is longer than what it
holds; and base64 can be cut at any multiple of 4."""
MOST_ALIKE = 20
"""Elements of one name in an item that are read. The first one with a text counts; of five links
the last may be the one."""
_MOST_WORD_CHARS = 100
"""Of an attribute that has one of a few words."""
_PARTS_A_SLICE = 1_000


@define(eq=False)
class Node:
    """An element.

    Attributes:
        name: in lower case. Core vocabularies have no prefix; others have `dc:` and so on.
        attributes: by name, in lower case, prefixed as the document has them.
        content: texts and elements, in order.
        base: the address against which relative ones in it are resolved.
        language: its `xml:lang`, which it may have inherited.
    """

    name: str
    attributes: dict[str, str]
    base: Base
    language: str
    content: "list[str | Node]" = field(factory=list)

    def iterate_content(self) -> "Iterator[str | Node | None]":
        """Yield texts and elements in it, at any depth and in order, and None where one ends.

        There are at most MOST_PARTS of them, and no further one after MOST_CHARS.
        """
        left, room = MOST_PARTS, MOST_CHARS
        waiting = [iter(self.content)]
        while waiting and left > 0 and room > 0:
            one = next(waiting[-1], None)
            if one is None:
                waiting.pop()
                if not waiting:
                    return
            elif isinstance(one, str):
                room -= len(one)
            else:
                waiting.append(iter(one.content))
            left -= one is not None
            yield one
        yield from [None] * (len(waiting) - 1)

    def has_elements(self) -> bool:
        """Return whether there is an element among its first parts."""
        return any(isinstance(one, Node) for one in islice(self.content, MOST_PARTS))

    def find_child(self, name: str) -> "Node | None":
        """Return the first element with a name among its first parts."""
        parts = islice(self.content, MOST_PARTS)
        return next((one for one in parts if isinstance(one, Node) and one.name == name), None)

    def read_text(self) -> str:
        """Return the text in it and in all elements in it."""
        return "".join(one for one in self.iterate_content() if isinstance(one, str)).strip()

    def read_word(self, name: str, default: str = "") -> str:
        """Return an attribute that has one of a few words, in lower case."""
        return self.attributes.get(name, default)[:_MOST_WORD_CHARS].strip().lower()


Children: TypeAlias = dict[str, list[Node]]
"""The elements in an element by name, in order: the first MOST_ALIKE of each."""


def index_children(node: Node) -> Sliced[Children]:
    """Return the elements in an element by name. One pass serves all fields."""
    found: Children = {}
    for number, one in enumerate(node.content, 1):
        if isinstance(one, Node):
            alike = found.setdefault(one.name, [])
            if len(alike) < MOST_ALIKE:
                alike.append(one)
        if not number % _PARTS_A_SLICE:
            yield
    return found


def list_nodes(root: Node, names: frozenset[str], *, nested: bool) -> Sliced[list[Node]]:
    """Return the elements with one of these names at any depth, in order.

    Args:
        root: where to look; it counts.
        names: in lower case.
        nested: whether to look for more within one that is found.
    """
    found: list[Node] = []
    waiting: list[Iterator[str | Node]] = [iter([root])]
    seen = 0
    while waiting:
        seen += 1
        if not seen % _PARTS_A_SLICE:
            yield
        one = next(waiting[-1], None)
        if one is None:
            waiting.pop()
        elif isinstance(one, Node):
            if one.name in names:
                found.append(one)
            if nested or one.name not in names:
                waiting.append(iter(one.content))
    return found

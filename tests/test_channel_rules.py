"""Rules of channels that no linter checks (docs/decisions/0002-who-owns-what.md).

The tests read them from the code.
"""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "newsintel"
FILES = sorted(PACKAGE.rglob("*.py"))
ROOMS = {"runtime/edges.py", "actors/merger.py"}
"""Where channels may be opened."""
NURSERIES = {
    "app.py",
    "commands/serving.py",
    "commands/worker.py",
    "commands/workers.py",
    "runtime/workers/channel.py",
    "runtime/workers/supervisor.py",
    "storage/bridge.py",
    "demo/server.py",
    "http/server/listener.py",
    "http/server/connection.py",
}
"""Where nurseries may be opened, besides actors/."""
ENDS = ("inbox", "outbox", "channel", "send", "receive", "flights", "searches")


def is_channel(node: ast.expr) -> bool:
    """True if the name of an expression is one of a channel end."""
    name = (
        node.attr
        if isinstance(node, ast.Attribute)
        else node.id
        if isinstance(node, ast.Name)
        else ""
    )
    name = name.lstrip("_")
    return name.startswith("to_") or name.endswith(ENDS)


def asynchronously_closed(tree: ast.AST) -> list[int]:
    """Lines that close a channel end with `async with` or aclose().

    A checkpoint there hides the error that led to it.
    """
    found = [
        item.context_expr.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.AsyncWith)
        for item in node.items
        if is_channel(item.context_expr)
    ]
    return found + [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "aclose" and is_channel(node.value)
    ]


def calls(tree: ast.AST, name: str) -> list[int]:
    """Lines that call something of this name, also with a subscript, as in f[T]()."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            callee = node.func.value if isinstance(node.func, ast.Subscript) else node.func
            if (
                callee.attr if isinstance(callee, ast.Attribute) else getattr(callee, "id", "")
            ) == name:
                found.append(node.lineno)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_file_keeps_the_rules(path):
    """Channels close by plain `with` and open in two files; nurseries open where listed."""
    tree, name = ast.parse(path.read_text(encoding="utf-8")), str(path.relative_to(PACKAGE))
    assert not asynchronously_closed(tree)
    if name not in ROOMS:
        assert not calls(tree, "open_memory_channel")
    if name not in NURSERIES and not name.startswith("actors/"):
        assert not calls(tree, "open_nursery")


def test_each_rule_finds_a_planted_breach():
    """Each rule finds a planted breach."""
    breach = ast.parse(
        "async def f(inbox, to_sink):\n"
        "    async with inbox, open_nursery() as n:\n"
        "        await to_sink.aclose()\n"
        "        trio.open_memory_channel[int](1)\n"
    )
    assert asynchronously_closed(breach) == [2, 3]
    assert calls(breach, "open_nursery") == [2]
    assert calls(breach, "open_memory_channel") == [4]

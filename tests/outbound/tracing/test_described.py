"""docs/operating.md describes each span and each attribute, and no other."""

import ast
import re
from pathlib import Path

from newsintel.outbound.sources import REGISTRY

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
TABLE = PAGE.partition("| span | kind |")[2].partition("\n\n")[0]
STEPS = {"begin_child", "trace_step"}
TREES = [
    ast.parse(path.read_text(encoding="utf-8"))
    for room in ("actors", "domain", "http/server", "runtime/search")
    for path in (ROOT / "newsintel" / room).rglob("*.py")
]


def test_every_attribute_is_described():
    """Those that the code gives to spans; `error.type` comes with each failure."""
    given = {
        key.value
        for tree in TREES
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant) and re.match(r"(newsintel|http|url)\.", str(key.value))
    }
    assert set(re.findall(r"`([a-z]+\.[a-z_.]+)`", TABLE)) == given | {"error.type"}


def test_every_step_is_described():
    """By its name; that of a fetch holds the source's."""
    steps = {
        node.args[0].value
        for tree in TREES
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).rpartition(".")[2] in STEPS
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    rows = [re.match(r"\| `([^`]+)`", row) for row in TABLE.splitlines()[2:]]
    told = {row[1] for row in rows if row}
    fetches = {f"fetch {name}" for name in REGISTRY}
    assert len(told & fetches) == 1
    assert told - fetches - {"GET /articles"} == steps

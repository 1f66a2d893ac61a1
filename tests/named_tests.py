"""Finds the tests that a page of the documentation names, such as `http/test_route.py::test_x`."""

import ast
import re
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parent


def list_named(page):
    """Return the path and name of each test that a page names; `*` means all tests of a file."""
    return sorted(set(re.findall(r"`([\w/]+\.py)::(\w+|\*)`", page)))


@cache
def find_tests(path):
    """The names of the tests in a file."""
    tree = ast.parse((TESTS / path).read_text(encoding="utf-8"))
    return {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    }


def exists(path, name):
    """Whether there is such a test."""
    tests = find_tests(path)
    return name in tests if name != "*" else bool(tests)


def list_numbered(pattern):
    """Yield each test whose name begins with a pattern, and what the pattern's groups matched."""
    for path in TESTS.rglob("test_*.py"):
        for name in find_tests(str(path.relative_to(TESTS))):
            if found := re.match(pattern, name):
                yield name, found.groups()

"""Every test runs in CI: the slow ones, which `just test` leaves out, in recipes that CI runs."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RECIPES = dict(
    re.findall(
        r"^([a-z-]+)(?: \*?[A-Z].*)?:.*\n((?: .*\n)+)",
        (ROOT / "justfile").read_text(),
        re.MULTILINE,
    )
)
IN_CI = set(
    re.findall(r"\./dev ([a-z-]+)", (ROOT / ".github" / "workflows" / "ci.yml").read_text())
)
BY_THEIR_PROGRAM = {
    "tests/ops/test_containers.py": "kubernetes-check",
    "tests/ops/test_drill.py": "drill",
    "tests/ops/test_image_check.py": "image-check",
    "tests/ops/test_one_box.py": "one-box-check",
}
"""The slow tests that only start the program of a recipe. CI runs the recipe instead."""
NOT_IN_CI = {"one-box-check"}
"""It changes the machine, as root."""
SLOW = re.compile(r"\b(?:mark|marks=pytest\.mark)\.slow\b")


def list_slow_files():
    """Yield the path of every file with a slow test, from the root on."""
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        if path != Path(__file__) and SLOW.search(path.read_text()):
            yield path.relative_to(ROOT)


def find_recipes(path):
    """The recipes that run the slow tests of a file, named or ignored by itself or by a folder."""
    names = {str(one) for one in (path, *path.parents)}
    ignored = {f"--ignore={name}" for name in names}
    return {
        recipe
        for recipe, lines in RECIPES.items()
        if "-m slow" in lines and names & {*lines.split()} and not ignored & {*lines.split()}
    }


def test_ci_runs_every_slow_test():
    """Else what it holds breaks unseen."""
    slow = list(list_slow_files())
    assert len(slow) > 20
    alone = {str(path) for path in slow if not find_recipes(path) & IN_CI}
    assert alone == set(BY_THEIR_PROGRAM)
    assert set(BY_THEIR_PROGRAM.values()) <= RECIPES.keys()
    assert set(BY_THEIR_PROGRAM.values()) - IN_CI == NOT_IN_CI

"""Reads a Dockerfile's stages, and runs a stage's steps below a folder instead of an image's root.

Only `run_steps` has side effects.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from attrs import field, frozen


@frozen
class Stage:
    """One stage.

    Attributes:
        name: '' for the last stage.
        steps: its instructions in order, as (WORD, rest) pairs with continued lines joined.
    """

    name: str
    steps: list[tuple[str, str]] = field(factory=list)

    def find_all(self, word: str) -> list[str]:
        """Return the rest of each instruction with this word."""
        return [rest for found, rest in self.steps if found == word]

    def build_environ(self, arguments: Mapping[str, str]) -> dict[str, str]:
        """Return the stage's ENV with its ARGs replaced, by `arguments` or by their defaults.

        $PATH stays unchanged.
        """
        given = {
            name: arguments.get(name, default)
            for name, _, default in (rest.partition("=") for rest in self.find_all("ARG"))
        }
        pairs = re.findall(r"(\w+)=(\S+)", " ".join(self.find_all("ENV")))
        return {
            name: re.sub(r"\$\{(\w+)\}", lambda match: given[match[1]], value)
            for name, value in pairs
        }


def parse_stages(text: str) -> list[Stage]:
    """Parse the stages of a Dockerfile, in order."""
    lines = "\n".join(
        line for line in text.splitlines() if line.strip() and not line.startswith("#")
    )
    found: list[Stage] = []
    for line in lines.replace("\\\n", "").splitlines():
        word, _, rest = line.partition(" ")
        if word == "FROM":
            _, _, name = rest.partition(" AS ")
            found.append(Stage(name))
        elif found:
            found[-1].steps.append((word, " ".join(rest.split())))
    return found


def move_paths(command: str, root: Path, folders: tuple[str, ...]) -> str:
    """Return a command with every absolute path below one of `folders` moved below `root`."""
    return re.sub(rf"(?<![\w/])(?={'|'.join(map(re.escape, folders))})", str(root), command)


def run_steps(
    stage: Stage, context: Path, root: Path, folders: tuple[str, ...], environ: Mapping[str, str]
) -> Iterator[str]:
    """Run a stage's steps below `root`. Yields each RUN line before it runs.

    Args:
        stage: may use WORKDIR, COPY of files and folders, and RUN.
        context: the source folder of COPY.
        root: used as the image's root.
        folders: the absolute paths that the steps may name.
        environ: for the RUN lines.

    Raises:
        CalledProcessError: a RUN line failed.
    """
    work = root
    for word, rest in stage.steps:
        if word == "WORKDIR":
            work = root / rest.lstrip("/")
            work.mkdir(parents=True, exist_ok=True)
        elif word == "COPY":
            *sources, target = rest.split()
            _copy_files(
                [context / source for source in sources],
                root / target.lstrip("/") if target.startswith("/") else work / target,
                target,
            )
        elif word == "RUN":
            yield rest
            subprocess.run(
                ["/bin/sh", "-c", move_paths(rest, root, folders)],
                cwd=work,
                env=dict(environ),
                check=True,
            )


def _copy_files(sources: list[Path], target: Path, written: str) -> None:
    """Copy as COPY does: a folder's contents, or files into a target that ends with a slash."""
    for source in sources:
        if source.is_dir():
            shutil.copytree(
                source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
            )
            continue
        to = target / PurePosixPath(source).name if written.endswith("/") else target
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, to)

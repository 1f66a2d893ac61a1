"""Commands whose standard streams are closed or cannot be written, by a real shell."""

import os
import subprocess
import sys

import pytest

from newsintel.commands.standard_streams import InputLines

LIST_DESCRIPTORS = """
import os
from newsintel.commands.standard_descriptors import open_closed_descriptors
open_closed_descriptors()
names = [os.readlink("/proc/self/fd/%d" % number) for number in range(3)]
found = names.count("/dev/null"), open("/proc/self/status").fileno() > 2
os.write(9, ("%d %s" % found).encode())
"""


@pytest.fixture(params=["", "1"])
def shell(request, tmp_path):
    """Runs Python, which buffers or not, with the shell's redirections; 9 is standard error."""

    def run(redirected: str) -> subprocess.CompletedProcess[str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("NEWS")}
        own |= {"NEWSINTEL_DATA_DIR": str(tmp_path), "PYTHONUNBUFFERED": request.param}
        script = f"exec 9>&2; {sys.executable} {redirected}"
        return subprocess.run(
            ["bash", "-o", "pipefail", "-c", script],
            input="",
            capture_output=True,
            env=own,
            text=True,
            timeout=300,
            check=False,
        )

    return run


@pytest.mark.slow
@pytest.mark.parametrize("closed", ["2>&-", "<&- 2>&-", "2>/dev/full"])
def test_a_command_works_without_standard_error(shell, closed):
    """Services are often started so. Before, each command ended at its first line of the log."""
    done = shell(f"-m newsintel config --names {closed}")
    assert (done.returncode, "NEWSINTEL_BIND\n" in done.stdout) == (0, True)


@pytest.mark.slow
@pytest.mark.parametrize("command", ["config --names", "config --json", "new-key"])
@pytest.mark.parametrize(
    ("redirected", "reason"),
    [
        (">/dev/full", "No space left on device"),
        (">&-", "Bad file descriptor"),
        ("<&- >&-", "Bad file descriptor"),
    ],
)
def test_output_that_cannot_be_written_is_one_line(shell, command, redirected, reason):
    """And the command has failed."""
    done = shell(f"-m newsintel {command} {redirected}")
    assert (done.returncode, done.stderr) == (1, f"newsintel: standard output: {reason}\n")


def test_a_reader_that_leaves_is_no_traceback(shell):
    """It wanted no more."""
    done = shell("-m newsintel config --json | true")
    assert done.returncode in (0, 1)  # the pipe may take all of it before the reader leaves
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("closed", "number"), [("<&-", 1), (">&-", 1), ("2>&-", 1), ("<&- >&- 2>&-", 3)]
)
def test_no_file_gets_the_number_of_a_closed_stream(shell, closed, number):
    """What is written to a stream must not go to a file or to a store's connection."""
    done = shell(f"-c '{LIST_DESCRIPTORS}' {closed}")
    assert done.stderr == f"{number} True"


async def test_lines_come_from_a_descriptor_that_does_not_block():
    """The other program shares the pipe and may have set O_NONBLOCK."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.write(writing, b"one\n")
    lines = InputLines(reading)
    assert await anext(lines) == "one"
    os.write(writing, b"two")
    os.close(writing)
    assert await anext(lines) == "two"
    os.close(reading)

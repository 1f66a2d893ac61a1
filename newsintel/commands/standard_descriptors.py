"""Standard input, output and error that the caller has closed, and output that cannot be written.

Output is UTF-8 in every locale: JSON always is (RFC 8259, 8.1), and a title may have any character.

Without the first, the first file or socket that is opened takes the number of a closed one, and
gets what is written there; and Python has no `sys.stderr` then, which ended every command.
"""

import errno
import io
import os
import sys

from newsintel.errors import flatten_errors

_CLOSED = ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY))
"""How each is opened on /dev/null. A write to output fails: the command has to say so. What a
service writes to error is lost, as its caller wanted."""

_UNWRITTEN = frozenset({errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ENOSPC, errno.EPIPE})
"""Why a long write fails at once: a quota, a limit, a broken or full disk, no reader. A short one
stays in Python's buffer, and writing it fails at the end."""


def open_closed_descriptors() -> None:
    """Open each of the three that is closed.

    Call it before anything else is opened.
    """
    for number, mode in _CLOSED:
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)  # gets the lowest number that is free: this one
            os.set_inheritable(number, True)
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def write_utf8() -> None:
    """Write standard output as UTF-8, whatever the locale says."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")


def find_output_fault(failure: BaseException | None) -> OSError | None:
    """Return why standard output cannot be written; None if all of it is written.

    Args:
        failure: what the command raised. An error of a file has a name, and those of sockets are
            translated where they happen.
    """
    causes = flatten_errors(failure) if failure else []
    faults = [one for one in causes if isinstance(one, OSError) and _is_of_output(one)]
    if faults and len(faults) == len(causes) and all(one.filename is None for one in faults):
        return faults[0]
    try:
        sys.stdout.flush()
    except OSError as error:
        return error
    return None


def _is_of_output(error: OSError) -> bool:
    """Return whether a write to standard output can raise this error."""
    if error.errno != errno.EBADF:
        return error.errno in _UNWRITTEN
    try:
        os.write(1, b"")
    except OSError:  # it was closed
        return True
    return False


def discard_output() -> None:
    """Drop the buffered output: Python writes it at exit, and the reader may never read it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

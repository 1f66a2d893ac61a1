"""Runs a program under a unit's filter of system calls, without systemd.

Usage: restrict.py UNIT PROGRAM ARGUMENT...

It also denies memory that is writable and executable, as MemoryDenyWriteExecute does. It runs
with Debian's Python and its libseccomp, which systemd uses too.
"""

import ctypes
import os
import subprocess
import sys
from pathlib import Path

ALLOW = 0x7FFF0000
DENY = 0x00050000 | 1
"""SCMP_ACT_ALLOW and SCMP_ACT_ERRNO(EPERM) of seccomp.h."""

PR_SET_MDWE, REFUSE_EXEC_GAIN = 65, 1
"""linux/prctl.h, since Linux 6.3."""


def main() -> None:
    """Restrict this process, then become the program."""
    unit, *command = sys.argv[1:]
    libc, library = ctypes.CDLL(None), ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    rules = ctypes.c_void_p(library.seccomp_init(DENY))
    for name in sorted(read_allowed(Path(unit).read_text(encoding="utf-8"))):
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number >= 0 and library.seccomp_rule_add(rules, ALLOW, number, 0):
            sys.exit(f"restrict: libseccomp refuses {name}")
    if libc.prctl(PR_SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0):
        sys.stderr.write("restrict: this kernel cannot deny writable and executable memory\n")
    if library.seccomp_load(rules):
        sys.exit("restrict: the kernel refuses the filter")
    os.execv(command[0], command)  # noqa: S606 - the unit names the program


def read_allowed(unit: str) -> set[str]:
    """Return the system calls that a unit's SystemCallFilter lines allow.

    As in systemd.exec(5): @default is always allowed, and a line with ~ takes calls away.
    """
    allowed = expand("@default")
    for line in unit.splitlines():
        name, _, value = line.partition("=")
        if name != "SystemCallFilter":
            continue
        named = set().union(*(expand(word) for word in value.removeprefix("~").split()))
        allowed = allowed - named if value.startswith("~") else allowed | named
    return allowed


def expand(name: str) -> set[str]:
    """Return the system calls of one of systemd's groups, by systemd itself."""
    if not name.startswith("@"):
        return {name}
    listed = subprocess.run(
        ["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True
    ).stdout
    words = [line.strip() for line in listed.splitlines()[1:]]
    return set().union(*(expand(word) for word in words if word and not word.startswith("#")))


if __name__ == "__main__":
    main()

"""Runs `newsintel` and sends it a signal at one of its own steps.

Usage: python stopped_at.py SIGNAL STEP COUNT -- COMMAND...

Steps are the interpreter's audit events that touch the outside (PEP 578), numbered from 0 in order:
starting a program, locking, connecting, opening and removing files in its data folder. So a test
can send a signal at each step, one after the other, without a clock. COUNT is the number of steps
in a row that send it. STEP -1 sends none and prints the steps.
"""

import os
import sys

KINDS = (
    "subprocess.Popen",
    "os.posix_spawn",
    "fcntl.flock",
    "socket.connect",
    "socket.bind",
    "os.mkdir",
    "os.rename",
    "os.remove",
    "os.kill",
)


def main() -> int:
    """Run the command."""
    number, step, times = (int(each) for each in sys.argv[1:4])
    steps: list[str] = []
    began = False

    def hook(name, args):
        if not began or (
            name not in KINDS
            and not (name == "open" and os.environ["XDG_DATA_HOME"] in str(args[0]))
        ):
            return
        if name == "os.kill" and args[0] == os.getpid():
            return
        steps.append(f"{name} {str(args)[:80]}")
        if step >= 0 and len(steps) - 1 in range(step, step + times):
            os.kill(os.getpid(), number)

    sys.addaudithook(hook)
    from newsintel.commands.main import main as command  # noqa: PLC0415 - its imports have steps too

    began = True
    code = command(sys.argv[5:])
    if step < 0:
        print("\n".join(steps))  # noqa: T201
    return code


if __name__ == "__main__":
    sys.exit(main())

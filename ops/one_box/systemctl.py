"""Stands in for systemctl where systemd does not run: it starts what docs/one-box.md starts.

docs/one-box.md says which parts of the unit it applies. It runs with Debian's Python.
"""

import grp
import os
import shlex
import subprocess
import sys
from pathlib import Path

UNITS = Path("/etc/systemd/system")
LOG = Path("/var/log/newsintel.log")

MOUNTS = """\
mount -t proc -o hidepid=invisible,subset=pid proc /proc
mount --bind {state} {state}
mount -o remount,bind,ro /
mount -t tmpfs tmpfs /tmp
exec "$@"
"""
"""ProtectProc, ProcSubset, StateDirectory, ProtectSystem and PrivateTmp."""


def main() -> None:
    """Do what the words ask, or end with an error that repeats them."""
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    if words == ["start", "postgresql"]:
        version = max(path.name for path in Path("/etc/postgresql").iterdir())
        run("pg_ctlcluster", "--skip-systemctl-redirect", version, "main", "start")
    elif words == ["restart", "redis-server"]:
        run("install", "-d", "-o", "redis", "-g", "redis", "/run/redis")
        options = ("--daemonize", "yes", "--supervised", "no")
        run("runuser", "-u", "redis", "--", "redis-server", "/etc/redis/redis.conf", *options)
    elif words == ["restart", "nginx"]:
        run("nginx")
    elif words == ["enable", "newsintel"]:
        start_unit(UNITS / "newsintel.service")
    elif words != ["daemon-reload"]:
        sys.exit(f"the stand-in for systemctl cannot do this: {shlex.join(sys.argv[1:])}")


def run(*command: str) -> None:
    """Run a program to its end; it must succeed."""
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def start_unit(path: Path) -> None:
    """Run the unit's ExecStartPre to its end, then leave its ExecStart running."""
    unit = read_unit(path)
    state = f"/var/lib/{unit['StateDirectory'][-1]}"
    run("install", "-d", "-m", unit["StateDirectoryMode"][-1], "-o", unit["User"][-1], state)
    for command in unit["ExecStartPre"]:
        subprocess.run(wrap_command(path, unit, state, command), check=True, env=read_environ(unit))
    with LOG.open("ab") as log:
        subprocess.Popen(
            wrap_command(path, unit, state, unit["ExecStart"][-1]),
            env=read_environ(unit),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def read_unit(path: Path) -> dict[str, list[str]]:
    """Return the values of each setting; none of ours continues on a second line."""
    unit: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            unit.setdefault(name, []).append(value)
    return unit


def read_environ(unit: dict[str, list[str]]) -> dict[str, str]:
    """Return the unit's environment (systemd.exec(5)): Environment, then EnvironmentFile."""
    lines = [word for value in unit["Environment"] for word in shlex.split(value)]
    for file in unit["EnvironmentFile"]:
        lines += Path(file).read_text(encoding="utf-8").splitlines()
    given = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    return {"PATH": os.defpath, "USER": unit["User"][-1]} | given


def wrap_command(path: Path, unit: dict[str, list[str]], state: str, command: str) -> list[str]:
    """Return the command with the unit's restrictions around it."""
    groups = ",".join(str(grp.getgrnam(name).gr_gid) for name in unit["SupplementaryGroups"])
    return [
        *("unshare", "--mount", "sh", "-euc", MOUNTS.format(state=state), "sh"),
        *("prlimit", f"--nofile={unit['LimitNOFILE'][-1]}"),
        *("setpriv", f"--reuid={unit['User'][-1]}", f"--regid={unit['Group'][-1]}"),
        *(f"--groups={groups}", "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all", "--"),
        *("sh", "-c", f'umask {unit["UMask"][-1]}; exec "$@"', "sh"),
        *("/usr/bin/python3", str(Path(__file__).with_name("restrict.py")), str(path)),
        *shlex.split(command),
    ]


if __name__ == "__main__":
    main()

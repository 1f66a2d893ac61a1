"""The lines of the canonical form: one for each property, each reference, each block."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Json = dict[str, Any]

NOT_REVIEWED = ("tags", "tags_all", "timeouts")
"""Tags have their policies, and no right depends on them."""

BLOCKS = ("ephemeral", "provider", "terraform", "variable")
"""Blocks that no plan contains. They are compared as text, and so are the locals that secrets go
through."""


def list_properties(
    known: Json, unknown: Mapping[str, Any], expressions: Mapping[str, Any]
) -> Iterator[str]:
    """Return a line for each property of a resource that the configuration sets.

    Args:
        known: the resource as planned with invented values.
        unknown: by property, whether the plan without them leaves it to AWS. Then it is shown only
            if it refers to another resource; else it is noise.
        expressions: what the configuration sets. It lacks the blocks that `dynamic` makes.
    """
    address = known["address"]
    for name, value in known["change"]["after"].items():
        dynamic = isinstance(value, list) and value and isinstance(value[0], dict)
        if name in NOT_REVIEWED or not (name in expressions or dynamic):
            continue
        for path, text in _walk(name, value, unknown.get(name), expressions.get(name)):
            yield f"{address} {path} = {text}"


def _walk(path: str, value: Any, unknown: Any, written: Any) -> Iterator[tuple[str, str]]:
    """Return the path and text of each value; lists of plain values are one."""
    document = _parse(value)
    if document is not value:
        unknown = written = None
    names = _list_written(written)
    if isinstance(document, Mapping):
        for name, each in document.items():
            if names is None or name in names:
                inner = names[name] if names else None
                yield from _walk(f"{path}.{name}", each, _step(unknown, name), inner)
    elif isinstance(document, list) and any(isinstance(each, dict | list) for each in document):
        for number, each in enumerate(document):
            label = each.get("Sid") or each.get("name") if isinstance(each, Mapping) else None
            yield from _walk(f"{path}[{label or number}]", each, _step(unknown, number), written)
    elif document not in (None, [], ""):
        text = json.dumps(document, sort_keys=True)
        # What is unknown of a list is a list, of which an element may be True.
        left_to_aws = unknown is True or (isinstance(unknown, list) and True in unknown)
        if not left_to_aws or "aws_" in text:
            yield path, text


def _list_written(written: Any) -> Mapping[str, Any] | None:
    """Return what the configuration sets in a block, or in all blocks of a list.

    None if `written` is no block but an expression: then nothing in it is a provider's default.
    """
    if isinstance(written, list):
        blocks = [each for each in written if isinstance(each, Mapping)]
        return {name: each for block in blocks for name, each in block.items()}
    if not isinstance(written, Mapping) or {"references", "constant_value"} & written.keys():
        return None
    return written or None


def _step(unknown: Any, key: str | int) -> Any:
    """Return what is unknown of an element."""
    if isinstance(unknown, Mapping):
        return unknown.get(str(key))
    if isinstance(unknown, list):
        return unknown[int(key)] if int(key) < len(unknown) else None
    return unknown


def _parse(value: Any) -> Any:
    """Return the document of a string that is JSON, such as a policy."""
    if isinstance(value, str) and value[:1] in "[{":
        try:
            return json.loads(value)
        except ValueError:
            pass
    return value


def list_references(resources: Iterable[Json]) -> Iterator[str]:
    """Return what write-only arguments refer to, which no plan shows, and the instances' keys."""
    for each in resources:
        for name, expression in each.get("expressions", {}).items():
            if name.endswith("_wo") or name == "secret_id":
                text = expression.get("references") or expression.get("constant_value")
                yield f"{each['address']} {name} <- {json.dumps(text)}"
        for needed in each.get("depends_on", []):
            yield f"{each['address']} depends_on {needed}"


def list_blocks(text: str) -> Iterator[str]:
    """Return the lines of the blocks that no plan contains, and of each lifecycle."""
    for block in re.findall(r"^\w[^\n]*\{\n.*?^\}", text, flags=re.MULTILINE | re.DOTALL):
        head, *rest = (
            re.sub(r"\s+", " ", line.split(" # ")[0]).strip() for line in block.splitlines()
        )
        name = head.removesuffix(" {")
        if name.split()[0] not in BLOCKS and not (name == "locals" and " ephemeral." in block):
            rest = re.findall(r"^  lifecycle \{\n(.*?)^  \}", block, flags=re.MULTILINE | re.DOTALL)
            rest = [
                re.sub(r"\s+", " ", line).strip() for each in rest for line in each.splitlines()
            ]
        yield from (
            f"{name}: {line}" for line in rest if line.strip("{}") and not line.startswith("#")
        )

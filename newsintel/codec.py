"""Values to bytes and back: harvests for the cache, bodies for responses. The only place with cattrs hooks.

What is loaded is trusted in nothing: a cache outlives versions, and may be written by others. It is a whole harvest or a ValueError.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, get_args, get_origin

import orjson
from cattrs import Converter
from cattrs.preconf.orjson import make_converter

from newsintel.model import Harvest, Origin, Sort, Status

# Raise it with every change to the fields of Harvest or of a value within: what another version wrote is then not read.
FORMAT = 1


def to_json(value: Any) -> bytes:
    """A body of plain values (dicts, lists, strings, numbers) as UTF-8 JSON."""
    return orjson.dumps(value)


def dump_harvest(harvest: Harvest) -> bytes:
    """A harvest as bytes that `load_harvest` reads."""
    return orjson.dumps({"format": FORMAT, "harvest": _converter.unstructure(harvest)})


def load_harvest(data: bytes) -> Harvest:
    """The harvest that was dumped.

    Raises:
        ValueError: the bytes are no harvest of this format; the message says why in a few words and quotes nothing of them.
    """
    try:
        envelope = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise ValueError("not JSON") from error
    if not isinstance(envelope, dict) or envelope.get("format") != FORMAT:
        raise ValueError(f"not format {FORMAT}")
    try:
        return _converter.structure(envelope["harvest"], Harvest)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise ValueError(f"not a harvest ({type(error).__name__})") from error


def _exactly(kind: type) -> Callable[[Any, Any], Any]:
    """A hook that takes a value as it is or not at all, where cattrs would convert 5 to "5"."""

    def check(value: Any, _: Any) -> Any:
        if type(value) is not kind:
            raise TypeError(f"expected {kind.__name__}")
        return value

    return check


def _member(value: Any, enum: type[StrEnum]) -> StrEnum:
    return enum(value)


def _real(value: Any, _: Any) -> float:
    if type(value) not in (int, float):
        raise TypeError("expected a number")
    return float(value)


def _moment(value: Any, _: Any) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("expected an offset")
    return moment.astimezone(UTC)


def _is_tuple(kind: Any) -> bool:
    origin: Any = get_origin(kind)
    return origin is tuple


def _tuple_hook(kind: Any, converter: Converter) -> Callable[[Any, Any], tuple[Any, ...]]:
    """Structures `tuple[X, ...]` from a list alone, where cattrs would also take a text letter by letter."""
    item = get_args(kind)[0]
    hook = converter.get_structure_hook(item)

    def structure(value: Any, _: Any) -> tuple[Any, ...]:
        if type(value) is not list:
            raise TypeError("expected a list")
        return tuple([hook(each, item) for each in value])

    return structure


def _make() -> Converter:
    """The converter; without detailed validation, which takes twice the time to say where an unreadable harvest is wrong."""
    converter = make_converter(detailed_validation=False)
    for kind in (str, int, bool):
        converter.register_structure_hook(kind, _exactly(kind))
    for enum in (Origin, Sort, Status):  # by name, or the hook of their base str would take them
        converter.register_structure_hook(enum, _member)
    converter.register_structure_hook(float, _real)
    converter.register_structure_hook(datetime, _moment)
    converter.register_structure_hook_factory(_is_tuple)(_tuple_hook)
    return converter


_converter = _make()

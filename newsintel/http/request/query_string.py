"""Strict reader of paths and query strings: returns valid values or names each bad parameter."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote_to_bytes

from attrs import frozen

from newsintel.errors import InvalidParameterError
from newsintel.http.request.query_kinds import Kind

MAX_ERRORS = 20
"""Errors that one answer lists. A query string within the server's 16 KiB could hold thousands of
unknown names."""

MAX_PARAMETERS = 100
"""No route takes twenty. Without this limit, the parameters that fit into a query string take 20 ms
to read, and other requests wait."""

MAX_REPEATED = 1_500
"""The same limit where a parameter may be repeated: a body of 64 KiB holds about as many item ids
of Google Reader."""


@frozen
class Parameter:
    """One query parameter: its public name, kind and value when absent.

    With `many` it may be repeated, and its value is a tuple.
    """

    name: str
    kind: Kind
    about: str
    default: Any = None
    required: bool = False
    many: bool = False

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of its value."""
        return {"type": "array", "items": self.kind.schema} if self.many else self.kind.schema

    def parse(self, given: Sequence[str]) -> Any:
        """Return the value of the decoded texts that were given, at least one."""
        return tuple(map(self.kind.parse, given)) if self.many else self.kind.parse(given[0])


def parse_query(
    parameters: Iterable[Parameter],
    query_string: bytes,
    *,
    foreign: bool = False,
    blank_is_absent: bool = False,
) -> dict[str, Any]:
    """Return every parameter's value by name; an absent one has its default.

    Unknown parameters of a foreign query string are ignored. With `blank_is_absent`, so are known
    ones without a value: forms send those of empty fields.

    Raises:
        InvalidParameterError: there are too many parameters.
        ExceptionGroup: InvalidParameterErrors, one for each name that is unknown, repeated, missing
            or invalid.
    """
    known = {parameter.name: parameter for parameter in parameters}
    given, errors = _split_pairs(query_string, {one.name for one in known.values() if one.many})
    values: dict[str, Any] = {}
    if blank_is_absent:
        given = {name: raws for name, raws in given.items() if any(raws) or name not in known}
    for name, raws in given.items():
        if name not in known and foreign:
            errors.pop(name, None)
        elif name not in known:
            listed = ", ".join(known) or "none"
            message = f"{name} is not a parameter here; known: {listed}"
            errors.setdefault(name, InvalidParameterError(name, "unknown", message))
        elif name not in errors:
            try:
                values[name] = known[name].parse(raws)
            except ValueError as error:
                errors[name] = InvalidParameterError(name, "invalid", f"{name} {error}")
    for name, parameter in known.items():
        if parameter.required and name not in given and name not in errors:
            errors[name] = InvalidParameterError(name, "required", f"{name} is required")
    if errors:
        raise ExceptionGroup("the query string cannot be used", list(errors.values())[:MAX_ERRORS])
    return {name: parameter.default for name, parameter in known.items()} | values


def parse_path(kinds: Mapping[str, Kind], given: Mapping[str, str]) -> dict[str, Any]:
    """Return the value of each path parameter by name.

    Raises:
        ExceptionGroup: InvalidParameterErrors, one for each parameter that is invalid.
        NotFound: the parameter does not have the form of an id, so nothing can have it.
    """
    values: dict[str, Any] = {}
    errors = []
    for name, raw in given.items():
        try:
            values[name] = kinds[name].parse(raw)
        except ValueError as error:
            errors.append(InvalidParameterError(name, "invalid", f"{name} {error}"))
    if errors:
        raise ExceptionGroup("the path cannot be used", errors)
    return values


def _split_pairs(
    query_string: bytes, many: Collection[str]
) -> tuple[Mapping[str, list[str]], dict[str, InvalidParameterError]]:
    """Split `a=1&b=2` into decoded values by name and errors by name.

    Args:
        query_string: as the client sent it.
        many: the names that may be repeated.
    """
    values: dict[str, list[str]] = {}
    errors: dict[str, InvalidParameterError] = {}
    most = MAX_REPEATED if many else MAX_PARAMETERS
    segments = query_string.split(b"&", most)
    if len(segments) > most:
        raise InvalidParameterError(
            "query", "too_many", f"There must be at most {most} parameters."
        )
    for segment in filter(None, segments):
        raw_name, _, raw = segment.partition(b"=")
        name = raw_name.decode("ascii", "replace")[:64]
        try:
            name = _decode_form(raw_name)[:64]
            if name in values and name not in many:
                errors[name] = InvalidParameterError(name, "repeated", f"{name} must be given once")
            values.setdefault(name, []).append(_decode_form(raw))
        except ValueError as error:
            errors[name] = InvalidParameterError(name, "encoding", f"{name} {error}")
    return values, errors


def _decode_form(raw: bytes) -> str:
    """Undo form encoding (a plus is a space).

    This is stricter than the WHATWG's rule, which accepts stray percent signs and invalid UTF-8 as
    text that the caller did not mean.
    """
    if re.search(rb"%(?![0-9A-Fa-f]{2})", raw):
        raise ValueError("must be percent-encoded: write a percent sign as %25")
    try:
        text = unquote_to_bytes(raw.replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("must be UTF-8") from None
    if "\0" in text:
        raise ValueError("must not contain NUL (%00)")
    return text

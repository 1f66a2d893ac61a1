"""Absolute addresses of what the caller asked for."""

from urllib.parse import parse_qsl, urlencode


def build_url(base: str, path: str, query_string: bytes, **changes: str | None) -> str:
    """Return the address of a request on the public base URL, with some parameters changed.

    None removes a parameter.

    The query string was parsed before, and is encoded again: so it is a valid URL whatever the
    caller wrote.
    """
    given = dict(parse_qsl(query_string.decode("ascii"), keep_blank_values=True))
    written = {name: value for name, value in (given | changes).items() if value is not None}
    return f"{base}{path}?{urlencode(written)}" if written else base + path

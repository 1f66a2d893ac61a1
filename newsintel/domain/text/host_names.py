"""Host names as browsers read them: WHATWG URL, 3.5, and UTS #46 without its transitional mapping, so `ß` and joiners stay themselves.

idna's own `encode` follows IDNA 2008, which has no emoji and no label such as `r3---x`; browsers take both. So its parts are used.
"""

import re
from urllib.parse import unquote_to_bytes

import idna

_REGISTERED = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{2,59})")
"""Labels of at most 63 letters, digits and hyphens (RFC 1035; underscores occur), the last one not a number. No publisher is reached by a
bare address, in whatever notation, or by a local name; leaving them out keeps links to private networks out as well."""
_PREFIX = "xn--"

MAX_WRITTEN_CHARS = 512
"""Of a host as it is written: twice what DNS carries (253, RFC 1035), for escapes and accents that are characters of their own."""

_MAX_LABEL_CHARS = 59
"""Of a label beyond ASCII: Punycode has at least one character for each, and 63 with its prefix. Punycode takes quadratic time."""


_MAX_WRITTEN_LABEL_CHARS = 63
"""Of any label (RFC 1035)."""


def is_registered(host: str) -> bool:
    """Whether a host in lower-case ASCII has the form of a registered name."""
    return _REGISTERED.fullmatch(host) is not None


def ascii_host(raw: str) -> str | None:
    """The host to which a browser goes, in lower-case ASCII and without a dot at its end.

    Args:
        raw: the host of an address, as it is written there: in any script, with escapes, in capitals.

    Returns:
        None where a browser refuses the host, or where it is no registered name.
    """
    if len(raw) > MAX_WRITTEN_CHARS:
        return None
    host = raw
    try:
        if "%" in host:
            host = unquote_to_bytes(host).decode()
        # A host that is ASCII already is taken at its word, as browsers do, also where a label is nobody's Punycode.
        host = host.lower() if host.isascii() else _mapped(host)
    except ValueError:  # bytes that are no text, a character that no host may hold, a label that breaks a rule
        return None
    host = host.removesuffix(".")
    return host if is_registered(host) else None


def _mapped(host: str) -> str:
    return ".".join(map(_ascii_label, idna.uts46_remap(host, std3_rules=False).split(".")))


def _ascii_label(label: str) -> str:
    """A mapped label in ASCII.

    Raises:
        ValueError: it is not valid (UTS #46, 4.1).
    """
    if not label.startswith(_PREFIX):
        if label.isascii():
            return label
        if len(label) > _MAX_LABEL_CHARS:
            raise ValueError("a label too long")
        written = _PREFIX + label.encode("punycode").decode("ascii")
        if len(written) > _MAX_WRITTEN_LABEL_CHARS:  # before the next label takes as long
            raise ValueError("a label too long")
        _check(label)
        return written
    if len(label) > _MAX_LABEL_CHARS + len(_PREFIX):
        raise ValueError("a label too long")
    decoded = label.removeprefix(_PREFIX).encode("ascii").decode("punycode")
    # Of each name one spelling is valid: in Punycode's own form, mapped already, and not of ASCII alone.
    if decoded.isascii() or "." in decoded or idna.uts46_remap(decoded, std3_rules=False) != decoded:
        raise ValueError("not the ASCII form of a label")
    if decoded.encode("punycode").decode("ascii") != label.removeprefix(_PREFIX):
        raise ValueError("not Punycode's own form")
    _check(decoded)
    return label


def _check(label: str) -> None:
    idna.check_initial_combiner(label)
    idna.check_bidi(label)
    if not all(idna.valid_contextj(label, at) for at, char in enumerate(label) if char in "\u200c\u200d"):
        raise ValueError("a joiner without a meaning")

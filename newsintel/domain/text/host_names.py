"""Parses host names as browsers do: WHATWG URL, 3.5, and UTS #46.

UTS #46 is used without its transitional mapping, so `ß` and joiners stay. The function
`idna.encode` follows IDNA 2008, which has no emoji and no label such as `r3---x`. Browsers accept
both. So only parts of idna are used.
"""

import re
from urllib.parse import unquote_to_bytes

import idna

_REGISTERED = re.compile(
    r"(?=.{4,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+"
    r"(?:[a-z]{2,63}|xn--[a-z0-9-]{2,59})"
)
"""Labels of at most 63 letters, digits and hyphens (RFC 1035; underscores occur). The last label is
not a number. No publisher uses a bare address, in any notation, or a local name. Refusing them also
keeps out links to private networks."""
_PREFIX = "xn--"

MAX_WRITTEN_CHARS = 512
"""Maximum length of a host as written: twice what DNS allows (253, RFC 1035), for escapes and for
accents that are separate characters."""

_MAX_LABEL_CHARS = 59
"""Maximum length of a label beyond ASCII: Punycode has at least one character for each, and 63 with
its prefix. Punycode takes quadratic time."""


_MAX_WRITTEN_LABEL_CHARS = 63
"""Maximum length of any label (RFC 1035)."""


def is_registered(host: str) -> bool:
    """Whether a host in lower-case ASCII has the form of a registered name."""
    return _REGISTERED.fullmatch(host) is not None


def to_ascii_host(raw: str) -> str | None:
    """Return the host that a browser connects to, in lower-case ASCII and without a final dot.

    Args:
        raw: the host as the URL spells it: in any script, with escapes, in capitals.

    Returns:
        None if a browser refuses the host, or if it does not have the form of a registered name.
    """
    if len(raw) > MAX_WRITTEN_CHARS:
        return None
    host = raw
    try:
        if "%" in host:
            host = unquote_to_bytes(host).decode()
        # A host in ASCII is accepted as it is, as browsers do, even if a label is not valid
        # Punycode.
        host = host.lower() if host.isascii() else _map_host(host)
    except ValueError:  # invalid UTF-8, a forbidden character, an invalid label
        return None
    host = host.removesuffix(".")
    return host if is_registered(host) else None


def _map_host(host: str) -> str:
    return ".".join(map(_to_ascii_label, idna.uts46_remap(host, std3_rules=False).split(".")))


def _to_ascii_label(label: str) -> str:
    """Return a mapped label in ASCII.

    Raises:
        ValueError: the label is not valid (UTS #46, 4.1).
    """
    if not label.startswith(_PREFIX):
        if label.isascii():
            return label
        if len(label) > _MAX_LABEL_CHARS:
            raise ValueError("a label too long")
        written = _PREFIX + label.encode("punycode").decode("ascii")
        if len(written) > _MAX_WRITTEN_LABEL_CHARS:  # stop here: the next label could take as long
            raise ValueError("a label too long")
        _check_label(label)
        return written
    if len(label) > _MAX_LABEL_CHARS + len(_PREFIX):
        raise ValueError("a label too long")
    decoded = label.removeprefix(_PREFIX).encode("ascii").decode("punycode")
    # Each name has one valid spelling: in Punycode's canonical form, already mapped, not pure
    # ASCII.
    if (
        decoded.isascii()
        or "." in decoded
        or idna.uts46_remap(decoded, std3_rules=False) != decoded
    ):
        raise ValueError("not the ASCII form of a label")
    if decoded.encode("punycode").decode("ascii") != label.removeprefix(_PREFIX):
        raise ValueError("not Punycode's own form")
    _check_label(decoded)
    return label


def _check_label(label: str) -> None:
    idna.check_initial_combiner(label)
    idna.check_bidi(label)
    if not all(
        idna.valid_contextj(label, at) for at, char in enumerate(label) if char in "\u200c\u200d"
    ):
        raise ValueError("a joiner without a meaning")

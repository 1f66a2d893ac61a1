"""The kinds of value that a setting can have, with their parsers and error messages.

A parser takes the text of one setting and returns its value, or raises a ValueError that states the
rule and never repeats the text (which may be a secret).
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from attrs import field, frozen

from newsintel.config.server_addresses import check_host

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@frozen
class Secret:
    """Text that must not be shown: its repr and str are stars."""

    _value: str = field(repr=False)

    def reveal(self) -> str:
        """Return the text itself, for the place that sends it."""
        return self._value

    def __str__(self) -> str:
        return "***"

    def __repr__(self) -> str:
        return "Secret(***)"


@frozen
class Quota:
    """At most `calls` in any `window_s` seconds."""

    calls: int
    window_s: int

    def __str__(self) -> str:
        days, rest = divmod(self.window_s, 86400)
        return f"{self.calls}/{days}d" if not rest else f"{self.calls}/{self.window_s}s"


@frozen
class ListenAddress:
    """Where to listen."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """True if only this machine can reach it."""
        return is_loopback(self.host)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def is_loopback(host: str) -> bool:
    """Return True if what is sent to a host stays on this machine.

    This is true for `localhost` (RFC 6761, 6.3), 127.0.0.0/8 and ::1 (RFC 6890, 2.2.2 and 2.2.3).
    """
    return host.lower() == "localhost" or (_is_ip(host) and ipaddress.ip_address(host).is_loopback)


def parse_text(raw: str) -> str:
    """Any text that is not blank, and that JSON and a line of a log can hold."""
    text = strip_value(raw)
    if re.search(r"[\x00-\x1f\x7f\ud800-\udfff]", text):
        raise ValueError("must be text in UTF-8 without control characters")
    return text


def strip_value(raw: str) -> str:
    """Return what is between the spaces around a value."""
    if not raw.strip():
        raise ValueError("must not be blank")
    return raw.strip()


def parse_folder(raw: str) -> Path:
    """The path of a folder, made absolute; a leading `~` is a home folder."""
    if re.search(r"[\x00-\x1f\x7f]", raw.strip()):
        raise ValueError(
            "must be the path of a folder without line breaks or other control characters"
        )
    try:
        return Path(strip_value(raw)).expanduser().absolute()
    except (RuntimeError, OSError):
        raise ValueError(
            "must be the path of a folder, "
            "with an existing home folder for its ~, and an existing current folder"
        ) from None


def parse_secret(raw: str) -> Secret:
    """Text that is never shown."""
    text = strip_value(raw)
    if re.search(r"[\ud800-\udfff]", text):
        raise ValueError("must be text in UTF-8")
    return Secret(text)


def parse_key_list(raw: str) -> tuple[Secret, ...]:
    """A comma list of different 32-byte keys in base64url (RFC 4648, 5), padded or not."""
    keys = [word.removesuffix("=") for word in parse_list(raw)]
    if not keys or not all(re.fullmatch(r"[A-Za-z0-9_-]{43}", key) for key in keys):
        raise ValueError(
            "must be a comma list of keys, each 32 random bytes in base64url (43 characters)"
        )
    if len(set(keys)) < len(keys):
        raise ValueError("must not hold a key twice")
    return tuple(map(Secret, keys))


def parse_positive_seconds(raw: str) -> float:
    """A positive, finite number of seconds."""
    value = parse_seconds(raw)
    if value == 0:
        raise ValueError("must be a number of seconds above 0")
    return value


def parse_seconds(raw: str) -> float:
    """A finite number of seconds, 0 included, written in ASCII digits."""
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", raw.strip()):
        raise ValueError("must be a number of seconds such as 1.5")
    return float(raw)


def integer_parser(low: int, high: int) -> Callable[[str], int]:
    """A whole number within bounds."""

    def parse(raw: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", raw.strip()) or not low <= int(raw) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(raw)

    return parse


def parse_days(raw: str) -> int | None:
    """A number of days, or `off` for no limit."""
    if raw.strip().lower() == "off":
        return None
    try:
        return integer_parser(1, 3650)(raw)
    except ValueError:
        raise ValueError("must be a whole number of days from 1 to 3650, or off") from None


def choice_parser(*allowed: str) -> Callable[[str], str]:
    """One word of a list."""

    def parse(raw: str) -> str:
        if raw.strip().lower() not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return raw.strip().lower()

    return parse


def parse_flag(raw: str) -> bool:
    """1 or 0."""
    if raw.strip() not in ("0", "1"):
        raise ValueError("must be 1 or 0")
    return raw.strip() == "1"


def parse_sign_in_list(raw: str) -> tuple[str, ...]:
    """`anyone`, `off`, or a comma list of `provider:name`.

    All becomes lower case except subjects, which are case-sensitive in OpenID Connect.
    """
    found = _fold_people(raw)
    if found not in (("anyone",), ("off",)) and not _are_people(found):
        raise ValueError("must be anyone, off, or a list such as reddit:alice,oidc:a@b.org")
    return found


def parse_people(raw: str) -> tuple[str, ...]:
    """A comma list of `provider:name`, written as in SIGN_IN."""
    found = _fold_people(raw)
    if not _are_people(found):
        raise ValueError("must be a list such as reddit:alice,oidc:a@b.org")
    return found


def _fold_people(raw: str) -> tuple[str, ...]:
    return tuple(
        word[:5].lower() + word[5:] if _is_subject(word) else word.lower()
        for word in parse_list(raw)
    )


def _are_people(found: tuple[str, ...]) -> bool:
    return all(re.fullmatch(r"(reddit|oidc|dev):\S+", word) for word in found)


def _is_subject(guest: str) -> bool:
    """Return True for an OpenID Connect subject: with an @ it is an e-mail address."""
    return guest.lower().startswith("oidc:") and "@" not in guest


def parse_origins(raw: str) -> tuple[str, ...]:
    """A comma list of origins as browsers send them (RFC 6454, 6.2); `*` is invalid."""
    found = parse_list(raw)
    if not all(re.fullmatch(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?", origin) for origin in found):
        raise ValueError(
            "must be a comma list of origins such as https://app.example.org, "
            "without paths or wildcards"
        )
    return found


def parse_list(raw: str) -> tuple[str, ...]:
    """A comma list; spaces around commas and empty entries are ignored."""
    return tuple(word.strip() for word in raw.split(",") if word.strip())


def parse_networks(raw: str) -> tuple[Network, ...]:
    """A comma list of networks (RFC 4632); an address alone is a network of one."""
    try:
        return tuple(ipaddress.ip_network(word) for word in parse_list(raw))
    except ValueError:
        raise ValueError(
            "must be a comma list of networks such as 10.0.0.0/16, without host bits"
        ) from None


def url_parser(*schemes: str) -> Callable[[str], str]:
    """An absolute URL of one of the schemes, without a trailing slash.

    It is part of headers, so it is in ASCII.
    """

    def parse(raw: str) -> str:
        text = raw.strip()
        try:
            parts = urlsplit(text)
            host, _ = parts.hostname, parts.port
        except ValueError:  # "Invalid IPv6 URL", "Port out of range 0-65535"
            parts, host = urlsplit(""), None
        if parts.scheme not in schemes or not host or not re.fullmatch(r"[!-~]+", text):
            raise ValueError(
                f"must be a URL starting with {' or '.join(f'{scheme}://' for scheme in schemes)}"
                " and a host, in ASCII"
            )
        return text.rstrip("/")

    return parse


def parse_issuer(raw: str) -> str:
    """An OpenID Connect issuer, exactly as written: a URL without query and fragment.

    A trailing slash is part of the name.
    """
    given = raw.strip()
    url_parser("http", "https")(given)
    # The database stores at most 500 characters.
    if any(mark in given for mark in "?# ") or not given.isprintable() or len(given) > 500:
        raise ValueError(
            "must be an issuer such as https://op.example.org/, without query or fragment"
        )
    return given


def parse_listen_address(raw: str) -> ListenAddress:
    """`host:port`, `[v6]:port`; port 0 lets the system choose."""
    host, _, port = raw.strip().rpartition(":")
    is_host = re.fullmatch(r"[0-9A-Za-z:.%_-]+|\[[0-9A-Za-z:.%_-]+\]", host)
    if not is_host or not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65535:
        raise ValueError("must be address:port such as 127.0.0.1:8000")
    try:
        check_host(host.strip("[]"))
    except ValueError:
        raise ValueError("must be address:port, with an address that can be looked up") from None
    return ListenAddress(host.strip("[]"), int(port))


_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_quota(raw: str) -> Quota | None:
    """`100/1d`: calls per window (s, m, h, d); `off` for none."""
    if raw.strip().lower() == "off":
        return None
    match = re.fullmatch(r"([1-9][0-9]{0,8})/([1-9][0-9]{0,5})([smhd])", raw.strip().lower())
    if not match:
        raise ValueError("must be calls per window such as 100/1d, or off")
    return Quota(int(match[1]), int(match[2]) * _UNIT_SECONDS[match[3]])


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@frozen
class FeedsChoice:
    """The value of FEEDS: which list of feeds is read.

    Attributes:
        kind: `default`, `off`, `file` (OPML), `opml` (at an address), or `addresses`.
        where: the path, the address or the addresses.
    """

    kind: str
    where: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ",".join(self.where) or self.kind


def parse_feeds(raw: str) -> FeedsChoice:
    """`default`, `off`, an OPML file, the address of one (`.opml`), or a comma list of feeds."""
    words = parse_list(raw)
    if len(words) == 1 and words[0].lower() in ("default", "off"):
        return FeedsChoice(words[0].lower())
    if words and all(_is_web_address(word) for word in words):
        is_opml = len(words) == 1 and urlsplit(words[0]).path.lower().endswith(".opml")
        return FeedsChoice("opml" if is_opml else "addresses", words)
    if len(words) == 1 and "://" not in words[0]:
        return FeedsChoice("file", (str(parse_folder(words[0])),))
    raise ValueError(
        "must be default, off, an OPML file, the address of one that ends in .opml, "
        "or a comma list of addresses that start with http:// or https://"
    )


def _is_web_address(word: str) -> bool:
    try:
        parts = urlsplit(word)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


@frozen
class SourceOptions:
    """The settings that a source file declares.

    Attributes:
        url: the base URL of the real API; None = the source calls nobody when it is asked, so it
            has no URL, pace and quota.
        pace_s: seconds between calls that the source's terms require.
        quota: calls per day that the source's terms allow.
        required: names (after NEWSINTEL_<SOURCE>_) without which the source is off, with their
            parsers.
        optional: further names, each with parser and default.
        is_on: whether the settings switch it on; for a source without keys.
    """

    name: str
    url: str | None
    pace_s: float
    quota: Quota | None
    required: Mapping[str, Callable[[str], Any]]
    optional: Mapping[str, tuple[Callable[[str], Any], Any]] = field(factory=dict)
    is_on: Callable[[Any], bool] = lambda _: True

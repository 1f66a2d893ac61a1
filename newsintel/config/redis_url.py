"""Where a Redis is and how to come in: its URL, read as redis-py reads it, but strictly.

It is read here and not by the client, so that a setting that cannot be used is named before anything starts; and so that nothing in it can
change what the service sets itself, timeouts above all.
"""

import re
import ssl
from collections.abc import Mapping
from urllib.parse import SplitResult, unquote, urlsplit

from attrs import field, frozen

from newsintel.config.values import Secret, is_loopback, text

SCHEMES = ("redis", "rediss", "unix")

PARAMETERS = {
    "db": r"[0-9]{1,9}",
    "username": r".+",
    "password": r".+",
    "client_name": r"\S+",
    "protocol": r"2",
    "ssl_ca_certs": r".+",
    "ssl_certfile": r".+",
    "ssl_keyfile": r".+",
    "ssl_password": r".*",
    "ssl_cert_reqs": r"required|none",
    "ssl_check_hostname": r"(?i:true|yes|1|false|no|0)",
}
"""redis-py's names, and the form of their values; every other is refused."""

OURS = (
    "socket_timeout", "socket_connect_timeout", "socket_keepalive", "socket_keepalive_options", "socket_type", "socket_read_size",
    "max_connections", "timeout", "health_check_interval", "retry", "retry_on_timeout", "retry_on_error", "decode_responses", "encoding",
    "encoding_errors", "single_connection_client", "lib_name", "lib_version", "driver_info", "legacy_responses",
)  # fmt: skip
"""What redis-py would take, and newsintel sets itself or has no use for."""

SAFE = {"ssl_cert_reqs": r"required", "ssl_check_hostname": r"(?i:true|yes|1)"}
"""The values with which a server must prove that it is the one named."""


@frozen
class RedisUrl:
    """A URL as read.

    Attributes:
        path: of a unix socket; else host and port count.
        tls: whether to encrypt.
        given: every other parameter, as in the URL.
    """

    path: str | None
    host: str
    port: int
    tls: bool
    db: int
    username: str | None
    password: str | None = field(repr=False)
    given: Mapping[str, str] = field(repr=False)

    @property
    def local(self) -> bool:
        """Whether what is sent never leaves this machine."""
        return self.path is not None or is_loopback(self.host)

    @property
    def verified(self) -> bool:
        """Whether the server must prove by a certificate that it is the one named."""
        return self.tls and all(re.fullmatch(form, self.given[name]) for name, form in SAFE.items() if name in self.given)

    def check_certificates(self) -> None:
        """Raise a ValueError if a file that TLS takes is not there, or does not hold what it should."""
        context = ssl.create_default_context()
        name = "ssl_ca_certs"
        try:
            if name in self.given:
                context.load_verify_locations(cafile=self.given[name])
            name = "ssl_certfile"
            if name in self.given:
                word = self.given.get("ssl_password", "")
                context.load_cert_chain(self.given[name], self.given.get("ssl_keyfile"), lambda: word)
        except ssl.SSLError:
            raise ValueError(f"has a {name} that names a file which does not hold what it should: {self.given[name]!r}") from None
        except OSError as error:
            raise ValueError(f"has a {name} that cannot be read ({error.strerror}): {self.given[name]!r}") from None


def check_redis_url(raw: str) -> Secret:
    """The kind of setting: a URL of Redis that can be used, kept from sight because it may hold a password."""
    read(raw)
    return Secret(text(raw))


def read(raw: str) -> RedisUrl:
    """Read a URL; raises a ValueError that names what is wrong and repeats nothing that may be secret."""
    if "#" in raw:
        raise ValueError("has a #, which is written %23")
    try:
        parts = urlsplit(text(raw))
        port = parts.port
    except ValueError:
        raise ValueError("has a host or port that cannot be read; a :, / or ? in a password is written %3A, %2F, %3F") from None
    if parts.scheme not in SCHEMES or not text(raw).startswith(f"{parts.scheme}://"):
        raise ValueError("must be a URL such as redis://host:6379/0, rediss://host:6379/0 or unix:///path/to/redis.sock")
    given = _parameters(parts)
    username, password = given.pop("username", None), given.pop("password", None)
    is_socket = parts.scheme == "unix"
    if is_socket and not parts.path.strip("/"):
        raise ValueError("names no socket: a unix URL has three slashes, unix:///path/to/redis.sock")
    if not is_socket and not re.fullmatch(r"/?[0-9]{0,9}", parts.path):
        raise ValueError("has something after the host that is not the number of a database, as in redis://host:6379/0")
    if "," in (parts.hostname or ""):
        raise ValueError("names several hosts: newsintel takes one, whose name leads to the primary")
    return RedisUrl(
        path=unquote(parts.path, errors="surrogateescape") if is_socket else None,
        host=unquote(parts.hostname or "localhost"),
        port=port or 6379,
        tls=parts.scheme == "rediss",
        db=int(given.pop("db", "0" if is_socket else parts.path.strip("/") or "0")),
        username=unquote(parts.username) if parts.username else username,
        password=unquote(parts.password) if parts.password else password,
        given=given,
    )


def _parameters(parts: SplitResult) -> dict[str, str]:
    given: dict[str, str] = {}
    for part in parts.query.split("&") if parts.query else ():
        name, _, value = part.partition("=")
        value = unquote(value.replace("+", " "), errors="surrogateescape")
        if name in OURS:
            raise ValueError(f"has {name}, which newsintel sets itself: leave it out")
        if name not in PARAMETERS:
            shown = name if re.fullmatch(r"\w{1,40}", name) else "a parameter"
            raise ValueError(f"has {shown}, which cannot be used here; a ? in a password is written %3F")
        if name in given:
            raise ValueError(f"has {name} twice")
        if not re.fullmatch(PARAMETERS[name], value):
            raise ValueError(f"has a {name} that cannot be used")
        if name.startswith("ssl_") and parts.scheme != "rediss":
            raise ValueError(f"has {name}, which goes with rediss:// alone")
        given[name] = value
    return given

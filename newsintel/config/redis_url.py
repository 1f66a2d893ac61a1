"""Reads the URL of Redis as redis-py does, but strictly.

newsintel reads it before the client, so that an invalid setting is reported before anything starts,
and so that the URL cannot change what the service sets itself, such as timeouts.
"""

import re
from collections.abc import Mapping
from urllib.parse import SplitResult, unquote, urlsplit

from attrs import field, frozen

from newsintel.config.server_addresses import check_host, check_socket, check_utf8
from newsintel.config.tls_files import check_certificate, check_roots
from newsintel.config.values import Secret, is_loopback, strip_value

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
"""The allowed parameters with redis-py's names and the form of their values; all others are
refused.
"""

RESERVED_PARAMETERS = (
    "socket_timeout", "socket_connect_timeout", "socket_keepalive", "socket_keepalive_options",
    "socket_type", "socket_read_size", "max_connections", "timeout", "health_check_interval",
    "retry", "retry_on_timeout", "retry_on_error", "decode_responses", "encoding",
    "encoding_errors", "single_connection_client", "lib_name", "lib_version", "driver_info",
    "legacy_responses",
)  # fmt: skip
"""Parameters of redis-py that newsintel sets itself or does not need."""

VERIFYING_VALUES = {"ssl_cert_reqs": r"required", "ssl_check_hostname": r"(?i:true|yes|1)"}
"""The values with which a server must prove its name."""


@frozen
class RedisUrl:
    """A parsed URL.

    Attributes:
        path: the path of a unix socket; None if host and port are used.
        tls: whether the connection is encrypted.
        parameters: every other parameter of the URL.
    """

    path: str | None
    host: str
    port: int
    tls: bool
    db: int
    username: str | None
    password: str | None = field(repr=False)
    parameters: Mapping[str, str] = field(repr=False)

    @property
    def is_local(self) -> bool:
        """True if the connection never leaves this machine."""
        return self.path is not None or is_loopback(self.host)

    @property
    def verifies_server(self) -> bool:
        """True if the server must prove its name with a certificate."""
        return self.tls and all(
            re.fullmatch(form, self.parameters[name])
            for name, form in VERIFYING_VALUES.items()
            if name in self.parameters
        )

    def check_certificates(self) -> None:
        """Raise ValueError if a file for TLS is missing or invalid."""
        if "ssl_ca_certs" in self.parameters:
            check_roots("ssl_ca_certs", self.parameters["ssl_ca_certs"])
        if "ssl_certfile" in self.parameters:
            check_certificate(
                "ssl_certfile",
                self.parameters["ssl_certfile"],
                self.parameters.get("ssl_keyfile"),
                self.parameters.get("ssl_password", ""),
            )


def check_redis_url(raw: str) -> Secret:
    """Parse a setting: a valid URL of Redis, secret because it may contain a password."""
    parse_redis_url(raw)
    return Secret(strip_value(raw))


def parse_redis_url(raw: str) -> RedisUrl:
    """Read a URL; raise ValueError if it is invalid.

    The message repeats nothing that may be secret.
    """
    if "#" in raw:
        raise ValueError("has a #, which is written %23")
    try:
        parts = urlsplit(strip_value(raw))
        port = parts.port
    except ValueError:
        raise ValueError(
            "has a host or port that cannot be read; "
            "a :, / or ? in a password is written %3A, %2F, %3F"
        ) from None
    if parts.scheme not in SCHEMES or not strip_value(raw).startswith(f"{parts.scheme}://"):
        raise ValueError(
            "must be a URL such as redis://host:6379/0, "
            "rediss://host:6379/0 or unix:///path/to/redis.sock"
        )
    given = _parse_parameters(parts)
    username, password = given.pop("username", None), given.pop("password", None)
    is_socket = parts.scheme == "unix"
    _check_place(parts, is_socket=is_socket)
    url = RedisUrl(
        path=_decode(parts.path) if is_socket else None,
        host=_decode(parts.hostname or "localhost"),
        port=port or 6379,
        tls=parts.scheme == "rediss",
        db=int(given.pop("db", "0" if is_socket else parts.path.strip("/") or "0")),
        username=_decode(parts.username) if parts.username else username,
        password=_decode(parts.password) if parts.password else password,
        parameters=given,
    )
    _check_parts(url)
    return url


def _check_parts(url: RedisUrl) -> None:
    """Raise ValueError for the first part with which no connection can be opened."""
    if url.path is None:
        check_host(url.host)
    else:
        check_socket(url.path)
    check_utf8("username", url.username)
    check_utf8("password", url.password)
    for name in ("client_name", "ssl_password"):
        check_utf8(name, url.parameters.get(name))
    if "ssl_keyfile" in url.parameters and "ssl_certfile" not in url.parameters:
        raise ValueError("has ssl_keyfile without the ssl_certfile that it belongs to")


def _check_place(parts: SplitResult, *, is_socket: bool) -> None:
    """Raise ValueError unless the URL leads to one socket, or to one host and database."""
    if is_socket and (parts.hostname or not parts.path.strip("/")):
        raise ValueError(
            "names no socket: a unix URL has three slashes, unix:///path/to/redis.sock"
        )
    if not is_socket and not re.fullmatch(r"/?[0-9]{0,9}", parts.path):
        raise ValueError(
            "has something after the host that is not the number of a database, "
            "as in redis://host:6379/0"
        )
    if parts.port == 0:
        raise ValueError("has port 0, at which no server listens")
    if "," in (parts.hostname or ""):
        raise ValueError("names several hosts: use one host name, which leads to the primary")


def _parse_parameters(parts: SplitResult) -> dict[str, str]:
    given: dict[str, str] = {}
    for part in parts.query.split("&") if parts.query else ():
        name, _, value = part.partition("=")
        value = _decode(value.replace("+", " "))
        if name in RESERVED_PARAMETERS:
            raise ValueError(f"has {name}, which newsintel sets itself: leave it out")
        if name not in PARAMETERS:
            shown = name if re.fullmatch(r"\w{1,40}", name) else "a parameter"
            raise ValueError(
                f"has {shown}, which cannot be used here; a ? in a password is written %3F"
            )
        if name in given:
            raise ValueError(f"has {name} twice")
        if not re.fullmatch(PARAMETERS[name], value):
            raise ValueError(f"has a {name} that cannot be used")
        if name.startswith("ssl_") and parts.scheme != "rediss":
            raise ValueError(f"has {name}, which requires rediss://")
        given[name] = value
    return given


def _decode(value: str) -> str:
    """Decode percent escapes; the name of a file may have bytes that are not UTF-8."""
    return unquote(value, errors="surrogateescape")

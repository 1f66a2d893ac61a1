"""Reads the URL of PostgreSQL as libpq does (34.1.1.2 Connection URIs).

People test their URLs with psql, which uses libpq. newsintel reads it before the driver, so that an
invalid setting is reported before anything starts.
"""

import re
from collections.abc import Mapping
from urllib.parse import unquote

from attrs import field, frozen

from newsintel.config import database_parameters as parameters
from newsintel.config.server_addresses import check_host, check_socket, check_utf8
from newsintel.config.values import Secret, is_loopback, strip_value

SYSTEM_ROOTS = "system"
"""libpq's value of sslrootcert for the root certificates that the operating system trusts."""

DEFAULT_PORT = 5432

TEXTS = (
    "user",
    "password",
    "dbname",
    "application_name",
    "fallback_application_name",
    "options",
    "sslpassword",
)
"""Parameters that the driver sends as UTF-8. The names of files may have any bytes."""

_URL = re.compile(
    r"postgres(?:ql)?://"
    r"(?:(?P<user>[^:@/]*)(?::(?P<password>[^@/]*))?@)?"
    r"(?P<hosts>[^/?]*)"
    r"(?:/(?P<dbname>[^?]*))?"
    r"(?:\?(?P<query>.*))?",
    re.DOTALL,
)
_HOST = re.compile(r"(?:\[(?P<v6>[^]]+)\]|(?P<host>[^:[\]]*))(?::(?P<port>[^:]*))?")


@frozen
class DatabaseUrl:
    """A parsed URL.

    Attributes:
        hosts: names, addresses, or folders of unix sockets (these start with `/`), tried in this
            order; empty for the driver's default.
        ports: one port for each host; empty for the driver's default.
        parameters: every other parameter of the URL.
    """

    hosts: tuple[str, ...]
    ports: tuple[int, ...]
    user: str | None
    password: str | None = field(repr=False)
    database: str | None
    parameters: Mapping[str, str] = field(repr=False)

    @property
    def verifies_server(self) -> bool:
        """True if the server must prove its name with a certificate."""
        return self.parameters.get("sslmode") == "verify-full"

    @property
    def connect_timeout_s(self) -> float | None:
        """Timeout of connecting; None for our default."""
        return (
            float(self.parameters["connect_timeout"])
            if "connect_timeout" in self.parameters
            else None
        )

    def is_local(self, environ: Mapping[str, str]) -> bool:
        """Return True if the connection never leaves this machine.

        Without a host the driver uses PGHOST, then local sockets.
        """
        hosts = self.hosts or tuple(filter(None, environ.get("PGHOST", "").split(",")))
        return all(host.startswith("/") or is_loopback(host) for host in hosts)


def check_database_url(raw: str) -> Secret:
    """Parse a setting: a valid URL of PostgreSQL, secret because it may contain a password."""
    parse_database_url(raw)
    return Secret(strip_value(raw))


def parse_database_url(raw: str) -> DatabaseUrl:
    """Read a URL; raise ValueError if it is invalid.

    The message repeats nothing that may be secret.
    """
    found = _URL.fullmatch(strip_value(raw))
    if found is None:
        raise ValueError("must be a URL such as postgresql://user@host:5432/database")
    if re.search(r"\s", strip_value(raw)):
        raise ValueError("has a space, which is written %20")
    all_hosts, all_ports = _split_hosts(found["hosts"])
    given = {
        "user": found["user"],
        "password": found["password"],
        "host": all_hosts,
        "port": all_ports,
        "dbname": found["dbname"],
    }
    given = {
        name: _decode_percent(value) for name, value in given.items() if value
    } | _parse_parameters(found["query"])
    host, port = given.pop("host", ""), given.pop("port", "")
    names = tuple(host.split(",")) if host else ()
    if any(not name or name[0] == "@" or (name[0] != "/" and "@" in name) for name in names):
        raise ValueError(
            "has a host without a name, or an @ in its password: an @ there is written %40"
        )
    ports = parse_ports(port, len(names))
    _check_places(names, ports)
    for name in TEXTS:
        check_utf8(name, given.get(name))
    sign_in = (given.pop("user", None), given.pop("password", None), given.pop("dbname", None))
    return DatabaseUrl(names, ports, *sign_in, given)


def _check_places(hosts: tuple[str, ...], ports: tuple[int, ...]) -> None:
    """Raise ValueError for the first host or socket that cannot exist."""
    for host, port in zip(hosts, ports or (DEFAULT_PORT,) * len(hosts), strict=False):
        if host.startswith("/"):
            check_socket(f"{host}/.s.PGSQL.{port}")
        else:
            check_host(host)


def _split_hosts(raw: str) -> tuple[str, str]:
    """Return the hosts and the ports of `host:port,host:port`, both as encoded comma lists."""
    found = [_HOST.fullmatch(one) for one in raw.split(",")]
    if not all(found):
        raise ValueError("has hosts that cannot be read: an IPv6 address is written [::1]")
    hosts = ",".join(one["v6"] or one["host"] for one in found if one)
    ports = ",".join(one["port"] or "" for one in found if one)
    return hosts, ports


def parse_ports(raw: str, hosts: int) -> tuple[int, ...]:
    """Return one port for each of so many hosts; none if the list of ports is empty."""
    if not raw:
        return ()
    ports = raw.split(",")
    if not all(
        re.fullmatch(r"[0-9]{0,5}", port) and 0 < int(port or DEFAULT_PORT) < 65536
        for port in ports
    ):
        raise ValueError(
            "has a port that is not a number from 1 to 65535; "
            "a : or / in a password is written %3A or %2F"
        )
    if len(ports) not in (1, max(1, hosts)):
        raise ValueError(f"has {len(ports)} ports for {hosts} hosts")
    return tuple(int(port or DEFAULT_PORT) for port in ports) * (
        max(1, hosts) if len(ports) == 1 else 1
    )


def _parse_parameters(query: str | None) -> dict[str, str]:
    given: dict[str, str] = {}
    for part in query.split("&") if query else ():
        name, equals, value = part.partition("=")
        if not equals or "=" in value:
            raise ValueError(
                "has parameters that are not name=value, separated by &; "
                "a ? in a password is written %3F, a = in a value %3D"
            )
        name, value = _decode_percent(name), _decode_percent(value)
        if (name, value) == ("ssl", "true"):  # as in JDBC; libpq reads it as sslmode=require
            name, value = "sslmode", "require"
        parameters.check_parameter(name, value)
        given[name] = value
    if given.get("sslrootcert") == SYSTEM_ROOTS:
        _check_system_roots(given)
    return given


def _check_system_roots(given: dict[str, str]) -> None:
    """Require sslmode=verify-full with the operating system's roots, as libpq does.

    Anybody can get a certificate from one of these authorities, so the server's name must be
    checked.
    """
    if given.setdefault("sslmode", "verify-full") != "verify-full":
        raise ValueError("says sslrootcert=system, which requires sslmode=verify-full")
    for name in ("sslcrl", "ssl_min_protocol_version", "ssl_max_protocol_version"):
        if name in given:
            raise ValueError(f"has {name}, which cannot be used with sslrootcert=system")


def _decode_percent(value: str) -> str:
    """Decode percent escapes.

    A file's name may contain bytes that are not UTF-8, as in Python's file names.
    """
    if re.search(r"%(?![0-9A-Fa-f]{2})|%00", value):
        raise ValueError(
            "has a % that is not followed by two hexadecimal digits: a % itself is written %25"
        )
    return unquote(value, errors="surrogateescape")

"""Every parameter that a PostgreSQL URL may have, and how newsintel treats it.

The names are libpq's, because people write URLs for psql. asyncpg reads some parameters itself;
newsintel translates others. All other parameters are refused by name: asyncpg would send them to
the server as settings that the server does not know.
"""

import re
import socket
from collections.abc import Mapping

URL_PART_PARAMETERS = ("user", "password", "host", "port", "dbname")
"""Parameters that also have a place elsewhere in the URL; `database_url` reads them."""

FILE = r".+"
"""The form of a file's name."""

DRIVER_PARAMETERS = {
    "sslmode": r"disable|allow|prefer|require|verify-ca|verify-full",
    "sslnegotiation": r"postgres|direct",
    "sslrootcert": FILE,
    "sslcert": FILE,
    "sslkey": FILE,
    "sslpassword": r".*",
    "sslcrl": FILE,
    "ssl_min_protocol_version": r"TLSv1(\.[123])?",
    "ssl_max_protocol_version": r"TLSv1(\.[123])?",
    "target_session_attrs": r"any|read-write|read-only|primary|standby|prefer-standby",
    "passfile": FILE,
}
"""Parameters that asyncpg reads itself, with the form of their values."""

TRANSLATED_PARAMETERS = {
    "connect_timeout": r"[1-9]|[1-5][0-9]|60",
    "application_name": r".*",
    "fallback_application_name": r".*",
    "options": r".*",
    "keepalives": r"[01]",
    "keepalives_idle": r"[0-9]{1,5}",
    "keepalives_interval": r"[0-9]{1,5}",
    "keepalives_count": r"[0-9]{1,3}",
    "tcp_user_timeout": r"[0-9]{1,9}",
}
"""Parameters that newsintel passes on in another way, with the form of their values."""

HIGHEST = {"keepalives_idle": 32_767, "keepalives_interval": 32_767, "keepalives_count": 127}
"""The highest values that Linux accepts (net/tcp.h: MAX_TCP_KEEPIDLE, _KEEPINTVL, _KEEPCNT)."""

NEEDLESS_PARAMETERS = {
    "channel_binding": r"disable|prefer",
    "gssencmode": r"disable|prefer",
    "gssdelegation": r"0",
    "gsslib": r"gssapi",
    "sslcompression": r"0",
    "sslsni": r"1",
    "sslcertmode": r"allow",
    "load_balance_hosts": r"disable",
    "client_encoding": r"(?i:utf-?8|auto)",
    "replication": r"(?i:0|no|off|false)",
    "min_protocol_version": r"3\.0",
    "max_protocol_version": r"3\.[02]|latest",
}
"""Parameters that need no action as long as their values have this form: asyncpg does this anyway,
or does not need it.
"""

UNSUPPORTED_PARAMETERS = {
    "hostaddr": "write the address as the host",
    "service": "write what the service file says into the URL",
    "servicefile": "write what the service file says into the URL",
    "sslcrldir": "name one file with sslcrl",
    "requirepeer": "the driver cannot check the server's user",
    "require_auth": "the driver cannot choose an authentication method",
    "krbsrvname": "the driver signs in with a password or a certificate",
    "scram_client_key": "the driver signs in with a password or a certificate",
    "scram_server_key": "the driver signs in with a password or a certificate",
    "oauth_issuer": "the driver signs in with a password or a certificate",
    "oauth_client_id": "the driver signs in with a password or a certificate",
    "oauth_client_secret": "the driver signs in with a password or a certificate",
    "oauth_scope": "the driver signs in with a password or a certificate",
    "sslkeylogfile": "it would expose the keys of TLS",
}
"""Parameters that libpq supports and the driver does not, with advice."""

FOREIGN_PARAMETERS = {
    "ssl": "use sslmode",
    "ssl_cert_reqs": "use sslmode",
    "sslaccept": "use sslmode",
    "pgbouncer": "use the address of PostgreSQL itself, or of a pooler with session pooling",
    "connection_limit": "set NEWSINTEL_DATABASE_POOL",
    "pool_timeout": "set NEWSINTEL_DATABASE_POOL",
    "schema": "use options=-csearch_path%3Dname",
    "search_path": "use options=-csearch_path%3Dname",
}
"""Parameters in the URLs of other programs, with advice."""

KEEPALIVE_OPTIONS = {
    "keepalives_idle": socket.TCP_KEEPIDLE,
    "keepalives_interval": socket.TCP_KEEPINTVL,
    "keepalives_count": socket.TCP_KEEPCNT,
    "tcp_user_timeout": socket.TCP_USER_TIMEOUT,
}
"""The socket option that each parameter sets (libpq, 34.1.2 Parameter Key Words); 0 is the system's
default.
"""


def check_parameter(name: str, value: str) -> None:
    """Raise ValueError if a parameter is invalid; the message does not contain its value."""
    forms = DRIVER_PARAMETERS | TRANSLATED_PARAMETERS
    if name in UNSUPPORTED_PARAMETERS:
        raise ValueError(f"has {name}, which cannot be used here: {UNSUPPORTED_PARAMETERS[name]}")
    if name in NEEDLESS_PARAMETERS and not re.fullmatch(NEEDLESS_PARAMETERS[name], value):
        raise ValueError(f"has a {name} that the driver does not support: leave it out")
    if name in forms and not (
        re.fullmatch(forms[name], value) and (name not in HIGHEST or int(value) <= HIGHEST[name])
    ):
        raise ValueError(f"has a {name} that cannot be used: it must be {describe_values(name)}")
    if name not in (*URL_PART_PARAMETERS, *forms, *NEEDLESS_PARAMETERS):
        shown = name if re.fullmatch(r"\w{1,40}", name) else "a parameter"
        advice = FOREIGN_PARAMETERS.get(name, "leave it out")
        raise ValueError(f"has {shown}, which is not a parameter of PostgreSQL: {advice}")


def build_socket_options(given: Mapping[str, str]) -> tuple[tuple[int, int, int], ...]:
    """Return the TCP socket options (level, option, value) that the parameters set."""
    wanted = {
        KEEPALIVE_OPTIONS[name]: int(given[name])
        for name in KEEPALIVE_OPTIONS
        if int(given.get(name, "0"))
    }
    if given.get("keepalives") == "0":
        wanted = {
            option: value for option, value in wanted.items() if option == socket.TCP_USER_TIMEOUT
        }
    alive = given.get("keepalives") == "1" or set(wanted) - {socket.TCP_USER_TIMEOUT}
    on = ((socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),) if alive else ()
    return (*on, *((socket.IPPROTO_TCP, option, value) for option, value in wanted.items()))


def describe_values(name: str) -> str:
    """Describe the allowed values of a parameter."""
    special = {"connect_timeout": "whole seconds from 1 to 60", "keepalives": "0 or 1"}
    form = (DRIVER_PARAMETERS | TRANSLATED_PARAMETERS | NEEDLESS_PARAMETERS)[name]
    if name in special:
        return special[name]
    if name in HIGHEST:
        return f"a number from 0 to {HIGHEST[name]}"
    if form == FILE:
        return "the path of a file, in one line"
    if "[0-9]" in form:
        return "a number"
    return "TLSv1.2 or TLSv1.3" if "TLS" in form else ", ".join(form.split("|"))

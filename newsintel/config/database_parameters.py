"""Every parameter that a PostgreSQL URL may have, and what becomes of it here.

The names are libpq's: people write URLs for psql. asyncpg reads some of them by itself, others are translated, and one that can be neither
is refused by name: asyncpg would send it to the server as a setting, which the server does not know.
"""

import re
import socket
from collections.abc import Mapping

READ = ("user", "password", "host", "port", "dbname")
"""What the URL has other places for; `database_url` reads them."""

PASSED = {
    "sslmode": r"disable|allow|prefer|require|verify-ca|verify-full",
    "sslnegotiation": r"postgres|direct",
    "sslrootcert": r".+",
    "sslcert": r".+",
    "sslkey": r".+",
    "sslpassword": r".*",
    "sslcrl": r".+",
    "ssl_min_protocol_version": r"TLSv1(\.[123])?",
    "ssl_max_protocol_version": r"TLSv1(\.[123])?",
    "target_session_attrs": r"any|read-write|read-only|primary|standby|prefer-standby",
    "passfile": r".+",
}
"""What asyncpg reads by itself, and the form of its values."""

TRANSLATED = {
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
"""What asyncpg is told in another way, and the form of its values."""

NEEDLESS = {
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
"""What asyncpg does in any case, or may do without, as long as the value is such."""

REFUSED = {
    "hostaddr": "write the address as the host",
    "service": "write what the service file says into the URL",
    "servicefile": "write what the service file says into the URL",
    "sslcrldir": "name one file by sslcrl",
    "requirepeer": "the driver cannot look at the server's user",
    "require_auth": "the driver cannot choose between ways to sign in",
    "krbsrvname": "the driver signs in with a password or a certificate",
    "scram_client_key": "the driver signs in with a password or a certificate",
    "scram_server_key": "the driver signs in with a password or a certificate",
    "oauth_issuer": "the driver signs in with a password or a certificate",
    "oauth_client_id": "the driver signs in with a password or a certificate",
    "oauth_client_secret": "the driver signs in with a password or a certificate",
    "oauth_scope": "the driver signs in with a password or a certificate",
    "sslkeylogfile": "it would lay TLS open",
}
"""What libpq can and the driver cannot."""

FOREIGN = {
    "ssl": "say sslmode",
    "ssl_cert_reqs": "say sslmode",
    "sslaccept": "say sslmode",
    "pgbouncer": "name PostgreSQL itself, or a pooler that gives out whole sessions",
    "connection_limit": "set NEWSINTEL_DATABASE_POOL",
    "pool_timeout": "set NEWSINTEL_DATABASE_POOL",
    "schema": "say options=-csearch_path%3Dname",
    "search_path": "say options=-csearch_path%3Dname",
}
"""What other programs' URLs have."""

KEEPALIVE = {
    "keepalives_idle": socket.TCP_KEEPIDLE,
    "keepalives_interval": socket.TCP_KEEPINTVL,
    "keepalives_count": socket.TCP_KEEPCNT,
    "tcp_user_timeout": socket.TCP_USER_TIMEOUT,
}
"""libpq, 34.1.2 Parameter Key Words: which option of the socket each sets; 0 leaves it to the system."""


def check(name: str, value: str) -> None:
    """Raise a ValueError that says what is wrong with a parameter, without its value."""
    forms = PASSED | TRANSLATED
    if name in REFUSED:
        raise ValueError(f"has {name}, which cannot be used here: {REFUSED[name]}")
    if name in NEEDLESS and not re.fullmatch(NEEDLESS[name], value):
        raise ValueError(f"asks for something by {name} that the driver cannot do: leave it out")
    if name in forms and not re.fullmatch(forms[name], value):
        raise ValueError(f"has a {name} that cannot be used: it must be {_in_words(name)}")
    if name not in (*READ, *forms, *NEEDLESS):
        shown = name if re.fullmatch(r"\w{1,40}", name) else "a parameter"
        raise ValueError(f"has {shown}, which is no parameter of PostgreSQL's: {FOREIGN.get(name, 'leave it out')}")


def socket_options(given: Mapping[str, str]) -> tuple[tuple[int, int, int], ...]:
    """The options of a TCP socket (level, option, value) that the parameters ask for."""
    wanted = {KEEPALIVE[name]: int(given[name]) for name in KEEPALIVE if int(given.get(name, "0"))}
    if given.get("keepalives") == "0":
        wanted = {option: value for option, value in wanted.items() if option == socket.TCP_USER_TIMEOUT}
    alive = given.get("keepalives") == "1" or set(wanted) - {socket.TCP_USER_TIMEOUT}
    on = ((socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),) if alive else ()
    return (*on, *((socket.IPPROTO_TCP, option, value) for option, value in wanted.items()))


def _in_words(name: str) -> str:
    """What a value may be."""
    special = {"connect_timeout": "whole seconds from 1 to 60", "keepalives": "0 or 1"}
    form = (PASSED | TRANSLATED)[name]
    return special.get(name) or ("a number" if "[0-9]" in form else "TLSv1.2 or TLSv1.3" if "TLS" in form else ", ".join(form.split("|")))

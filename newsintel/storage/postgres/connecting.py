"""Turns a URL of PostgreSQL into asyncpg's arguments.

It also sets the socket options for which asyncpg has no arguments, and names our statements.
"""

import secrets
import ssl
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlencode

import asyncpg

from newsintel.config.database_parameters import DRIVER_PARAMETERS, build_socket_options
from newsintel.config.database_url import SYSTEM_ROOTS, DatabaseUrl
from newsintel.config.values import Secret
from newsintel.storage.postgres.failures import FORESEEN

CONNECT_S = 2.0
"""Default timeout of connecting; the URL's connect_timeout replaces it."""


_OF_THIS_PROCESS = secrets.token_hex(8)


class OwnStatements(asyncpg.Connection):
    """A connection whose prepared statements have names that no other process uses.

    asyncpg counts them from 1 in every process. Behind a pooler that shares sessions, a statement
    of another process then runs in place of ours, with our values, and its rows are the answer. A
    name that the session does not know is an error, which says what is wrong (`failures`).
    """

    def _get_unique_id(self, prefix: str) -> str:
        counted = super()._get_unique_id(prefix)  # type: ignore[misc]  # its stubs lack it
        return f"{counted}{_OF_THIS_PROCESS}"


def connect_arguments(
    url: DatabaseUrl, password: Secret | None, server_settings: Mapping[str, str]
) -> dict[str, Any]:
    """Return arguments for asyncpg's `connect` and `create_pool`; `password` replaces the URL's."""
    passed = {name: value for name, value in url.parameters.items() if name in DRIVER_PARAMETERS}
    asked = {
        name: url.parameters[name]
        for name in ("options", "application_name")
        if url.parameters.get(name)
    }
    fallback = (
        {"application_name": url.parameters["fallback_application_name"]}
        if "fallback_application_name" in url.parameters
        else {}
    )
    system = passed.get("sslrootcert") == SYSTEM_ROOTS
    return {
        # asyncpg has no arguments for the files of TLS: they go in a URL without a host.
        "dsn": "postgresql://?" + urlencode(passed, quote_via=quote, errors="surrogateescape")
        if passed and not system
        else None,
        "host": list(url.hosts) or None,
        "port": list(url.ports) or None,
        "user": url.user,
        "password": password.reveal() if password else url.password,
        "database": url.database,
        "ssl": _system_tls(passed) if system else None,
        "direct_tls": passed.get("sslnegotiation") == "direct" if system else None,
        "target_session_attrs": passed.get("target_session_attrs"),
        "passfile": passed.get("passfile"),
        "timeout": url.connect_timeout_s or CONNECT_S,
        "connection_class": OwnStatements,
        "server_settings": {**server_settings, **fallback, **asked},
    }


def _system_tls(passed: Mapping[str, str]) -> ssl.SSLContext:
    """Return a TLS context that checks the server's name.

    It trusts the operating system's authorities, or those in SSL_CERT_FILE.
    """
    context = ssl.create_default_context()
    context.set_alpn_protocols(["postgresql"])  # PostgreSQL 17 requires it for direct TLS
    if "sslcert" in passed:
        context.load_cert_chain(
            passed["sslcert"], passed.get("sslkey"), lambda: passed.get("sslpassword", "")
        )
    return context


async def close_connection(connection: Any) -> None:
    """Close a connection within CONNECT_S; drop one that cannot be closed.

    What its caller did, or was cancelled in, counts, and not how the connection ended.
    """
    with suppress(*FORESEEN):
        await connection.close(timeout=CONNECT_S)


def set_socket_options(connection: Any, given: Mapping[str, str]) -> None:
    """Set the URL's keepalives and tcp_user_timeout on an open connection.

    Unix sockets have neither.
    """
    sock = connection._transport.get_extra_info("socket")  # noqa: SLF001 - no public name
    if sock is None or sock.family.name == "AF_UNIX":
        return
    for level, option, value in build_socket_options(given):
        sock.setsockopt(level, option, value)

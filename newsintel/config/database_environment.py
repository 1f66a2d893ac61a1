"""What PostgreSQL's driver takes from outside the URL: from the environment, and from files.

libpq reads the same variables (34.15 Environment Variables). The driver reports a wrong one only
when it connects, and in words that name neither the variable nor the setting.
"""

import getpass
from collections.abc import Callable, Mapping
from pathlib import Path

from newsintel.config.database_parameters import check_parameter, describe_values
from newsintel.config.database_url import SYSTEM_ROOTS, DatabaseUrl, parse_ports
from newsintel.config.server_addresses import check_host
from newsintel.config.tls_files import check_certificate, check_roots

VARIABLES = {
    "sslmode": "PGSSLMODE",
    "sslnegotiation": "PGSSLNEGOTIATION",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
    "gsslib": "PGGSSLIB",
    "ssl_min_protocol_version": "PGSSLMINPROTOCOLVERSION",
    "ssl_max_protocol_version": "PGSSLMAXPROTOCOLVERSION",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcrl": "PGSSLCRL",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
}
"""The variable that the driver reads if the URL lacks a parameter."""

EMPTY_IS_A_VALUE = ("sslmode", "sslnegotiation", "target_session_attrs", "gsslib")
"""Of these an empty variable is refused by the driver; of the others it counts as unset."""

ENCRYPTED = ("require", "verify-ca", "verify-full")
"""The values of sslmode without which a connection may be in clear text."""

LOWEST_TLS = "TLSv1.2"
"""The driver's default of ssl_min_protocol_version."""


def check_environment(url: DatabaseUrl, environ: Mapping[str, str]) -> None:
    """Raise ValueError if what a URL leaves out is missing or wrong outside it.

    Args:
        url: the URL.
        environ: the environment.
    """
    if url.user is None and not environ.get("PGUSER") and not _has_user_name():
        raise ValueError("names no user, and the user of this process has no name")
    if not url.hosts:
        _check_variable("host", "PGHOST", _check_hosts, environ)
    if not url.ports:
        hosts = url.hosts or _list_hosts(environ.get("PGHOST", ""))
        _check_variable("port", "PGPORT", lambda raw: parse_ports(raw, len(hosts)), environ)
    given = {**_take_variables(url.parameters, environ), **url.parameters}
    _check_tls(given)
    _check_files(given)


def _check_variable(
    name: str, variable: str, check: Callable[[str], object], environ: Mapping[str, str]
) -> None:
    try:
        check(environ.get(variable, ""))
    except ValueError:
        raise ValueError(f"leaves its {name} to {variable}, which cannot be used") from None


def _list_hosts(raw: str) -> tuple[str, ...]:
    return tuple(filter(None, raw.split(",")))


def _check_hosts(raw: str) -> None:
    for host in _list_hosts(raw):
        if not host.startswith("/"):
            check_host(host)


def _take_variables(given: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters that the driver takes from variables, since the URL lacks them."""
    taken = {}
    for name, variable in VARIABLES.items():
        value = environ.get(variable)
        if name in given or value is None or (not value and name not in EMPTY_IS_A_VALUE):
            continue
        try:
            check_parameter(name, value)
        except ValueError:
            raise ValueError(
                f"leaves its {name} to {variable}, which must be {describe_values(name)}"
            ) from None
        taken[name] = value
    return taken


def _check_tls(given: Mapping[str, str]) -> None:
    """Check what the parameters of TLS, from both places, require of each other."""
    mode = given.get("sslmode", "")
    if given.get("sslnegotiation") == "direct" and mode not in ENCRYPTED:
        raise ValueError(
            "says sslnegotiation=direct, which requires sslmode=require, verify-ca or verify-full"
        )
    lowest = given.get("ssl_min_protocol_version", LOWEST_TLS)
    if given.get("ssl_max_protocol_version", lowest) < lowest:
        raise ValueError(
            f"has an ssl_max_protocol_version below its ssl_min_protocol_version ({lowest})"
        )
    if mode.startswith("verify") and "sslrootcert" not in given and not _has_home_root():
        raise ValueError(
            f"says sslmode={mode} without a root certificate: "
            "add sslrootcert=system for those of the operating system, "
            "or sslrootcert=/path/to/ca.pem"
        )


def _check_files(given: Mapping[str, str]) -> None:
    for name in ("sslrootcert", "sslcrl"):
        if name in given and (name, given[name]) != ("sslrootcert", SYSTEM_ROOTS):
            check_roots(name, given[name])
    if "sslcert" in given:
        check_certificate(
            "sslcert", given["sslcert"], given.get("sslkey"), given.get("sslpassword", "")
        )


def _has_user_name() -> bool:
    try:
        return bool(getpass.getuser())
    # A container's user may be missing in /etc/passwd; OSError since Python 3.13.
    except (KeyError, OSError):
        return False


def _has_home_root() -> bool:
    """Return True if the default file of root certificates of libpq and asyncpg exists."""
    try:
        return (Path.home() / ".postgresql" / "root.crt").exists()
    except (RuntimeError, OSError):
        return False

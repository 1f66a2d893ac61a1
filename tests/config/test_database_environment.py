"""What PostgreSQL's driver takes from the environment and from files, judged by the driver."""

import pytest
from asyncpg.connect_utils import _parse_connect_dsn_and_args

from newsintel.config.database_environment import EMPTY_IS_A_VALUE, VARIABLES, check_environment
from newsintel.config.database_url import parse_database_url
from newsintel.storage.postgres.connecting import connect_arguments
from tests import libpq

OF_ASYNCPG = ("dsn", "host", "port", "user", "password", "database", "ssl", "direct_tls")


def wrong(url, environ=None):
    """The message about what is missing or wrong outside the URL; "" if nothing is."""
    try:
        check_environment(parse_database_url(url), environ or {"PGUSER": "u"})
    except ValueError as error:
        return str(error)
    return ""


def refused_by_the_driver(url):
    """Whether asyncpg can use neither the URL nor what it finds in the environment."""
    arguments = connect_arguments(parse_database_url(url), None, {})
    others = dict.fromkeys(
        ("passfile", "service", "servicefile", "krbsrvname", "gsslib", "server_settings")
    )
    known = {name: arguments[name] for name in (*OF_ASYNCPG, "target_session_attrs")}
    try:
        _parse_connect_dsn_and_args(**known, **others)
    except (ValueError, OSError):
        return True
    return False


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home without certificates, and an environment without the variables."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in (*VARIABLES.values(), "PGHOST", "PGPORT"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.mark.parametrize("library", libpq.libraries(), ids=str)
def test_the_variables_are_those_of_libpq(library):
    """An older libpq does not know all of them."""
    known = libpq.variables(library)
    assert {name: known.get(name) for name in VARIABLES if name in known} == {
        name: variable for name, variable in VARIABLES.items() if name in known
    }


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("PGSSLMODE", "verify_full", "leaves its sslmode to PGSSLMODE, which must be disable, "),
        ("PGSSLMODE", "", "leaves its sslmode to PGSSLMODE"),
        ("PGSSLMODE", "verify-full", "says sslmode=verify-full without a root certificate"),
        ("PGSSLNEGOTIATION", "direct", "says sslnegotiation=direct, which requires sslmode"),
        ("PGSSLNEGOTIATION", "tls", "leaves its sslnegotiation to PGSSLNEGOTIATION, which must"),
        ("PGTARGETSESSIONATTRS", "master", "leaves its target_session_attrs to PGTARGETSESSION"),
        ("PGGSSLIB", "mit", "leaves its gsslib to PGGSSLIB, which must be gssapi"),
        ("PGSSLMINPROTOCOLVERSION", "SSLv3", "which must be TLSv1.2 or TLSv1.3"),
        ("PGSSLCERT", "/no", "has a sslcert that cannot be read (No such file or directory)"),
        ("PGPORT", "x", "leaves its port to PGPORT, which cannot be used"),
        ("PGPORT", "1,2", "leaves its port to PGPORT, which cannot be used"),
    ],
)
def test_what_the_driver_refuses_is_named(home, monkeypatch, variable, value, said):
    """Otherwise the driver refuses it at the first connection, without the name of the variable."""
    monkeypatch.setenv(variable, value)
    assert refused_by_the_driver("postgresql://u@h/d")
    assert said in wrong("postgresql://u@h/d", {variable: value})
    complete = (
        "postgresql://u@h:1/d?sslmode=disable&sslnegotiation=postgres&target_session_attrs=any"
    )
    if variable not in ("PGGSSLIB", "PGSSLMINPROTOCOLVERSION", "PGSSLCERT"):
        assert not refused_by_the_driver(complete)
        assert not wrong(complete, {variable: value})


@pytest.mark.parametrize(
    ("variable", "value"),
    [("PGPORT", ""), ("PGPORT", "5433"), ("PGSSLMODE", "prefer"), ("PGSSLCRL", "")]
    + [(VARIABLES[name], "") for name in VARIABLES if name not in EMPTY_IS_A_VALUE],
)
def test_what_the_driver_takes_is_not_refused(home, monkeypatch, variable, value):
    """An empty name of a file is no file."""
    monkeypatch.setenv(variable, value)
    assert not refused_by_the_driver("postgresql://u@h/d")
    assert not wrong("postgresql://u@h/d", {variable: value})


def test_hosts_come_from_a_variable_too():
    """Each of them must be a name, an address or a folder."""
    assert wrong("postgresql://u@/d", {"PGHOST": "a..b"}) == (
        "leaves its host to PGHOST, which cannot be used"
    )
    assert not wrong("postgresql://u@/d", {"PGHOST": "/run/postgresql,db.example,::1"})
    assert not wrong("postgresql://u@h/d", {"PGHOST": "a..b"})
    two = {"PGHOST": "a,b", "PGPORT": "1,2"}
    assert not wrong("postgresql://u@/d", two)
    assert "PGPORT" in wrong("postgresql://u@h/d", two)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ("sslnegotiation=direct", "says sslnegotiation=direct, which requires sslmode=require"),
        ("sslnegotiation=direct&sslmode=prefer", "says sslnegotiation=direct, which requires"),
        ("sslnegotiation=direct&sslmode=require", ""),
        (
            "ssl_min_protocol_version=TLSv1.3&ssl_max_protocol_version=TLSv1.2",
            "has an ssl_max_protocol_version below its ssl_min_protocol_version (TLSv1.3)",
        ),
        ("ssl_max_protocol_version=TLSv1.1", "below its ssl_min_protocol_version (TLSv1.2)"),
        ("ssl_max_protocol_version=TLSv1.2", ""),
    ],
)
def test_parameters_of_tls_require_each_other(home, parameters, said):
    """libpq refuses the same."""
    found = wrong(f"postgresql://h/d?{parameters}")
    assert said in found
    assert bool(said) == bool(found)


def test_certificates_are_checked(pem, monkeypatch):
    """verify-full needs a root certificate.

    The URL or the environment names it, or it is where libpq looks for it. The files must have
    valid content.
    """
    (pem / "empty.pem").write_text("")
    (pem / "home").mkdir()
    monkeypatch.setenv("HOME", str(pem / "home"))
    full = "postgresql://h/d?sslmode=verify-full"
    assert "says sslmode=verify-full without a root certificate: add sslrootcert=system" in wrong(
        full
    )
    assert "says sslmode=verify-ca without" in wrong("postgresql://h/d?sslmode=verify-ca")
    assert not wrong("postgresql://h/d?sslmode=require")
    assert not wrong("postgresql://h/d?sslrootcert=system")
    assert not wrong(f"{full}&sslrootcert={pem}/ca.pem")
    assert not wrong(full, {"PGSSLROOTCERT": f"{pem}/ca.pem", "PGUSER": "u"})
    assert "has a sslrootcert that cannot be read" in wrong(full, {"PGSSLROOTCERT": "/somewhere"})
    assert "sslrootcert that cannot be read (No such file or directory): '/nowhere'" in wrong(
        f"{full}&sslrootcert=/nowhere"
    )
    assert "\n" not in wrong(f"{full}&sslrootcert=/no%0Awhere")
    assert "sslrootcert that names a file with invalid content" in wrong(
        f"{full}&sslrootcert={pem}/empty.pem"
    )
    assert "sslcrl that names a file" in wrong(f"postgresql://h/d?sslcrl={pem}/key.pem")
    assert not wrong(f"postgresql://h/d?sslcert={pem}/ca.pem&sslkey={pem}/key.pem")
    assert "sslcert that names a file" in wrong(
        f"postgresql://h/d?sslcert={pem}/ca.pem&sslkey={pem}/ca.pem"
    )
    (pem / "home" / ".postgresql").mkdir()
    (pem / "ca.pem").rename(pem / "home" / ".postgresql" / "root.crt")
    assert not wrong(full)


def test_a_process_user_without_a_name_is_reported(monkeypatch):
    """For example, in a container whose user has no entry.

    The driver would ask the system for the name.
    """
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)
    monkeypatch.setattr(
        "pathlib.Path.home", classmethod(lambda _: (_ for _ in ()).throw(RuntimeError))
    )
    assert (
        wrong("postgresql://h/d", {"HOME": "/"})
        == "names no user, and the user of this process has no name"
    )
    assert not wrong("postgresql://u@h/d", {"HOME": "/"})
    assert "without a root" in wrong("postgresql://u@h/d?sslmode=verify-full")

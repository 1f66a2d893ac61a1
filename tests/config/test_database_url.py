"""PostgreSQL URLs, compared with how libpq reads them."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.config import database_parameters as parameters
from newsintel.config.database_url import DatabaseUrl, parse_database_url
from tests import libpq

TABLES = (
    set(parameters.URL_PART_PARAMETERS),
    set(parameters.DRIVER_PARAMETERS),
    set(parameters.TRANSLATED_PARAMETERS),
    set(parameters.NEEDLESS_PARAMETERS),
    set(parameters.UNSUPPORTED_PARAMETERS),
)


@pytest.mark.parametrize("library", libpq.libraries(), ids=str)
def test_every_parameter_of_libpq_has_one_treatment(library):
    """Each is read, passed on, translated, ignored as needless or refused by name."""
    known = set().union(*TABLES)
    assert libpq.keywords(library) - known == set()
    assert sum(map(len, TABLES)) == len(known)


def test_the_tables_have_only_parameters_of_libpq():
    """One exception is newer than this libpq."""
    assert set().union(*TABLES) - libpq.keywords(libpq.libraries()[0]) == {"servicefile"}
    assert not set(parameters.FOREIGN_PARAMETERS) & libpq.keywords(libpq.libraries()[0])


_TEXT = st.text(st.sampled_from("abcXYZ019 äß€%?#&=+/@:,;!'\"\\[]"), max_size=6)
_ENCODED = _TEXT.map(
    lambda text: "".join(
        c if c.isalnum() and c.isascii() else "".join(f"%{b:02X}" for b in c.encode()) for c in text
    )
)
_GOOD_HOST = st.sampled_from(
    ["localhost", "db.example.org", "127.0.0.1", "[::1]", "%2Fvar%2Frun", "h%C3%BC"]
)
_HOST = st.one_of(*[_GOOD_HOST] * 9, st.sampled_from(["", "a@b", "]", "[::1"]), _TEXT, _ENCODED)
_PORT = st.one_of(
    *[st.sampled_from(["", "", ":", ":5432", ":1", ":65535"])] * 9,
    st.sampled_from([":0", ":65536", ":x", ":5x", ":+5"]),
)
_PARAMETER = st.one_of(
    st.sampled_from([
        "sslmode=require", "ssl=true", "ssl=false", "host=other", "host=%2Ftmp", "port=6000",
        "port=1,2", "user=u2", "password=p%20w", "dbname=d2", "application_name=a+b",
        "connect_timeout=10", "options=-c%20x%3Dy", "foo=bar", "sslmode", "sslmode=", "=x", "",
        "keepalives=1", "channel_binding=require", "application_name=a=b",
    ]),
    st.tuples(
        st.sampled_from(["application_name", "password", "user", "dbname", "options"]), _ENCODED
    ).map("=".join),
)  # fmt: skip


@st.composite
def urls(draw):
    """Valid and invalid URLs with every part of libpq's grammar."""
    word = st.one_of(*[_ENCODED] * 5, _TEXT)
    scheme = draw(
        st.sampled_from(
            ["postgresql://"] * 8
            + ["postgres://"] * 4
            + ["mysql://", "postgresql:", "POSTGRESQL://", ""]
        )
    )
    sign_in = (
        draw(st.sampled_from(["", "{u}@", "{u}:{p}@"]))
        .replace("{u}", draw(word))
        .replace("{p}", draw(word))
    )
    hosts = ",".join(
        draw(_HOST) + draw(_PORT) for _ in range(draw(st.sampled_from([1, 1, 1, 2, 3])))
    )
    path = draw(st.sampled_from(["", "/", "/{d}"])).replace("{d}", draw(word))
    query = draw(
        st.one_of(
            st.just(""),
            st.lists(_PARAMETER, min_size=1, max_size=3).map(lambda some: "?" + "&".join(some)),
        )
    )
    return scheme + sign_in + hosts + path + query


def attempt(url):
    """What is read from a URL, or the message of its refusal."""
    try:
        return parse_database_url(url)
    except ValueError as error:
        return str(error)


@given(urls())
def test_urls_are_read_as_libpq_reads_them(url):
    """Host, port, user, password and database are equal for every URL that we accept.

    We accept no URL that libpq refuses.
    """
    ours = attempt(url)
    if isinstance(ours, str):
        assert ours
        assert "\n" not in ours
        return
    theirs = libpq.parse(url.strip())
    assert theirs is not None, url
    expected = {"user": ours.user, "password": ours.password, "dbname": ours.database}
    assert {name: theirs.get(name) or None for name in expected} == {
        name: value or None for name, value in expected.items()
    }
    assert tuple(theirs.get("host", "").split(",")) == (ours.hosts or ("",))
    ports = (
        [int(port or 5432) for port in theirs.get("port", "").split(",")]
        if theirs.get("port")
        else []
    )
    assert tuple(ports) in (ours.ports, ours.ports[:1])
    ignored = {*parameters.URL_PART_PARAMETERS, "sslmode"}
    assert {k: v for k, v in theirs.items() if k not in ignored} == {
        k: v for k, v in ours.parameters.items() if k not in ignored
    }


GOOD = {
    "postgresql://": DatabaseUrl((), (), None, None, None, {}),
    "postgresql://u:p@h:1/d": DatabaseUrl(("h",), (1,), "u", "p", "d", {}),
    "postgres://h": DatabaseUrl(("h",), (), None, None, None, {}),
    "postgresql://u:a%40b%2Fc#d?e@h/d": DatabaseUrl(("h",), (), "u", "a@b/c#d?e", "d", {}),
    "postgresql://u@/d?host=%2Fvar%2Frun%2Fpostgresql": DatabaseUrl(
        ("/var/run/postgresql",), (), "u", None, "d", {}
    ),
    "postgresql://%2Fvar%2Frun:6000/d": DatabaseUrl(("/var/run",), (6000,), None, None, "d", {}),
    "postgresql://[::1]:5433,h2/d": DatabaseUrl(("::1", "h2"), (5433, 5432), None, None, "d", {}),
    "postgresql://a,b/d?target_session_attrs=read-write": DatabaseUrl(
        ("a", "b"), (5432, 5432), None, None, "d", {"target_session_attrs": "read-write"}
    ),
    "postgresql://a,b:6000/d?port=7000": DatabaseUrl(("a", "b"), (7000, 7000), None, None, "d", {}),
    "postgresql://h/d?sslrootcert=system": DatabaseUrl(
        ("h",), (), None, None, "d", {"sslrootcert": "system", "sslmode": "verify-full"}
    ),
    "postgresql://h/d?ssl=true": DatabaseUrl(("h",), (), None, None, "d", {"sslmode": "require"}),
}


@pytest.mark.parametrize("url", GOOD)
def test_reads_the_forms_of_the_manual(url):
    """PostgreSQL manual, section 34.1.1.2."""
    assert parse_database_url(url) == GOOD[url]


BAD = {
    "foo": "must be a URL such as postgresql://",
    "localhost:5432": "must be a URL such as",
    "localhost:6379": "must be a URL such as",
    "mysql://u@h/d": "must be a URL such as",
    "postgresql+asyncpg://h/d": "must be a URL such as",
    "host=localhost dbname=news": "must be a URL such as",
    "postgresql://h:x/d": "port that is not a number",
    "postgresql://h:70000/d": "port that is not a number",
    "postgresql://u:p/w@h/d": "port that is not a number",
    "postgresql://u:p@w@h/d": "an @ there is written %40",
    "postgresql://h1,,h2/d": "a host without a name",
    "postgresql://::1/d": "an IPv6 address is written",
    "postgresql://h1,h2:1,h3:2/d?port=1,2": "2 ports for 3 hosts",
    "postgresql://h/d?host=@abstract": "a host without a name",
    "postgresql://h/d%zz": "% that is not followed",
    "postgresql://h/d?options=-c x%3Dy": "has a space, which is written %20",
    "postgresql://h/d?sslmode": "name=value",
    "postgresql://h/d?application_name=a=b": "name=value",
    "postgresql://h/d?sslmode=verify_full": (
        "sslmode that cannot be used: it must be disable, allow, prefer, require"
    ),
    "postgresql://h/d?sslmode=": "sslmode that cannot be used",
    "postgresql://h/d?connect_timeout=0": (
        "connect_timeout that cannot be used: it must be whole seconds from 1 to 60"
    ),
    "postgresql://h/d?keepalives_idle=soon": (
        "keepalives_idle that cannot be used: it must be a number from 0 to 32767"
    ),
    "postgresql://h/d?ssl_min_protocol_version=SSLv3": "it must be TLSv1.2 or TLSv1.3",
    "postgresql://h/d?channel_binding=require": (
        "has a channel_binding that the driver does not support"
    ),
    "postgresql://h/d?gssencmode=require": "has a gssencmode that",
    "postgresql://h/d?client_encoding=latin1": "has a client_encoding that",
    "postgresql://h/d?replication=database": "has a replication that",
    "postgresql://h/d?hostaddr=10.0.0.1": (
        "has hostaddr, which cannot be used here: write the address as the host"
    ),
    "postgresql://h/d?service=news": "has service",
    "postgresql://h/d?sslrootcert=system&sslmode=require": "which requires sslmode=verify-full",
    "postgresql://h/d?sslrootcert=system&sslcrl=/x": (
        "has sslcrl, which cannot be used with sslrootcert=system"
    ),
    "postgresql://h/d?pgbouncer=true": (
        "has pgbouncer, which is not a parameter of PostgreSQL:"
        " use the address of PostgreSQL itself"
    ),
    "postgresql://h/d?ssl_cert_reqs=none": (
        "has ssl_cert_reqs, which is not a parameter of PostgreSQL: use sslmode"
    ),
    "postgresql://u@a..b/d": "has a host that cannot be looked up",
    "postgresql://u@h,a%20b/d": "has a host that cannot be looked up",
    "postgresql:///d?host=run/postgresql": "has a host that cannot be looked up",
    f"postgresql:///d?host=/{'x' * 95}": "names a socket whose path has more than 107 bytes",
    "postgresql://planted%FF@h/d": "has a user that is not UTF-8",
    "postgresql://u:planted%FF@h/d": "has a password that is not UTF-8",
    "postgresql://u@h/planted\udcff": "has a dbname that is not UTF-8",
    "postgresql://h/d?application_name=%FF": "has a application_name that is not UTF-8",
    "postgresql://h/d?keepalives_idle=32768": "it must be a number from 0 to 32767",
    "postgresql://h/d?keepalives_interval=99999": "it must be a number from 0 to 32767",
    "postgresql://h/d?keepalives_count=128": "it must be a number from 0 to 127",
    "postgresql://h/d?tcp_user_timeout=soon": "it must be a number",
    "postgresql://h/d?sslcert=": "it must be the path of a file, in one line",
    "postgresql://h/d?sslmod=verify-full": "has sslmod, which is not a parameter",
    "postgresql://h/d?planted%20secret=1": "has a parameter, which is not a parameter",
}


@pytest.mark.parametrize("url", BAD)
def test_refuses_invalid_urls(url):
    """The message is one line that names the fault.

    It repeats nothing of the URL but names of parameters.
    """
    with pytest.raises(ValueError, match=r"^(must|has|says|names) ") as refusal:
        parse_database_url(url)
    assert BAD[url] in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert "planted" not in str(refusal.value)


def test_connect_timeout_is_in_seconds():
    """Without the parameter it is None, and the service's own timeout applies."""
    assert parse_database_url("postgresql://h?connect_timeout=60").connect_timeout_s == 60.0
    assert parse_database_url("postgresql://h").connect_timeout_s is None


def test_passwords_are_not_shown():
    """The repr of a URL is safe to log."""
    assert "planted" not in repr(
        parse_database_url("postgresql://u:planted@h/d?sslpassword=planted")
    )


@pytest.mark.parametrize(
    ("url", "environ", "local"),
    [
        ("postgresql:///d", {}, True),
        ("postgresql:///d", {"PGHOST": "db.example"}, False),
        ("postgresql:///d?host=/var/run", {"PGHOST": "db.example"}, True),
        ("postgresql://localhost/d", {}, True),
        ("postgresql://LOCALHOST/d", {}, True),
        ("postgresql://127.1.2.3/d", {}, True),
        ("postgresql://[::1]/d", {}, True),
        ("postgresql://localhost,db.example/d", {}, False),
        ("postgresql://localhost/d?host=db.example", {}, False),
        ("postgresql://localhost.example/d", {}, False),
        ("postgresql://127.0.0.1.nip.io/d", {}, False),
        ("postgresql://0.0.0.0/d", {}, False),
        ("postgresql://128.0.0.1/d", {}, False),
    ],
)
def test_only_sockets_and_loopback_addresses_are_local(url, environ, local):
    """Then what is sent stays on this machine. Every host of the URL must be local."""
    assert parse_database_url(url).is_local(environ) is local


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("", ()),
        ("keepalives=1", ((socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),)),
        ("keepalives=0&keepalives_idle=5", ()),
        (
            "keepalives_idle=5",
            (
                (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
                (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 5),
            ),
        ),
        ("keepalives_count=0", ()),
        ("tcp_user_timeout=900", ((socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 900),)),
    ],
)
def test_keepalive_parameters_become_socket_options(query, options):
    """As in the manual: 0 leaves an option to the system, and keepalives=0 turns keepalives off."""
    assert (
        parameters.build_socket_options(
            parse_database_url(
                f"postgresql://h/d?{query}" if query else "postgresql://h/d"
            ).parameters
        )
        == options
    )


def test_the_kernel_accepts_the_highest_values():
    """And no higher ones, with which no connection would ever be opened."""
    highest = {name: str(value) for name, value in parameters.HIGHEST.items()}
    with socket.socket() as client:
        for option in parameters.build_socket_options(highest):
            client.setsockopt(*option)
            if option[0] == socket.IPPROTO_TCP:
                with pytest.raises(OSError, match="Invalid argument"):
                    client.setsockopt(*option[:2], option[2] + 1)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 999_999_999)

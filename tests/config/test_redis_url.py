"""Redis URLs, compared with how redis-py reads them."""

import inspect

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.asyncio.connection import (
    URL_QUERY_ARGUMENT_PARSERS,
    AbstractConnection,
    BlockingConnectionPool,
    Connection,
    SSLConnection,
    UnixDomainSocketConnection,
    parse_url,
)

from newsintel.config.redis_url import PARAMETERS, RESERVED_PARAMETERS, RedisUrl, parse_redis_url

REFUSED = {
    # arguments of redis-py's classes that do not belong in a URL
    "host", "port", "path", "connection_class", "queue_class", "parser_class", "encoder_class",
    "credential_provider", "event_dispatcher", "redis_connect_func", "himport_registry",
    "maint_notifications_config", "maint_notifications_pool_handler",
    "oss_cluster_maint_notifications_handler",
    "maintenance_state", "maintenance_notification_hash",
    "orig_host_address", "orig_socket_timeout", "orig_socket_connect_timeout",
    "ssl_ca_data", "ssl_ca_path", "ssl_ciphers", "ssl_min_version",
    "ssl_include_verify_flags", "ssl_exclude_verify_flags",
}  # fmt: skip


def test_every_argument_of_redis_py_has_a_treatment():
    """Each is accepted, set by newsintel or refused by name."""
    classes = (
        AbstractConnection,
        Connection,
        SSLConnection,
        UnixDomainSocketConnection,
        BlockingConnectionPool,
    )
    known = {name for one in classes for name in inspect.signature(one.__init__).parameters} | set(
        URL_QUERY_ARGUMENT_PARSERS
    )
    known -= {"self", "kwargs", "connection_kwargs"}
    assert known - {*PARAMETERS, *RESERVED_PARAMETERS} <= REFUSED
    assert set(PARAMETERS) <= known
    for name in known - set(PARAMETERS):
        with pytest.raises(ValueError, match=name):
            parse_redis_url(f"rediss://h?{name}=1")


_WORD = st.text(st.sampled_from("abcXYZ019äß€%?#&=+/@:,;!'[] "), max_size=5)
_ENCODED = _WORD.map(
    lambda text: "".join(
        c if c.isalnum() and c.isascii() else "".join(f"%{b:02X}" for b in c.encode()) for c in text
    )
)
_PARAMETER = st.sampled_from([
    "db=3", "db=x", "username=u%202", "password=p%2Bw", "password=a+b", "client_name=web",
    "client_name=", "protocol=2", "protocol=3", "socket_timeout=9", "ssl_cert_reqs=none",
    "ssl_cert_reqs=required", "ssl_cert_reqs=optional", "ssl_check_hostname=no", "foo=1", "db",
    "ssl_ca_certs=%2Fca.pem", "",
])  # fmt: skip


@st.composite
def urls(draw):
    """Valid and invalid URLs."""
    word = st.one_of(_ENCODED, _ENCODED, _ENCODED, _WORD)
    scheme = draw(
        st.sampled_from(
            ["redis", "rediss", "redis", "rediss", "unix", "http", "REDIS", "redis+sentinel"]
        )
    )
    sign_in = (
        draw(st.sampled_from(["", "", "{u}@", "{u}:{p}@", ":{p}@"]))
        .replace("{u}", draw(word))
        .replace("{p}", draw(word))
    )
    host = draw(
        st.sampled_from(
            ["localhost", "127.0.0.1", "[::1]", "cache.example.org", "", "CACHE", "a,b"]
        )
    )
    port = draw(st.sampled_from(["", ":6379", ":1", ":", ":x", ":70000"]))
    path = draw(st.sampled_from(["", "/", "/0", "/15", "/x", "/1/2", "/path%20to/s", "//0"]))
    query = draw(
        st.one_of(
            st.just(""),
            st.lists(_PARAMETER, min_size=1, max_size=3).map(lambda some: "?" + "&".join(some)),
        )
    )
    return f"{scheme}://{sign_in}{'' if scheme == 'unix' else host + port}{path}{query}"


def leads_where_redis_py_goes(url):
    """Check that a URL that we accept leads to the same server in redis-py."""
    try:
        ours = parse_redis_url(url)
    except ValueError as error:
        assert str(error)
        assert "\n" not in str(error)
        return
    theirs = parse_url(url.strip())
    tls, unix = ours.tls, ours.path is not None
    assert theirs.pop("connection_class", Connection) is (
        SSLConnection if tls else UnixDomainSocketConnection if unix else Connection
    )
    assert theirs.pop("path", None) == ours.path
    if not unix:
        assert (theirs.pop("host", "localhost"), theirs.pop("port", 6379)) == (ours.host, ours.port)
    assert theirs.pop("db", 0) == ours.db
    assert (theirs.pop("username", None), theirs.pop("password", None)) == (
        ours.username,
        ours.password,
    )
    assert {name: str(value).lower() for name, value in theirs.items()} == {
        name: {"no": "false", "yes": "true"}.get(value.lower(), value.lower())
        for name, value in ours.parameters.items()
    }


@settings(max_examples=200)
@given(urls())
def test_urls_are_read_as_redis_py_reads_them(url):
    """A quick sample of every form."""
    leads_where_redis_py_goes(url)


@pytest.mark.slow
@settings(max_examples=2000)
@given(urls())
def test_many_urls_are_read_as_redis_py_reads_them(url):
    """Enough examples for combinations of forms."""
    leads_where_redis_py_goes(url)


GOOD = {
    "redis://": RedisUrl(
        None, "localhost", 6379, tls=False, db=0, username=None, password=None, parameters={}
    ),
    "redis://u:p%40@h:1/2": RedisUrl(
        None, "h", 1, tls=False, db=2, username="u", password="p@", parameters={}
    ),
    "rediss://:p@h?db=4": RedisUrl(
        None, "h", 6379, tls=True, db=4, username=None, password="p", parameters={}
    ),
    "unix:///run/redis%20one.sock?db=1": RedisUrl(
        "/run/redis one.sock",
        "localhost",
        6379,
        tls=False,
        db=1,
        username=None,
        password=None,
        parameters={},
    ),
    "unix://u@/s?password=p": RedisUrl(
        "/s", "localhost", 6379, tls=False, db=0, username="u", password="p", parameters={}
    ),
}


@pytest.mark.parametrize("url", GOOD)
def test_reads_the_forms_of_the_manual(url):
    """The forms in redis-py's manual."""
    assert parse_redis_url(url) == GOOD[url]


BAD = {
    "foo": "must be a URL such as redis://",
    "localhost:6379": "must be a URL such as redis://",
    "http://h": "must be a URL such as redis://",
    "redis:h": "must be a URL such as redis://",
    "redis+sentinel://h:26379/mymaster": "must be a URL such as redis://",
    "redis://h:x": "port that cannot be read",
    "redis://h:70000": "port that cannot be read",
    "redis://u:p/w@h": "port that cannot be read",
    "redis://[::1": "port that cannot be read",
    "redis://u:p#planted@h": "has a #",
    "redis://h/planted": "not the number of a database",
    "redis://h1,h2/0": "names several hosts",
    "unix://": "names no socket",
    "unix://redis.sock": "names no socket",
    "redis://h?db=x": "has a db that cannot be used",
    "redis://h?socket_timeout=60": "has socket_timeout, which newsintel sets itself",
    "redis://h?ssl_cert_reqs=none": "has ssl_cert_reqs, which requires rediss://",
    "rediss://h?ssl_cert_reqs=planted": "has a ssl_cert_reqs that cannot be used",
    "rediss://h?sslrootcert=/ca.pem": "has sslrootcert, which cannot be used here",
    "redis://h?planted%20name=1": "has a parameter, which cannot be used here",
    "redis://h?db=1&db=2": "has db twice",
    "redis://h:0": "has port 0, at which no server listens",
    "redis://a..b": "has a host that cannot be looked up",
    "redis://a b": "has a host that cannot be looked up",
    "redis://h%00": "has a host that cannot be looked up",
    f"unix:///{'x' * 107}": "names a socket whose path has more than 107 bytes",
    "unix:///run/a%00b": "names a socket whose path has more than 107 bytes, or a NUL",
    "unix://run/redis.sock": "names no socket: a unix URL has three slashes",
    "redis://h;db=1": "has a host that cannot be looked up",
    "redis://:planted%FF@h": "has a password that is not UTF-8",
    "redis://planted\udcff@h": "has a username that is not UTF-8",
    "redis://:planted\udcff@h": "has a password that is not UTF-8",
    "redis://h?password=planted%FF": "has a password that is not UTF-8",
    "redis://h?client_name=%FF": "has a client_name that is not UTF-8",
    "rediss://h?ssl_keyfile=/key.pem": "has ssl_keyfile without the ssl_certfile",
}


@pytest.mark.parametrize("url", BAD)
def test_refuses_invalid_urls(url):
    """The message is one line that names the fault.

    It repeats nothing of the URL but names of parameters.
    """
    with pytest.raises(ValueError, match=r"^(must|has|names) ") as refusal:
        parse_redis_url(url)
    assert BAD[url] in str(refusal.value)
    assert "planted" not in str(refusal.value)


def test_passwords_are_not_shown():
    """The repr of a URL is safe to log."""
    assert "planted" not in repr(parse_redis_url("rediss://u:planted@h/0?ssl_password=planted"))


@pytest.mark.parametrize(
    ("url", "local", "verified"),
    [
        ("unix:///run/redis.sock", True, False),
        ("redis://localhost", True, False),
        ("redis://127.9.9.9", True, False),
        ("redis://[::1]/1", True, False),
        ("redis://", True, False),
        ("redis://cache.example", False, False),
        ("redis://0.0.0.0", False, False),
        ("rediss://cache.example", False, True),
        ("rediss://cache.example?ssl_cert_reqs=required&ssl_check_hostname=True", False, True),
        ("rediss://cache.example?ssl_cert_reqs=none", False, False),
        ("rediss://cache.example?ssl_check_hostname=no", False, False),
    ],
)
def test_local_and_verified_connections(url, local, verified):
    """Sockets and loopback addresses are local.

    A connection is verified only if both the certificate and the host name are checked.
    """
    assert (parse_redis_url(url).is_local, parse_redis_url(url).verifies_server) == (
        local,
        verified,
    )


def test_certificates_are_checked(pem):
    """The files must exist and have valid content."""
    ca, key = pem / "ca.pem", pem / "key.pem"
    parse_redis_url(
        f"rediss://h?ssl_ca_certs={ca}&ssl_certfile={ca}&ssl_keyfile={key}"
    ).check_certificates()
    for parameters, said in {
        "ssl_ca_certs=/nowhere": (
            "has a ssl_ca_certs that cannot be read (No such file or directory): '/nowhere'"
        ),
        "ssl_ca_certs=/no%0Awhere": "has a ssl_ca_certs that cannot be used",
        f"ssl_ca_certs={key}": "has a ssl_ca_certs that names a file with invalid content",
        f"ssl_certfile={ca}&ssl_keyfile={ca}": "has a ssl_certfile that names a file",
    }.items():
        with pytest.raises(ValueError, match="has a") as refusal:
            parse_redis_url(f"rediss://h?{parameters}").check_certificates()
        assert said in str(refusal.value)

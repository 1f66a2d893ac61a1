"""The parsers of single settings: what each accepts and refuses.

A message never repeats the value.
"""

from ipaddress import ip_network
from pathlib import Path

import pytest

from newsintel.config.values import (
    Address,
    Quota,
    address,
    count,
    folder,
    issuer,
    networks,
    one_of,
    quota,
    seconds,
    seconds_or_none,
    secret,
    text,
    url,
    words,
)

GOOD = [
    (text, "  a b ", "a b"),
    (seconds, "1.5", 1.5),
    (seconds_or_none, "0", 0.0),
    (count(1, 10), "10", 10),
    (one_of("text", "json"), " JSON ", "json"),
    (words, "a, b,,c ", ("a", "b", "c")),
    (words, " ", ()),
    (url("https"), "https://example.org/base/", "https://example.org/base"),
    (issuer, " https://op.example ", "https://op.example"),
    (issuer, "https://op.example/", "https://op.example/"),
    (issuer, "https://op.example/a/b/", "https://op.example/a/b/"),
    (issuer, "http://localhost:9400", "http://localhost:9400"),
    (address, "127.0.0.1:8000", Address("127.0.0.1", 8000)),
    (address, "[::1]:0", Address("::1", 0)),
    (address, "localhost:80", Address("localhost", 80)),
    (networks, "10.0.0.0/8, fd00::/8", (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))),
    (networks, "10.0.0.1", (ip_network("10.0.0.1/32"),)),
    (folder, " /home/jürgen/my news\n", Path("/home/jürgen/my news")),
    (folder, "here", Path.cwd() / "here"),
    (folder, "~/data", Path.home() / "data"),
    (quota, "100/1d", Quota(100, 86400)),
    (quota, "5/30s", Quota(5, 30)),
    (quota, "5/2m", Quota(5, 120)),
    (quota, "OFF", None),
]
BAD = [
    (text, "  "),
    (secret, ""),
    (seconds, "0"),
    (seconds, "-1"),
    (seconds, "inf"),
    (seconds, "1e3"),
    (seconds_or_none, "9999999999"),
    (count(1, 10), "11"),
    (count(1, 10), "１"),
    (one_of("text", "json"), "xml"),
    (url("https"), "http://example.org"),
    (url("https"), "https://"),
    (url("https"), "https://[half"),
    (issuer, "op.example"),
    (issuer, "https://"),
    (issuer, "https://op.example?a=b"),
    (issuer, "https://op.example#a"),
    (issuer, "https://op.example/a b"),
    (issuer, "https://op.example/" + "a" * 500),
    (address, "8000"),
    (address, ":8000"),
    (address, "host:65536"),
    (networks, "10.0.0.1/8"),
    (networks, "proxy.internal"),
    (folder, " "),
    (folder, "/new\nline"),
    (folder, "/tab\tbed"),
    (folder, "~nobody-of-this-name/data"),
    (quota, "0/1d"),
    (quota, "100/1w"),
]


@pytest.mark.parametrize(("parse", "raw", "value"), GOOD)
def test_valid_values_are_read(parse, raw, value):
    """Each with the parser of its setting."""
    assert parse(raw) == value


@pytest.mark.parametrize(("parse", "raw"), BAD)
def test_invalid_values_are_refused_with_the_rule(parse, raw):
    """The message begins with "must"."""
    with pytest.raises(ValueError, match=r"^must "):
        parse(raw)


def test_messages_do_not_repeat_the_value():
    """A value may be a secret that was pasted into the wrong setting."""
    for parse in (url("https"), issuer, address, seconds, quota, one_of("a"), count(1, 2)):
        with pytest.raises(ValueError, match=r"^must ") as caught:
            parse("planted-secret")
        assert "planted" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.8.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("a.example", False)],
)
def test_loopback_addresses(host, loopback):
    """Only addresses that no other machine can reach are loopback."""
    assert Address(host, 1).loopback is loopback


def test_addresses_and_quotas_are_shown_as_they_are_written():
    """Their text is the syntax of the setting."""
    assert str(Address("::1", 80)) == "[::1]:80"
    assert str(Address("127.0.0.1", 80)) == "127.0.0.1:80"
    assert str(Quota(100, 2 * 86400)) == "100/2d"
    assert str(Quota(5, 30)) == "5/30s"

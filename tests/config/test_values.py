"""The parsers of single settings: what each accepts and refuses.

A message never repeats the value.
"""

from ipaddress import ip_network
from pathlib import Path

import pytest

from newsintel.config.values import (
    FeedsChoice,
    ListenAddress,
    Quota,
    choice_parser,
    integer_parser,
    parse_days,
    parse_feeds,
    parse_folder,
    parse_issuer,
    parse_list,
    parse_listen_address,
    parse_networks,
    parse_origins,
    parse_positive_seconds,
    parse_quota,
    parse_seconds,
    parse_secret,
    parse_text,
    url_parser,
)

GOOD = [
    (parse_text, "  a b ", "a b"),
    (parse_positive_seconds, "1.5", 1.5),
    (parse_seconds, "0", 0.0),
    (integer_parser(1, 10), "10", 10),
    (choice_parser("text", "json"), " JSON ", "json"),
    (parse_list, "a, b,,c ", ("a", "b", "c")),
    (parse_list, " ", ()),
    (parse_feeds, " Default ", FeedsChoice("default")),
    (parse_feeds, "off", FeedsChoice("off")),
    (parse_feeds, "/etc/feeds.opml", FeedsChoice("file", ("/etc/feeds.opml",))),
    (parse_feeds, "https://x.example/a.OPML", FeedsChoice("opml", ("https://x.example/a.OPML",))),
    (
        parse_feeds,
        "https://x.example/a.opml, http://y.example/",
        FeedsChoice("addresses", ("https://x.example/a.opml", "http://y.example/")),
    ),
    (parse_feeds, "https://x.example/f", FeedsChoice("addresses", ("https://x.example/f",))),
    (url_parser("https"), "https://example.org/base/", "https://example.org/base"),
    (parse_issuer, " https://op.example ", "https://op.example"),
    (parse_issuer, "https://op.example/", "https://op.example/"),
    (parse_issuer, "https://op.example/a/b/", "https://op.example/a/b/"),
    (parse_issuer, "http://localhost:9400", "http://localhost:9400"),
    (parse_listen_address, "127.0.0.1:8000", ListenAddress("127.0.0.1", 8000)),
    (parse_listen_address, "[::1]:0", ListenAddress("::1", 0)),
    (parse_listen_address, "localhost:80", ListenAddress("localhost", 80)),
    (parse_networks, "10.0.0.0/8, fd00::/8", (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))),
    (parse_networks, "10.0.0.1", (ip_network("10.0.0.1/32"),)),
    (parse_folder, " /home/jürgen/my news\n", Path("/home/jürgen/my news")),
    (parse_folder, "here", Path.cwd() / "here"),
    (parse_folder, "~/data", Path.home() / "data"),
    (parse_quota, "100/1d", Quota(100, 86400)),
    (parse_quota, "5/30s", Quota(5, 30)),
    (parse_quota, "5/2m", Quota(5, 120)),
    (parse_quota, "OFF", None),
    (parse_days, "30", 30),
    (parse_days, " Off ", None),
]
BAD = [
    (parse_text, "  "),
    (parse_secret, ""),
    (parse_positive_seconds, "0"),
    (parse_positive_seconds, "-1"),
    (parse_positive_seconds, "inf"),
    (parse_positive_seconds, "1e3"),
    (parse_seconds, "9999999999"),
    (integer_parser(1, 10), "11"),
    (integer_parser(1, 10), "１"),
    (choice_parser("text", "json"), "xml"),
    (url_parser("https"), "http://example.org"),
    (url_parser("https"), "https://"),
    (url_parser("https"), "https://[half"),
    (url_parser("https"), "https:///path"),
    (url_parser("https"), "https://example.org:99999"),
    (url_parser("https"), "https://example.org:x"),
    (url_parser("https"), "https://example.org/a b"),
    (url_parser("https"), "https://example.org/\x7f"),
    (url_parser("https"), "https://\u00fcmlaut.example"),
    (parse_text, "two\nlines"),
    (parse_text, "no \udcff UTF-8"),
    (parse_issuer, "op.example"),
    (parse_issuer, "https://"),
    (parse_issuer, "https://op.example?a=b"),
    (parse_issuer, "https://op.example#a"),
    (parse_issuer, "https://op.example/a b"),
    (parse_issuer, "https://op.example/" + "a" * 500),
    (parse_listen_address, "8000"),
    (parse_listen_address, ":8000"),
    (parse_listen_address, "[]:8000"),
    (parse_listen_address, "[::1:8000"),
    (parse_listen_address, "smtp://a:b@host:8000"),
    (parse_listen_address, "a..b:8000"),
    (parse_listen_address, f"{'x' * 64}:8000"),
    (parse_listen_address, "\u00fcmlaut:8000"),
    (parse_listen_address, "host:65536"),
    (parse_networks, "10.0.0.1/8"),
    (parse_networks, "proxy.internal"),
    (parse_folder, " "),
    (parse_folder, "/new\nline"),
    (parse_folder, "/tab\tbed"),
    (parse_folder, "~nobody-of-this-name/data"),
    (parse_feeds, " "),
    (parse_feeds, "ftp://x.example/"),
    (parse_feeds, "https://"),
    (parse_feeds, "https://[half"),
    (parse_feeds, "https://x.example/, /etc/feeds.opml"),
    (parse_feeds, "off, https://x.example/"),
    (parse_quota, "0/1d"),
    (parse_days, "0"),
    (parse_days, "1.5"),
    (parse_days, "4000"),
    (parse_quota, "100/1w"),
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
    for parse in (
        url_parser("https"),
        parse_issuer,
        parse_listen_address,
        parse_positive_seconds,
        parse_quota,
        choice_parser("a"),
        integer_parser(1, 2),
    ):
        with pytest.raises(ValueError, match=r"^must ") as caught:
            parse("planted-secret")
        assert "planted" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("a.example", False),
    ],
)
def test_loopback_addresses(host, loopback):
    """Only addresses that no other machine can reach are loopback."""
    assert ListenAddress(host, 1).is_loopback is loopback


def test_addresses_and_quotas_are_shown_as_they_are_written():
    """Their text is the syntax of the setting."""
    assert str(ListenAddress("::1", 80)) == "[::1]:80"
    assert str(ListenAddress("127.0.0.1", 80)) == "127.0.0.1:80"
    assert str(Quota(100, 2 * 86400)) == "100/2d"
    assert str(Quota(5, 30)) == "5/30s"


def test_origins_are_a_list_in_order():
    """An origin has a scheme and a host, and nothing behind it."""
    assert parse_origins("https://a.example, http://localhost:3000") == (
        "https://a.example",
        "http://localhost:3000",
    )
    with pytest.raises(ValueError, match="without paths or wildcards"):
        parse_origins("https://a.example/path")

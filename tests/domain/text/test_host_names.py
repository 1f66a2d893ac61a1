"""Host names, compared with Ada.

Ada is the URL parser of Node.js, Cloudflare Workers and other software that follows WHATWG's
standard.
"""

import ada_url
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from newsintel.domain.text.host_names import (
    _to_ascii_label,
    is_registered,
    to_ascii_host,
)


def browsers(host: str) -> str | None:
    """The host that a browser contacts, without a final dot; None if the browser refuses it."""
    try:
        return ada_url.URL(f"https://{host}/").hostname.removesuffix(".")
    except ValueError:
        return None


SAME = {
    "EXAMPLE.Org": "example.org",
    "example.org.": "example.org",
    "a_b.example.org": "a_b.example.org",
    "r3---sn-x.example.com": "r3---sn-x.example.com",
    "ab--c.example": "ab--c.example",
    # UTS #46, deviation characters: names that IDNA 2003 mapped to other names
    "straßenblatt.de": "xn--straenblatt-y6a.de",
    "STRASSENBLATT.de": "strassenblatt.de",
    "faß.de": "xn--fa-hia.de",
    "FA\u1e9e.de": "xn--fa-hia.de",
    "βόλος.com": "xn--nxasmm1c.com",
    "ΒΌΛΟΣ.com": "xn--nxasmq6b.com",
    "نامه\u200cای.com": "xn--mgba3gch31f060k.com",
    "ශ්\u200dරී.com": "xn--10cl1a0b660p.com",
    # Mapped: case, width, ligatures, circled digits, decomposed letters, and the full stops of
    # other scripts
    "MÜLLER.example": "xn--mller-kva.example",
    "mu\u0308ller.example": "xn--mller-kva.example",
    "ｗｗｗ．ｅｘａｍｐｌｅ．ｏｒｇ": "www.example.org",
    "example\u3002org": "example.org",
    "example\uff61org": "example.org",
    "ﬁn.example": "fin.example",
    "①.example.org": "1.example.org",
    "İstanbul.example": "xn--istanbul-o0e.example",
    # Ignored
    "ex\u00adam\u200bple.org": "example.org",
    # Percent-encoded
    "ex%61mple.org": "example.org",
    "stra%C3%9Fenblatt.de": "xn--straenblatt-y6a.de",
    # Outside IDNA 2008, and accepted by every browser
    "💩.la": "xn--ls8h.la",
    "i❤.ws": "xn--i-7iq.ws",
    "例え.テスト": "xn--r8jz45g.xn--zckzah",
    "xn--straenblatt-y6a.de": "xn--straenblatt-y6a.de",
    "XN--FA-HIA.de": "xn--fa-hia.de",
    "例.xn--fiqs8s": "xn--fsq.xn--fiqs8s",
}


@pytest.mark.parametrize(("host", "expected"), SAME.items())
def test_hosts_are_read_as_browsers_read_them(host: str, expected: str) -> None:
    """Every spelling leads to the host that a browser contacts."""
    assert browsers(host) == expected
    assert to_ascii_host(host) == expected


@pytest.mark.parametrize(
    "host",
    [
        "a\u200cb.com",
        "a\u200db.com",
        "\u0301a.com",
        "اa.com",
        "ab\u2100.com",
        "a%2Fb.com",
        "a%00b.com",
        "a%ff.com",
        "a%20b.com",
        "é.xn--a.com",
        "é.xn--ab-j1t.com",
        "xn--é.com",
        "\u2488com.org",
        "a\u2024\u2024b.com",
        "☕.[::1]",
        "exa mple.org",
        "ex\ufffdample.org",
        "é#.com",
    ],
)
def test_hosts_that_browsers_refuse_are_refused(host: str) -> None:
    """Joiners without a meaning, marks without a letter, mixed directions, invalid bytes.

    Also percent-encoded delimiters.
    """
    assert browsers(host) is None or "#" in host or ".." in (browsers(host) or "")
    assert to_ascii_host(host) is None


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "0x7f.0.0.0x1",
        "017700000001",
        "2130706433",
        "0300.0250.1.1",
        "１２７。０。０。１",
        "①②⑦.1",
        "127%2e0.0.1",
        "127.0.0.1.",
        "1.2.3.4.5",
        "example.0x1",
        "example.1",
        "localhost",
        "[::1]",
        "",
        ".",
        "..",
        "example..org",
        "example.org..",
        ".example.org",
        "-x.example",
        "x-.example",
        "a" * 64 + ".example",
        "a.b",
        "ä" * 80 + ".example",
        "a." * 130 + "example",
        "x" * 2000 + "é.example",
    ],
)
def test_hosts_that_are_not_registered_names_are_refused(host: str) -> None:
    """Numbers in any notation, local names, labels that are empty, too long or begin with '-'."""
    assert to_ascii_host(host) is None


LABELS = (
    "abxnz-1_%ßςüéÅ漢字かな。．\u200c\u200dبیकश्රියී💩❤\ufe0fẞıİΣﬁ½①\u00ad\u200b\u0301אב١ーＡ\u1e9e"
)
HOSTS = st.lists(
    st.text(st.sampled_from(LABELS), min_size=1, max_size=6)
    | st.sampled_from(["xn--fa-hia", "xn--a", "%C3%A9"]),
    min_size=1,
    max_size=3,
)


def is_as_browsers_say(host: str) -> None:
    """We read a host as a browser does, or refuse it.

    We refuse more than a browser only for right-to-left labels, because Ada is laxer than UTS #46.
    """
    theirs, ours = browsers(host), to_ascii_host(host)
    if ours is not None:
        assert ours == theirs
    elif not regex.search(r"\p{Bidi_Class=R}|\p{Bidi_Class=AL}|\p{Bidi_Class=AN}", host):
        assert theirs is None or not is_registered(theirs)


WHOLE_HOSTS = HOSTS.map(lambda labels: ".".join([*labels, "org"]))


@settings(max_examples=300)
@given(WHOLE_HOSTS)
def test_a_generated_host_is_read_as_browsers_read_it_or_refused(host: str) -> None:
    """A quick sample of all kinds of labels."""
    is_as_browsers_say(host)


@pytest.mark.slow
@settings(max_examples=5000)
@given(WHOLE_HOSTS)
def test_many_generated_hosts_are_read_as_browsers_read_them_or_refused(host: str) -> None:
    """Enough examples for combinations of kinds."""
    is_as_browsers_say(host)


@pytest.mark.parametrize(
    "label",
    [
        "xn--Mnchen-3ya",  # decoded, it is not in lower case
        "xn--mnchen-3YA",  # Punycode's digits have another spelling
        "xn--abc-",  # nothing but ASCII
    ],
)
def test_a_label_has_one_valid_spelling(label: str) -> None:
    """Otherwise one host would have several names."""
    assert _to_ascii_label("xn--mnchen-3ya") == "xn--mnchen-3ya"
    with pytest.raises(ValueError, match=r"label|own form"):
        _to_ascii_label(label)

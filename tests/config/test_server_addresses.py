"""Hosts and sockets that cannot be, judged by the standard library and the kernel."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.config.server_addresses import MAX_SOCKET_BYTES, check_host, check_socket, check_utf8

_PART = st.one_of(
    st.sampled_from(["", "a", "db-1", "ho_st", "jürgen", "東京", "x" * 63, "x" * 64, "ü" * 60]),
    st.text(max_size=5),
)


@given(st.lists(_PART, min_size=1, max_size=4).map(".".join))
def test_a_host_that_cannot_be_looked_up_is_refused(host):
    """No host passes for which Python's own look-up does not even ask. The host is not repeated."""
    try:
        socket.getaddrinfo(host, 1, flags=socket.AI_NUMERICHOST)
    except OSError:
        return  # it is a name, and this flag asks nobody
    except ValueError:
        with pytest.raises(ValueError, match=r"^has a host that cannot be looked up: ") as refusal:
            check_host(host)
        assert len(host) < 5 or host not in str(refusal.value)


@pytest.mark.parametrize(
    "host",
    ["localhost", "db.example.org", "db.example.org.", "ho_st", "127.0.0.1", "::1", "fe80::1%eth0"]
    + ["उदाहरण.परीक्षा", "jürgen.example", "x" * 63 + ".org", "xn--jrgen-kva.example"],
)
def test_hosts_and_addresses_pass(host):
    """Also with a final dot, an underscore, letters outside ASCII, and the name of an interface."""
    check_host(host)


@pytest.mark.parametrize(
    "host", ["", ".", "a..b", ".a", "a b", "a\tb", "a\nb", "a/b", "a;b", "a=b", "a." * 127]
)
def test_other_texts_are_no_hosts(host):
    """Some of them would be asked for, and nobody would ever know them."""
    with pytest.raises(ValueError, match="has a host that cannot be looked up"):
        check_host(host)


def test_the_kernel_and_we_agree_on_paths_of_sockets():
    """The longest path is refused only because nobody listens there."""
    longest = "/" + "x" * (MAX_SOCKET_BYTES - 1)
    check_socket(longest)
    with socket.socket(socket.AF_UNIX) as client:
        with pytest.raises(FileNotFoundError):
            client.connect(longest)
        for path in (longest + "x", "/" + "ü" * 54, "/a\0b"):
            with pytest.raises((OSError, ValueError), match=r"too long|null byte|refused|No such"):
                client.connect(path)
            with pytest.raises(ValueError, match="more than 107 bytes, or a NUL"):
                check_socket(path)


def test_what_is_sent_is_utf8():
    """A name outside ASCII is; bytes that Python could not decode are not."""
    check_utf8("user", "jürgen")
    check_utf8("user", None)
    with pytest.raises(ValueError, match="has a user that is not UTF-8"):
        check_utf8("user", "j\udcffrgen")

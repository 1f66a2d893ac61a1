"""Which addresses a channel takes."""

import pytest

from newsintel.domain.alerts.channels import ChannelKind, find_address_fault

GOOD = [
    ("webhook", "https://receiver.example/hook?token=1"),
    ("webhook", "http://receiver.example:8080/"),
    ("webhook", "https://[2606:4700::1111]/hook"),
    ("email", "alice@example.org"),
    ("email", "alice+news@mail.example.co.uk"),
    ("email", "o'hara@xn--bcher-kva.example"),
    ("ntfy", "https://ntfy.sh/mytopic"),
    ("ntfy", "http://push.example:8080/a-B_9?auth=QmVhcmVyIHg"),
    ("apprise", "http://apprise.example:8000/notify/apprise"),
    ("apprise", "https://example.org/apprise/notify/KEY-1/"),
    ("feed", ""),
]
BAD = [
    ("webhook", "", "is neither http nor https"),
    ("webhook", "ftp://x.example/", "is neither http nor https"),
    ("webhook", "javascript:alert(1)", "is neither http nor https"),
    ("webhook", "https://me:pw@x.example/", "is an address with a password"),
    ("webhook", "https://x.example/#a", "is an address with a fragment"),
    ("webhook", "https://x.example/ü", "must be an address in ASCII without spaces"),
    ("webhook", "https://x.example/a b", "must be an address in ASCII without spaces"),
    ("webhook", "https://x.example/\r\nHost: y", "must be an address in ASCII without spaces"),
    ("webhook", "https://" + "x" * 3000, "is not an address"),
    ("email", "alice", "must be an e-mail address"),
    ("email", "alice@localhost", "must be an e-mail address"),
    ("email", "alice@127.0.0.1", "must be an e-mail address"),
    ("email", "a@b.org,c@d.org", "must be an e-mail address"),
    ("email", "alice@example.org\nBcc: bob@example.org", "must be an e-mail address"),
    ("email", "Alice <alice@example.org>", "must be an e-mail address"),
    ("email", "a" * 65 + "@example.org", "must be an e-mail address"),
    ("email", "a@" + "b" * 60 + "." + "c.d" * 80 + ".org", "must be an e-mail address"),
    ("ntfy", "https://ntfy.sh/", "must be the address of a topic"),
    ("ntfy", "https://ntfy.sh/a/b", "must be the address of a topic"),
    ("ntfy", "https://ntfy.sh/" + "a" * 65, "must be the address of a topic"),
    ("ntfy", "mailto:a@b.org", "is neither http nor https"),
    ("apprise", "https://x.example/notify/", "must be the address of a key"),
    ("apprise", "https://x.example/KEY", "must be the address of a key"),
    ("feed", "https://x.example/", "must be left out"),
]


@pytest.mark.parametrize(("kind", "address"), GOOD)
def test_addresses_that_a_channel_can_have(kind, address):
    """As their documentation writes them."""
    assert find_address_fault(ChannelKind(kind), address) is None


@pytest.mark.parametrize(("kind", "address", "fault"), BAD)
def test_addresses_that_it_cannot_have(kind, address, fault):
    """Each has its reason."""
    assert (find_address_fault(ChannelKind(kind), address) or "").startswith(fault)

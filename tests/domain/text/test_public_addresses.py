"""Public and other addresses, by the registries of IANA for special purposes."""

import pytest

from newsintel.domain.text.public_addresses import is_public

PUBLIC = "8.8.8.8 93.184.215.14 2606:4700::1111 2a00:1450:4001::8a 64:ff9b::808:808"
OTHER = (
    "0.0.0.0 10.0.0.1 100.64.0.1 127.0.0.1 127.1.2.3 169.254.169.254 172.16.0.1 172.31.255.255 "
    "192.0.0.1 192.0.2.1 192.168.0.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.1.1.1 "
    "240.0.0.1 255.255.255.255 :: ::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:8.8.8.8 ::10.0.0.1 "
    "64:ff9b::10.0.0.1 64:ff9b:1::808:808 100::1 2001::1 2001:db8::1 2001:0:7f00:1::1 "
    "2002:7f00:1:: 2002:808:808:: fc00::1 fd12::1 fe80::1 fe80::1%eth0 fec0::1 ff02::1"
)


@pytest.mark.parametrize("address", PUBLIC.split())
def test_public_addresses(address):
    """Also behind NAT64, where a public IPv4 address looks like this (RFC 6052)."""
    assert is_public(address)


@pytest.mark.parametrize("address", [*OTHER.split(), "", "localhost", "0x7f.1", "127.1", "8.8.8"])
def test_other_addresses(address):
    """RFC 6890 and its updates; and what is not an address."""
    assert not is_public(address)

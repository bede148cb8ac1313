"""Which addresses are public, and what the allow-list admits."""

from ipaddress import IPv4Network, IPv6Network, ip_address

import pytest

from automate_api.security.addresses import is_public, parse_address, parse_allow_list, parse_entry

PUBLIC = [
    "1.1.1.1", "8.8.8.8", "93.184.216.34", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0",
    "192.0.1.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "2606:4700::1111", "2a00:1450:4001::200e",
    "2001:200::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1",
]  # fmt: skip

NOT_PUBLIC = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254",
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.8", "192.0.0.170", "192.0.2.1",
    "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1",
    "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "::1", "::7f00:1", "::ffff:127.0.0.1",
    "::ffff:169.254.169.254", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::808:808",
    "100::1", "100:0:0:1::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:2::1", "2001:10::1",
    "2001:20::1", "2001:db8::1", "2002:7f00:1::1", "2002:a9fe:a9fe::1", "2002:c0a8:1::1", "3fff::1", "5f00::1",
    "4000::1", "fc00::1", "fd12:3456::1", "fe80::1", "fec0::1", "ff02::1", "ff0e::1",
]  # fmt: skip


@pytest.mark.parametrize("text", PUBLIC)
def test_a_public_unicast_address_is_public(text: str) -> None:
    assert is_public(ip_address(text))


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_a_special_purpose_address_is_not_public(text: str) -> None:
    assert not is_public(ip_address(text))


def test_an_address_with_a_scope_is_not_public() -> None:
    assert not is_public(ip_address("2606:4700::1111%eth0"))
    assert parse_address("fe80::1%eth0") is None


@pytest.mark.parametrize("text", ["127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.1 ", "", "localhost"])
def test_only_the_canonical_spelling_is_an_address(text: str) -> None:
    assert parse_address(text) is None


def test_a_mapped_address_is_the_one_it_stands_for() -> None:
    assert parse_address("::ffff:127.0.0.1") == ip_address("127.0.0.1")


@pytest.mark.parametrize(
    ("entry", "meaning"),
    [
        ("Models.Internal", ("models.internal", None)),
        ("models.internal.", ("models.internal", None)),
        ("models.internal:8443", ("models.internal", 8443)),
        ("bücher.example", ("xn--bcher-kva.example", None)),
        ("127.0.0.1", (IPv4Network("127.0.0.1"), None)),
        ("127.0.0.1:11434", (IPv4Network("127.0.0.1"), 11434)),
        ("::1", (IPv6Network("::1"), None)),
        ("[::1]", (IPv6Network("::1"), None)),
        ("[::1]:80", (IPv6Network("::1"), 80)),
        ("[::ffff:10.0.0.1]:80", (IPv4Network("10.0.0.1"), 80)),
        ("10.1.0.0/16", (IPv4Network("10.1.0.0/16"), None)),
        ("fd00::/8", (IPv6Network("fd00::/8"), None)),
    ],
)
def test_an_entry_is_a_name_or_a_network_with_a_port(entry: str, meaning: object) -> None:
    assert parse_entry(entry) == meaning


BAD_ENTRIES = [
    "", " ", "http://models.internal", "models.internal/v1", "10.1.2.3/16", "a b", "user@host", "host:99999", "host:0",
    "127.1", "0x7f000001", "*", "*.internal", "[::1", "host?x", "host#x", "::1%lo",
]  # fmt: skip


@pytest.mark.parametrize("entry", BAD_ENTRIES)
def test_an_entry_that_cannot_be_read_says_so_and_admits_nothing(entry: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_entry(entry)
    allowed = parse_allow_list((entry,))
    assert (allowed.names, allowed.networks) == (frozenset(), ())


def test_a_name_is_trusted_for_its_port_whatever_it_resolves_to() -> None:
    allowed = parse_allow_list(("one.internal", "two.internal:8000"))
    assert allowed.admits_name("one.internal", 1)
    assert allowed.admits_name("two.internal", 8000)
    assert not allowed.admits_name("two.internal", 8001)
    assert not allowed.admits_name("sub.one.internal", 1)
    assert not allowed.admits_address(ip_address("10.0.0.1"), 1)


def test_an_address_is_admitted_for_its_port() -> None:
    allowed = parse_allow_list(("127.0.0.1:8000", "10.1.0.0/16", "[::1]:80"))
    assert allowed.admits_address(ip_address("127.0.0.1"), 8000)
    assert not allowed.admits_address(ip_address("127.0.0.1"), 8001)
    assert not allowed.admits_address(ip_address("127.0.0.2"), 8000)
    assert allowed.admits_address(ip_address("10.1.255.255"), 5)
    assert not allowed.admits_address(ip_address("10.2.0.0"), 5)
    assert allowed.admits_address(ip_address("::1"), 80)

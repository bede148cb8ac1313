"""Which addresses are public, and which others the host has admitted.

`ipaddress.is_global` is not relied upon: what it says differs between Python versions, and it does not look into
addresses that carry another one. The blocks below follow the IANA IPv4 and IPv6 special-purpose address registries
(RFC 6890, RFC 8190).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from yarl import URL

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_PRIVATE_V4 = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_GLOBAL_UNICAST_V6 = IPv6Network("2000::/3")
# 2001::/23 holds Teredo, benchmarking and ORCHID; 2001:db8::/32 and 3fff::/20 are for documentation.
_PRIVATE_V6 = tuple(IPv6Network(block) for block in ("2001::/23", "2001:db8::/32", "3fff::/20"))
_MAPPED = IPv6Network("::ffff:0:0/96")
_NAT64 = IPv6Network("64:ff9b::/96")
_6TO4 = IPv6Network("2002::/16")

_HOST_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


@lru_cache(maxsize=4096)
def parse_address(text: str) -> Address | None:
    """The address that `text` spells in canonical form, None if it spells none.

    An IPv4-mapped one is given as the IPv4 address it stands for. A scope id (`fe80::1%eth0`) makes it none: such an
    address is never public.
    """
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return None if address.scope_id else address.ipv4_mapped or address
    return address


@lru_cache(maxsize=4096)
def is_public(address: Address) -> bool:
    """Whether `address` is a unicast address of the public internet, and so is an IPv4 address that it carries.

    IPv4-mapped (RFC 4291), NAT64 with the well-known prefix (RFC 6052) and 6to4 (RFC 3056) are looked into; Teredo and
    the local NAT64 prefix (RFC 8215) are refused.
    """
    if isinstance(address, IPv4Address):
        return not any(address in block for block in _PRIVATE_V4)
    if address.scope_id:
        return False
    if address in _MAPPED or address in _NAT64:
        return is_public(IPv4Address(address.packed[12:]))
    if address in _6TO4:
        return is_public(IPv4Address(address.packed[2:6]))
    return address in _GLOBAL_UNICAST_V6 and not any(address in block for block in _PRIVATE_V6)


def is_host_name(host: str) -> bool:
    """Whether `host`, in lower case, is a name (RFC 1123, and underscores) that no resolver takes for a number.

    A name that ends in a number is one (WHATWG URL, section 3.5): `127.1`, `2130706433`, `0x7f000001`.
    """
    return len(host) <= 253 and bool(_HOST_NAME.fullmatch(host)) and not _NUMBER.fullmatch(host.rpartition(".")[2])


@dataclass(frozen=True, slots=True)
class AllowList:
    """What `AUTOMATE_API_PRIVATE_HOSTS` admits; a port of None stands for every port."""

    names: frozenset[tuple[str, int | None]]
    networks: tuple[tuple[Network, int | None], ...]

    def admits_name(self, host: str, port: int) -> bool:
        """Whether calls to the name `host` are trusted, whatever it resolves to."""
        return (host, None) in self.names or (host, port) in self.names

    def admits_address(self, address: Address, port: int) -> bool:
        """Whether calls to `address` are."""
        return any(admitted in (None, port) and address in network for network, admitted in self.networks)


def parse_entry(entry: str) -> tuple[str | Network, int | None]:
    """One entry of the setting as a name or a network, and a port.

    Forms: `host`, `host:port`, an IPv4 address or `address:port`, `::1`, `[::1]`, `[::1]:port`, a CIDR network.
    Raises ValueError for anything else.
    """
    if "/" in entry:
        return ip_network(entry), None
    if (address := parse_address(entry)) is not None:
        return ip_network(address), None
    url = URL(f"http://{entry}")
    host = (url.raw_host or "").removesuffix(".")
    address = parse_address(host)
    if url != url.origin() or entry.endswith(":") or url.port == 0 or (address is None and not is_host_name(host)):
        raise ValueError("not a host, an address, or a network")
    return host if address is None else ip_network(address), url.explicit_port


def _readable(entries: Iterable[str]) -> Iterable[tuple[str | Network, int | None]]:
    for entry in entries:
        try:
            yield parse_entry(entry)
        except ValueError:
            # What cannot be read admits nothing; the system check names it.
            continue


@lru_cache(maxsize=16)
def parse_allow_list(entries: tuple[str, ...]) -> AllowList:
    """The allow-list that `entries` spell. An entry that cannot be read admits nothing."""
    parsed = list(_readable(entries))
    return AllowList(
        names=frozenset((what, port) for what, port in parsed if isinstance(what, str)),
        networks=tuple((what, port) for what, port in parsed if not isinstance(what, str)),
    )

"""The outbound guard: which URLs, addresses and connections may be used.

What is checked is what is connected to: the URL's syntax before anything else, each resolved address in the resolver,
the very socket address when the socket is made, and the connection's peer, new or kept alive, before a byte of the
request is written. `AUTOMATE_API_PRIVATE_HOSTS` is read for each of these, so that a host taken off the list is not
reached over a connection that was opened before.
"""

import asyncio
import re
import socket
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.connector import Connection
from yarl import URL

from automate_api.conf import settings
from automate_api.exceptions import OutboundBlocked
from automate_api.security.addresses import Address, is_host_name, is_public, parse_address, parse_allow_list

MAX_URL_LENGTH = 2048

_LOOPBACK = (IPv4Address("127.0.0.1"), IPv6Address("::1"))

_UNSAFE_IN_URL = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a URL leads: its normalized form, and the address where the host is one."""

    url: URL
    host: str
    port: int
    address: Address | None


class Connecting:
    """One attempt to connect: what the hooks of the connector are told, and what they say."""

    __slots__ = ("blocked", "host", "opened")

    def __init__(self, host: str) -> None:
        self.host = host
        self.blocked = False
        self.opened = False


connecting: ContextVar[Connecting | None] = ContextVar("automate_api_connecting", default=None)

#: Whether the call that is made may go to public addresses alone, whatever the allow-list says.
public_only: ContextVar[bool] = ContextVar("automate_api_public_only", default=False)


def _split_url(text: str) -> URL:
    """The URL that `text` spells; OutboundBlocked for whatever two parsers might read differently."""
    if len(text) > MAX_URL_LENGTH or _UNSAFE_IN_URL.search(text):
        raise OutboundBlocked
    scheme, separator, rest = text.partition("://")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if scheme.lower() not in ("http", "https") or not separator or "@" in authority or "%" in authority:
        raise OutboundBlocked
    try:
        return URL(text)
    except ValueError:
        raise OutboundBlocked from None


@lru_cache(maxsize=256)
def parse_url(text: str) -> Destination:
    """Where `text` leads, by its syntax alone. A trailing dot of the host is dropped.

    Raises OutboundBlocked for another scheme than http and https, credentials, a backslash, whitespace or control
    characters, a bad host or port, and an IPv4 address in another spelling than four decimal numbers.
    """
    url = _split_url(text)
    host, port = (url.raw_host or "").removesuffix("."), url.port
    address = parse_address(host)
    if not port or (address is None and not is_host_name(host)):
        raise OutboundBlocked
    if host != url.raw_host:
        url = url.with_host(host)
    return Destination(url, host, port, address)


def admits(host: str, port: int, address: Address | None) -> bool:
    """Whether a connection to `address` may be used for a call to `host`; None is an address nobody could read."""
    if public_only.get():
        return address is not None and is_public(address)
    allowed = parse_allow_list(tuple(settings.private_hosts))
    if allowed.admits_name(host, port):
        return True
    return address is not None and (is_public(address) or allowed.admits_address(address, port))


def _literal_addresses(destination: Destination) -> tuple[Address, ...]:
    """The addresses a destination has without asking a resolver."""
    if destination.address is not None:
        return (destination.address,)
    return _LOOPBACK if destination.host.rpartition(".")[2] == "localhost" else ()


def check_url(url: str) -> Destination:
    """Where `url` leads, judged as far as that goes without resolving its name; raises OutboundBlocked."""
    destination = parse_url(url)
    addresses = _literal_addresses(destination)
    if addresses and not any(admits(destination.host, destination.port, address) for address in addresses):
        raise OutboundBlocked
    return destination


def validate_url(url: str) -> URL:
    """The normalized form of `url`, if calls to it are conceivable; raises OutboundBlocked if not.

    Syntax and literal addresses are judged here; what a name resolves to is judged when it is connected to.
    """
    return check_url(str(url)).url


class Resolver(AbstractResolver):
    """The system's resolver, whose every answer must be admitted: one private address refuses the name."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
        answers = [
            ResolveResult(
                hostname=host,
                host=str(sockaddr[0]),
                port=port,
                family=kind,
                proto=proto,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _type, proto, _name, sockaddr in found
            if kind in (socket.AF_INET, socket.AF_INET6)
        ]
        if not answers:
            raise OSError("the name has no address")
        if not all(admits(host, port, parse_address(answer["host"])) for answer in answers):
            raise OutboundBlocked
        return answers

    async def close(self) -> None:
        """Nothing is held."""


def make_socket(addr_info: tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int]]) -> socket.socket:
    """A socket for the address about to be connected to; the last look at that address."""
    family, kind, proto, _name, sockaddr = addr_info
    attempt = connecting.get()
    scoped = len(sockaddr) > 3 and sockaddr[3]
    if attempt is None or scoped or not admits(attempt.host, sockaddr[1], parse_address(sockaddr[0])):
        if attempt is not None:
            attempt.blocked = True
        # An OSError, since that is what the connector expects of a socket that cannot be had.
        raise PermissionError("outbound address refused")
    attempt.opened = True
    return socket.socket(family=family, type=kind, proto=proto)


class GuardedRequest(aiohttp.ClientRequest):
    """A request that looks at its connection's peer before it writes, the connection being new or kept alive."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        peer = None if conn.transport is None else conn.transport.get_extra_info("peername")
        if peer is None:
            raise aiohttp.ServerDisconnectedError
        if not admits(self.host, peer[1], parse_address(peer[0])):
            raise OutboundBlocked
        return await super().send(conn)

"""What a process tried to connect to, who would have seen it, and another resolver: for tests of outbound calls."""

import asyncio
import ipaddress
import socket
import sys
from collections.abc import Awaitable
from typing import Any

import pytest

from automate_api.security.outbound import Timeouts, request

PATIENT = Timeouts(connect=5, first_byte=10, idle=10, total=20)
# One address, as Pythons before 3.13 spell it and as later ones do.
MAPPED = ("::ffff:7f00:1", "::ffff:127.0.0.1")

watches: list["Watch"] = []


class Watch:
    """Every address that this process tried to connect to; what is not loopback is refused before a packet leaves."""

    def __init__(self) -> None:
        self.addresses: list[tuple[str, int]] = []


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if event == "socket.connect" and watches and isinstance(args[1], tuple):
        host, port = args[1][:2]
        watches[-1].addresses.append((host, port))
        if not ipaddress.ip_address(host).is_loopback and host not in MAPPED:
            raise ConnectionRefusedError


sys.addaudithook(_audit)


def has_ipv6() -> bool:
    """Whether this machine has an IPv6 loopback."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


class Listeners:
    """Sockets that listen on 127.0.0.1 and ::1 at one port. Whoever connects stays in the backlog until asked for."""

    def __init__(self) -> None:
        self.sockets = [socket.create_server(("127.0.0.1", 0))]
        self.port: int = self.sockets[0].getsockname()[1]
        if has_ipv6():
            self.sockets.append(socket.create_server(("::1", self.port), family=socket.AF_INET6))
        for listening in self.sockets:
            listening.setblocking(False)

    def connections(self) -> int:
        """How many connections have come since the last question."""
        return sum(self._accepted(listening) for listening in self.sockets)

    def _accepted(self, listening: socket.socket) -> int:
        count = 0
        while True:
            try:
                listening.accept()[0].close()
            except BlockingIOError:
                return count
            count += 1

    async def hang_up_on(self, caller: Awaitable[object], *, ipv6: bool = False) -> object:
        """Take the connection that `caller` makes and close it; what `caller` then raises is returned."""
        task = asyncio.ensure_future(caller)
        async with asyncio.timeout(10):
            accepted, _address = await asyncio.get_running_loop().sock_accept(self.sockets[1 if ipv6 else 0])
        accepted.close()
        return (await asyncio.gather(task, return_exceptions=True))[0]

    def close(self) -> None:
        for listening in self.sockets:
            listening.close()


def resolve_to(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> None:
    """Put a resolver in the place of the system's: each lookup takes the next answer, the last one stays."""
    left = list(answers)

    def getaddrinfo(host: str, port: int, *args: Any, **kwargs: Any) -> list[tuple[Any, ...]]:
        addresses = left.pop(0) if len(left) > 1 else left[0]
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0))
            if ":" in address
            else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in addresses
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


async def fetch(url: str, *, timeouts: Timeouts = PATIENT, **kwargs: Any) -> bytes:
    """The body of the answer to a POST."""
    async with request("POST", url, data=b"{}", timeouts=timeouts, **kwargs) as response:
        return await response.read()

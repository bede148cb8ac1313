"""Nothing private is ever connected to, unless the host says so; and what an exchange promises."""

import asyncio
import socket
import sys
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psutil
import pytest

from automate_api.exceptions import (
    AutomateError,
    OutboundBlocked,
    UpstreamBrokeOff,
    UpstreamError,
    UpstreamInvalid,
    UpstreamTimeout,
    UpstreamTooLarge,
    UpstreamUnavailable,
)
from automate_api.security import guard, outbound
from automate_api.security.outbound import Timeouts, request, validate_url
from tests.upstream import FakeUpstream

PATIENT = Timeouts(connect=5, first_byte=10, idle=10, total=20)
HASTY = Timeouts(connect=0.3, first_byte=0.3, idle=0.3, total=0.3)
PUBLIC = "93.184.216.34"

_watches: list["Watch"] = []


class Watch:
    """Every address that this process tried to connect to; what is not loopback is refused before a packet leaves."""

    def __init__(self) -> None:
        self.addresses: list[tuple[str, int]] = []


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if event == "socket.connect" and _watches and isinstance(args[1], tuple):
        host, port = args[1][:2]
        _watches[-1].addresses.append((host, port))
        if host not in ("127.0.0.1", "::1", "::ffff:7f00:1"):
            raise ConnectionRefusedError


sys.addaudithook(_audit)


@pytest.fixture
def watch() -> Iterator[Watch]:
    """What is connected to during the test."""
    seen = Watch()
    _watches.append(seen)
    yield seen
    _watches.remove(seen)


class Listeners:
    """Sockets that listen on 127.0.0.1 and ::1 at one port. Whoever connects stays in the backlog until asked for."""

    def __init__(self) -> None:
        self.sockets = [socket.create_server(("127.0.0.1", 0))]
        self.port: int = self.sockets[0].getsockname()[1]
        if socket.has_ipv6:
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

    def close(self) -> None:
        for listening in self.sockets:
            listening.close()


@pytest.fixture
def listeners() -> Iterator[Listeners]:
    with closing(Listeners()) as both:
        yield both


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


async def fetch(url: str, *, timeouts: Timeouts = HASTY, **kwargs: Any) -> bytes:
    async with request("POST", url, data=b"{}", timeouts=timeouts, **kwargs) as response:
        return await response.read()


CORPUS = [
    "http://127.0.0.1:{port}/",
    "http://127.1:{port}/",
    "http://127.0.1:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f000001:{port}/",
    "http://0x7f.0.0.1:{port}/",
    "http://0x7f.1:{port}/",
    "http://017700000001:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://127.0.0.01:{port}/",
    "http://127.0.0.1.:{port}/",
    "http://127.0.0.1..:{port}/",
    "http://0:{port}/",
    "http://0.0.0.0:{port}/",
    "http://127.255.255.254:{port}/",
    "http://[::1]:{port}/",
    "http://[::]:{port}/",
    "http://[0:0:0:0:0:0:0:1]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[::127.0.0.1]:{port}/",
    "http://[64:ff9b::7f00:1]:{port}/",
    "http://[64:ff9b::127.0.0.1]:{port}/",
    "http://[64:ff9b:1::7f00:1]:{port}/",
    "http://[2002:7f00:1::]:{port}/",
    "http://[2001:0:7f00:1::1]:{port}/",
    "http://[::1%25lo]:{port}/",
    "http://[::1%lo]:{port}/",
    "http://[fe80::1]:{port}/",
    "http://[fd00::1]:{port}/",
    "http://[ff02::1]:{port}/",
    "http://localhost:{port}/",
    "http://LOCALHOST:{port}/",
    "http://localhost.:{port}/",
    "http://localhost..:{port}/",
    "http://x.localhost:{port}/",
    "http://localhost.localdomain:{port}/",
    "http://ip6-localhost:{port}/",
    "http://a@127.0.0.1:{port}/",
    "http://@127.0.0.1:{port}/",
    "http://:@127.0.0.1:{port}/",
    "http://a:b@localhost:{port}/",
    "http://good.example@127.0.0.1:{port}/",
    "http://good.example:80@127.0.0.1:{port}/",
    "http://good\\@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}\\@good.example/",
    "http://good.example#@127.0.0.1:{port}/",
    "http:\\\\127.0.0.1:{port}/",
    "http:/127.0.0.1:{port}/",
    "http:127.0.0.1:{port}/",
    "http:///127.0.0.1:{port}/",
    "//127.0.0.1:{port}/",
    "127.0.0.1:{port}",
    " http://127.0.0.1:{port}/",
    "http://127.0.0.1:{port}/ ",
    "http://127.0.0.1\t:{port}/",
    "http://127.0.0.1\r\nHost: x:{port}/",
    "http://127.0.0.1\x00.example:{port}/",
    "http://\uff11\uff12\uff17.0.0.1:{port}/",
    "http://127\u30020\u30020\u30021:{port}/",
    "http://127\uff0e0\uff0e0\uff0e1:{port}/",
    "http://\u2460\u2461\u2466.0.0.1:{port}/",
    "http://\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3:{port}/",
    "http://loc\u00adalhost:{port}/",
    "http://good.example\uff20127.0.0.1:{port}/",
    "http://127.0.0.1\uff0fgood.example:{port}/",
    "http://%31%32%37.0.0.1:{port}/",
    "http://127%2e0%2e0%2e1:{port}/",
    "http://localhost%00:{port}/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://metadata.google.internal/",
    "http://100.64.0.1:{port}/",
    "http://100.127.255.254:{port}/",
    "http://10.0.0.1:{port}/",
    "http://172.16.0.1:{port}/",
    "http://192.168.0.1:{port}/",
    "http://255.255.255.255:{port}/",
    "https://127.0.0.1:{port}/",
    "https://localhost:{port}/",
    "ftp://127.0.0.1:{port}/",
    "gopher://127.0.0.1:{port}/_x",
    "ws://127.0.0.1:{port}/",
    "unix:///run/docker.sock",
    "http+unix://%2frun%2fdocker.sock/info",
    "file:///etc/passwd",
    "file://127.0.0.1/etc/passwd",
    "data:text/plain,x",
    "javascript:alert(1)",
    "",
    "http://",
    "http://127.0.0.1:0/",
    "http://127.0.0.1:99999/",
    "http://127.0.0.1:+{port}/",
    "http://127.0.0.1:{port}:{port}/",
    "http://[127.0.0.1]:{port}/",
    "http://[::1:{port}/",
    "http://\ud800.example:{port}/",
    "http://" + "a" * 64 + ".example:{port}/",
    "http://" + "a." * 127 + "example:{port}/",
    "http://good.example/" + "a" * 2048,
    "http://-.example:{port}/",
    "http://good..example:{port}/",
]


@pytest.mark.parametrize("url", CORPUS)
async def test_the_corpus_makes_no_connection(
    url: str, listeners: Listeners, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(monkeypatch, ["127.0.0.1"])
    with pytest.raises(OutboundBlocked):
        await fetch(url.replace("{port}", str(listeners.port)))
    assert watch.addresses == []
    assert listeners.connections() == 0


@pytest.mark.parametrize(
    ("url", "entry"),
    [
        ("http://127.0.0.1:{port}/", "127.0.0.1"),
        ("http://127.0.0.1:{port}/", "127.0.0.1:{port}"),
        ("http://127.0.0.1:{port}/", "127.0.0.0/8"),
        ("http://127.0.0.1.:{port}/", "127.0.0.1"),
        ("http://[::ffff:127.0.0.1]:{port}/", "127.0.0.1"),
        ("http://localhost:{port}/", "localhost:{port}"),
        ("http://localhost:{port}/", "127.0.0.1"),
        ("http://LocalHost.:{port}/", "localhost"),
        ("http://models.internal:{port}/", "models.internal"),
        ("http://models.internal:{port}/", "127.0.0.1:{port}"),
    ],
)
async def test_an_admitted_host_is_connected_to(
    url: str, entry: str, listeners: Listeners, watch: Watch, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    resolve_to(monkeypatch, ["127.0.0.1"])
    settings.AUTOMATE_API_PRIVATE_HOSTS = [entry.replace("{port}", str(listeners.port))]
    with pytest.raises(UpstreamTimeout):
        await fetch(url.replace("{port}", str(listeners.port)))
    assert watch.addresses in ([("127.0.0.1", listeners.port)], [("::ffff:7f00:1", listeners.port)])
    assert listeners.connections() == 1


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
async def test_an_admitted_ipv6_address_is_connected_to(listeners: Listeners, watch: Watch, settings: Any) -> None:
    settings.AUTOMATE_API_PRIVATE_HOSTS = [f"[::1]:{listeners.port}"]
    with pytest.raises(UpstreamTimeout):
        await fetch(f"http://[::1]:{listeners.port}/")
    assert watch.addresses == [("::1", listeners.port)]
    assert listeners.connections() == 1


@pytest.mark.parametrize(
    ("url", "entry"),
    [
        ("http://127.0.0.1:{port}/", "127.0.0.1:1"),
        ("http://127.0.0.1:{port}/", "127.0.0.2"),
        ("http://127.0.0.1:{port}/", "localhost"),
        ("http://localhost:{port}/", "localhost:1"),
        ("http://models.internal:{port}/", "other.internal"),
        ("http://models.internal:{port}/", "internal"),
        ("http://models.internal:{port}/", "*.internal"),
        ("http://models.internal:{port}/", "127.0.0.1:1"),
    ],
)
async def test_an_entry_admits_nothing_else(
    url: str, entry: str, listeners: Listeners, watch: Watch, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    resolve_to(monkeypatch, ["127.0.0.1"])
    settings.AUTOMATE_API_PRIVATE_HOSTS = [entry]
    with pytest.raises(OutboundBlocked):
        await fetch(url.replace("{port}", str(listeners.port)))
    assert watch.addresses == []
    assert listeners.connections() == 0


@pytest.mark.parametrize("addresses", [[PUBLIC, "127.0.0.1"], ["127.0.0.1", PUBLIC], [PUBLIC, "2606:4700::1", "::1"]])
async def test_a_name_with_a_private_address_among_public_ones_is_refused(
    addresses: list[str], listeners: Listeners, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(monkeypatch, addresses)
    with pytest.raises(OutboundBlocked):
        await fetch(f"http://mixed.example:{listeners.port}/")
    assert watch.addresses == []
    assert listeners.connections() == 0


async def test_a_name_that_is_public_first_and_private_later_reaches_only_the_public_address(
    listeners: Listeners, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(monkeypatch, [PUBLIC], ["127.0.0.1"])
    url = f"http://rebinding.example:{listeners.port}/"
    validate_url(url)
    with pytest.raises(UpstreamUnavailable):
        await fetch(url)
    with pytest.raises(OutboundBlocked):
        await fetch(url)
    assert watch.addresses == [(PUBLIC, listeners.port)]
    assert listeners.connections() == 0


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["127.0.0.1", "::1"], ["127.0.0.1", "127.0.0.2", "127.0.0.3"]])
async def test_the_address_is_looked_at_again_where_the_socket_is_made(
    addresses: list[str], listeners: Listeners, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(monkeypatch, addresses)
    judge, judged = guard.admits, []

    def admits(host: str, port: int, address: Any) -> bool:
        judged.append(address)
        return len(judged) <= len(addresses) or judge(host, port, address)

    monkeypatch.setattr(guard, "admits", admits)
    with pytest.raises(OutboundBlocked):
        await fetch(f"http://deceived.example:{listeners.port}/")
    assert len(judged) > len(addresses)
    assert watch.addresses == []
    assert listeners.connections() == 0


async def test_a_proxy_in_the_environment_is_not_used(
    upstream: FakeUpstream, listeners: Listeners, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "WS_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{listeners.port}")
        monkeypatch.setenv(name.lower(), f"http://127.0.0.1:{listeners.port}")
    monkeypatch.setenv("NO_PROXY", "")
    assert b"chat" in await get_models(upstream)
    assert listeners.connections() == 0
    assert len(upstream.requests) == 1


async def test_no_proxy_in_the_environment_admits_nothing(
    listeners: Listeners, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost,*")
    with pytest.raises(OutboundBlocked):
        await fetch(f"http://127.0.0.1:{listeners.port}/")
    assert watch.addresses == []


async def test_credentials_of_a_netrc_are_not_sent(
    upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login user password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    await get_models(upstream)
    assert "authorization" not in upstream.requests[0].headers


async def test_a_redirect_is_an_answer_and_not_followed(upstream: FakeUpstream, watch: Watch) -> None:
    body = b'{"model": "redirect"}'
    async with request("POST", upstream.url + "/chat/completions", data=body, timeouts=PATIENT) as response:
        assert response.status == 302
        assert response.headers["Location"].startswith("http://169.254.169.254/")
    assert watch.addresses == [("127.0.0.1", upstream.port)]


async def get_models(upstream: FakeUpstream, **kwargs: Any) -> bytes:
    async with request("GET", upstream.url + "/models", timeouts=PATIENT, **kwargs) as response:
        return await response.read()


async def test_a_kept_connection_serves_the_next_exchange(upstream: FakeUpstream) -> None:
    await get_models(upstream)
    await get_models(upstream)
    assert [sent.connection.number for sent in upstream.requests] == [1, 1]


async def test_a_kept_connection_is_not_used_once_its_address_is_off_the_list(
    upstream: FakeUpstream, settings: Any
) -> None:
    await get_models(upstream)
    settings.AUTOMATE_API_PRIVATE_HOSTS = []
    with pytest.raises(OutboundBlocked):
        await get_models(upstream)
    assert len(upstream.requests) == 1


async def test_a_kept_connection_is_not_used_once_its_name_is_off_the_list(
    upstream: FakeUpstream, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(monkeypatch, ["127.0.0.1"])
    url = f"http://models.internal:{upstream.port}/v1/models"
    settings.AUTOMATE_API_PRIVATE_HOSTS = ["models.internal"]
    assert b"chat" in await fetch(url, timeouts=PATIENT)
    settings.AUTOMATE_API_PRIVATE_HOSTS = []
    with pytest.raises(OutboundBlocked):
        await fetch(url, timeouts=PATIENT)
    assert len(upstream.requests) == 1
    assert await asyncio.to_thread(upstream.connections[0].closed.wait, 10)


async def test_cookies_are_not_kept(upstream: FakeUpstream) -> None:
    upstream.answers["cookie"] = b"{}"
    body = b'{"model": "cookies"}'
    for _ in range(2):
        async with request("POST", upstream.url + "/chat/completions", data=body, timeouts=PATIENT) as response:
            await response.read()
            assert "Set-Cookie" in response.headers
    assert "cookie" not in upstream.requests[1].headers


@pytest.mark.parametrize("value", ["a\r\nX-Injected: 1", "a\nb", "a\x00b", "a\x7f", "ž", "\ud800"])
async def test_a_header_with_characters_that_may_not_be_sent_is_refused(value: str, upstream: FakeUpstream) -> None:
    with pytest.raises(OutboundBlocked):
        await get_models(upstream, headers={"X-Key": value})
    assert upstream.connections == []


async def test_a_large_body_arrives_whole(upstream: FakeUpstream) -> None:
    body = b'{"model": "status:400", "padding": "' + b"x" * 3 * 2**20 + b'"}'
    async with request("POST", upstream.url + "/chat/completions", data=body, timeouts=PATIENT) as response:
        assert response.status == 400
    assert upstream.requests[0].body == body


async def test_nobody_listening_is_unavailable(listeners: Listeners, settings: Any) -> None:
    listeners.close()
    settings.AUTOMATE_API_PRIVATE_HOSTS = ["127.0.0.1"]
    with pytest.raises(UpstreamUnavailable):
        await fetch(f"http://127.0.0.1:{listeners.port}/", timeouts=PATIENT)


async def test_a_name_that_does_not_resolve_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(*args: Any, **kwargs: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(UpstreamUnavailable):
        await fetch("http://nobody.example/", timeouts=PATIENT)


async def test_a_server_without_tls_is_unavailable_to_https(upstream: FakeUpstream) -> None:
    with pytest.raises(UpstreamUnavailable):
        await fetch(f"https://{upstream.host}/v1/models", timeouts=PATIENT)


def answer(model: str) -> bytes:
    return b'{"model": "%s", "stream": true, "messages": [{"content": ""}]}' % model.encode()


async def read(upstream: FakeUpstream, model: str, timeouts: Timeouts = PATIENT, **kwargs: Any) -> bytes:
    url = upstream.url + "/chat/completions"
    async with request("POST", url, data=answer(model), timeouts=timeouts, **kwargs) as response:
        return await response.read()


@pytest.mark.parametrize(
    ("model", "timeouts"),
    [
        ("silent", Timeouts(connect=9, first_byte=0.2, idle=9, total=9)),
        ("headonly", Timeouts(connect=9, first_byte=0.2, idle=9, total=9)),
        ("break:stall:0.5:chunked", Timeouts(connect=9, first_byte=9, idle=0.2, total=9)),
        ("silent", Timeouts(connect=9, first_byte=9, idle=9, total=0.2)),
        ("break:stall:0.5:chunked", Timeouts(connect=9, first_byte=9, idle=9, total=0.3)),
        ("chunks:100000:10", Timeouts(connect=9, first_byte=9, idle=9, total=0.3)),
        ("endless", Timeouts(connect=9, first_byte=9, idle=9, total=0.3)),
    ],
)
async def test_each_timeout_ends_the_exchange_and_the_connection(
    model: str, timeouts: Timeouts, upstream: FakeUpstream
) -> None:
    with pytest.raises(UpstreamTimeout):
        await read(upstream, model, timeouts, max_bytes=2**40)
    assert await asyncio.to_thread(upstream.connections[0].closed.wait, 10)


@pytest.mark.parametrize("model", ["endless", "longline"])
async def test_a_body_over_the_cap_is_too_large(model: str, upstream: FakeUpstream) -> None:
    with pytest.raises(UpstreamTooLarge):
        await read(upstream, model, max_bytes=2**20)
    assert await asyncio.to_thread(upstream.connections[0].closed.wait, 10)


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("drop:1", UpstreamBrokeOff),
        ("break:cut:0.02:chunked", UpstreamBrokeOff),
        ("break:reset:0.5:chunked", UpstreamBrokeOff),
        ("break:cut:0.5:chunked", UpstreamBrokeOff),
        ("break:cut:0.999:chunked", UpstreamBrokeOff),
        ("break:long:0.5:length", UpstreamBrokeOff),
        ("break:size:0.5:chunked", UpstreamError),
        ("badhead", UpstreamInvalid),
        ("longhead", UpstreamInvalid),
    ],
)
async def test_an_answer_that_breaks_http_is_an_error(
    model: str, error: type[AutomateError], upstream: FakeUpstream
) -> None:
    with pytest.raises(error):
        await read(upstream, model)


def established(upstream: FakeUpstream) -> list[Any]:
    """The client's side of this process's connections to the server."""
    return [
        connection
        for connection in psutil.Process().net_connections("tcp")
        if connection.raddr and connection.raddr.port == upstream.port and connection.status == "ESTABLISHED"
    ]


@pytest.mark.parametrize("model", ["silent", "headonly", "break:stall:0.5:chunked", "endless"])
async def test_a_cancelled_exchange_drops_its_connection_at_once(model: str, upstream: FakeUpstream) -> None:
    task = asyncio.create_task(read(upstream, model))
    assert await asyncio.to_thread(upstream.until, lambda: upstream.requests)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(upstream.connections[0].closed.wait, 2)


async def test_a_cancelled_exchange_drops_its_connection_though_the_server_does_not_read(
    upstream: FakeUpstream,
) -> None:
    body = b"x" * 2**24
    exchange = request("POST", upstream.deaf_url + "/chat/completions", data=body, timeouts=PATIENT)
    task = asyncio.create_task(exchange.open())
    assert await asyncio.to_thread(upstream.until, lambda: upstream.requests)
    assert established(upstream)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)
    assert not established(upstream)


async def test_an_exchange_left_early_drops_its_connection_at_once(upstream: FakeUpstream) -> None:
    url = upstream.url + "/chat/completions"
    async with request("POST", url, data=answer("chunks:1000:50"), timeouts=PATIENT) as response:
        assert await response.next_chunk()
    assert await asyncio.to_thread(upstream.connections[0].closed.wait, 2)


def test_the_session_is_closed_with_its_loop(upstream: FakeUpstream) -> None:
    asyncio.run(get_models(upstream))
    asyncio.run(get_models(upstream))
    assert upstream.until(lambda: not upstream.open_connections)
    assert len(outbound._sessions) == 0


async def test_a_closed_session_is_followed_by_another(upstream: FakeUpstream) -> None:
    await get_models(upstream)
    await outbound.close()
    await outbound.close()
    await get_models(upstream)
    assert [sent.connection.number for sent in upstream.requests] == [1, 2]


@pytest.mark.parametrize(
    ("url", "normalized"),
    [
        ("https://api.example/v1", "https://api.example/v1"),
        ("HTTPS://API.Example./v1/", "https://api.example/v1/"),
        ("https://b\u00fccher.example:8443/a b".replace(" ", "%20"), "https://xn--bcher-kva.example:8443/a%20b"),
        ("http://8.8.8.8:80/", "http://8.8.8.8/"),
        ("http://[2606:4700::1111]/", "http://[2606:4700::1111]/"),
    ],
)
def test_a_url_is_validated_without_asking_anyone(url: str, normalized: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "getaddrinfo")
    assert str(validate_url(url)) == normalized

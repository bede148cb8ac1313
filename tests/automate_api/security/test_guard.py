"""Nothing private is ever connected to, unless the host says so."""

import asyncio
import socket
from typing import Any

import pytest

from automate_api.exceptions import OutboundBlocked, UpstreamBrokeOff, UpstreamUnavailable
from automate_api.security import guard
from automate_api.security.outbound import request, validate_url
from tests.network import MAPPED, PATIENT, Listeners, Watch, fetch, has_ipv6, resolve_to
from tests.upstream import FakeUpstream

PUBLIC = "93.184.216.34"

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
    outcome = await listeners.hang_up_on(fetch(url.replace("{port}", str(listeners.port))))
    assert isinstance(outcome, UpstreamBrokeOff)
    assert len(watch.addresses) == 1
    assert watch.addresses[0] in [(host, listeners.port) for host in ("127.0.0.1", *MAPPED)]


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback")
async def test_an_admitted_ipv6_address_is_connected_to(listeners: Listeners, watch: Watch, settings: Any) -> None:
    settings.AUTOMATE_API_PRIVATE_HOSTS = [f"[::1]:{listeners.port}"]
    outcome = await listeners.hang_up_on(fetch(f"http://[::1]:{listeners.port}/"), ipv6=True)
    assert isinstance(outcome, UpstreamBrokeOff)
    assert watch.addresses == [("::1", listeners.port)]


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
    assert b"chat" in await fetch(url)
    settings.AUTOMATE_API_PRIVATE_HOSTS = []
    with pytest.raises(OutboundBlocked):
        await fetch(url)
    assert len(upstream.requests) == 1
    assert await asyncio.to_thread(upstream.connections[0].closed.wait, 10)


async def test_a_call_for_public_addresses_only_is_not_helped_by_the_list(
    listeners: Listeners, watch: Watch, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.AUTOMATE_API_PRIVATE_HOSTS = ["models.internal", "127.0.0.0/8", "localhost"]
    resolve_to(monkeypatch, ["127.0.0.1"])
    for host in ("models.internal", "other.example", "127.0.0.1", "localhost"):
        with pytest.raises(OutboundBlocked):
            await fetch(f"http://{host}:{listeners.port}/", public_only=True)
    assert watch.addresses == []


async def test_a_call_for_public_addresses_only_uses_no_kept_connection_to_a_private_one(
    upstream: FakeUpstream,
) -> None:
    await get_models(upstream)
    with pytest.raises(OutboundBlocked):
        await get_models(upstream, public_only=True)
    await get_models(upstream)
    assert len(upstream.requests) == 2


async def test_a_call_for_public_addresses_only_reaches_one(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, [PUBLIC])
    with pytest.raises(UpstreamUnavailable):
        await fetch("http://pictures.example:81/", public_only=True)
    assert watch.addresses == [(PUBLIC, 81)]


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

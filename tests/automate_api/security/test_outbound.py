"""What an HTTP exchange promises."""

import asyncio
import socket
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
from automate_api.security import outbound
from automate_api.security.outbound import Timeouts, request
from tests.network import PATIENT, Listeners, fetch, resolve_to
from tests.servers import until
from tests.upstream import FakeUpstream


async def get_models(upstream: FakeUpstream, **kwargs: Any) -> bytes:
    async with request("GET", upstream.url + "/models", timeouts=PATIENT, **kwargs) as response:
        return await response.read()


async def test_a_kept_connection_serves_the_next_exchange(upstream: FakeUpstream) -> None:
    await get_models(upstream)
    await get_models(upstream)
    assert [sent.connection.number for sent in upstream.requests] == [1, 1]


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
        await fetch(f"http://127.0.0.1:{listeners.port}/")


async def test_a_name_that_does_not_resolve_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(*args: Any, **kwargs: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(UpstreamUnavailable):
        await fetch("http://nobody.example/")


async def test_a_name_without_an_address_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, [])
    with pytest.raises(UpstreamUnavailable):
        await fetch("http://nobody.example/")


async def test_a_server_without_tls_is_unavailable_to_https(upstream: FakeUpstream) -> None:
    with pytest.raises(UpstreamUnavailable):
        await fetch(f"https://{upstream.host}/v1/models")


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
    assert await asyncio.to_thread(upstream.connections[0].closed.wait, 20)


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
    assert await asyncio.to_thread(until, lambda: not established(upstream))


async def test_an_exchange_left_early_drops_its_connection_at_once(upstream: FakeUpstream) -> None:
    url = upstream.url + "/chat/completions"
    async with request("POST", url, data=answer("chunks:1000:50"), timeouts=PATIENT) as response:
        assert await response.next_chunk()
    assert await asyncio.to_thread(upstream.connections[0].closed.wait, 20)


def test_the_session_is_closed_with_its_loop(upstream: FakeUpstream) -> None:
    before = len(outbound._sessions)  # the portal's loop may have one
    asyncio.run(get_models(upstream))
    asyncio.run(get_models(upstream))
    assert upstream.until(lambda: not upstream.open_connections)
    assert len(outbound._sessions) == before


async def test_a_closed_session_is_followed_by_another(upstream: FakeUpstream) -> None:
    await get_models(upstream)
    await outbound.close()
    await outbound.close()
    await get_models(upstream)
    assert [sent.connection.number for sent in upstream.requests] == [1, 2]

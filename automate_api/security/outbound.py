"""The only place that opens outbound connections.

http and https only; no redirects, no proxy from the environment, no cookies, no decompression, limits of time and size,
and the guard (`automate_api.security.guard`) before every call.
"""

import asyncio
import io
import logging
import re
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import TracebackType
from weakref import WeakKeyDictionary

import aiohttp
from aiohttp.connector import Connection
from aiohttp.http_exceptions import HttpProcessingError
from django.utils.translation import gettext_lazy as _
from multidict import CIMultiDictProxy
from yarl import URL

from automate_api.conf import settings
from automate_api.exceptions import (
    AutomateError,
    OutboundBlocked,
    UpstreamBrokeOff,
    UpstreamInvalid,
    UpstreamTimeout,
    UpstreamTooLarge,
    UpstreamUnavailable,
)
from automate_api.security.guard import (
    Connecting,
    GuardedRequest,
    Resolver,
    check_url,
    connecting,
    make_socket,
    public_only,
    validate_url,
)

__all__ = ["Response", "Timeouts", "close", "request", "validate_url"]

logger = logging.getLogger(__name__)

# aiohttp warns about larger bodies given as bytes; as a file they are written in pieces.
LARGE_BODY = 2**20
#: Seconds between two looks at the connection of a body that is waited for.
LOOK_EVERY = 0.5

_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to connect, to the first byte of the body, between two pieces of it, and for the whole exchange."""

    connect: float
    first_byte: float
    idle: float
    total: float


def _abort(connection: Connection | None) -> None:
    """Drop the connection at once: closing would first wait for a peer that no longer reads."""
    if connection is not None and connection.transport is not None:
        connection.transport.abort()


class _RawResponse(aiohttp.ClientResponse):
    """A response whose connection ends at once when it is left before its end."""

    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        try:
            return await super().start(connection)
        except BaseException:
            _abort(connection)
            raise

    def close(self) -> None:
        _abort(self.connection)
        super().close()


class Response:
    """The answer to a request. Every fault of reading it is raised as an `UpstreamError`.

    `status` and `headers` are the upstream's; `complete` tells whether the body's end has come as HTTP frames it.
    """

    __slots__ = ("_held", "_loop", "_max_bytes", "_raw", "_received", "_start", "_timeouts", "complete")

    def __init__(self, raw: aiohttp.ClientResponse, start: float, timeouts: Timeouts, max_bytes: int) -> None:
        self._raw = raw
        self._loop = asyncio.get_running_loop()
        self._start = start
        self._timeouts = timeouts
        self._max_bytes = max_bytes
        self._received = 0
        self._held = b""
        self.complete = False

    @property
    def status(self) -> int:
        return self._raw.status

    @property
    def headers(self) -> CIMultiDictProxy[str]:
        return self._raw.headers

    def _patience(self, now: float) -> float:
        patience = now + self._timeouts.idle if self._received else self._start + self._timeouts.first_byte
        return min(patience, self._start + self._timeouts.total)

    async def _receive(self) -> bytes:
        content, now = self._raw.content, self._loop.time()
        if now >= self._start + self._timeouts.total:
            raise TimeoutError
        if (data := content.read_nowait()) or content.at_eof():
            return data
        return await self._wait(self._patience(now))

    async def _wait(self, until: float) -> bytes:
        """Wait for data, and look now and then whether the connection is still there.

        Where a chunk's framing is wrong, aiohttp closes the connection without waking the reader of the body; one that
        comes to read later is told so by a RuntimeError.
        """
        while True:
            try:
                async with asyncio.timeout_at(min(until, self._loop.time() + LOOK_EVERY)):
                    return await self._raw.content.readany()
            except TimeoutError:
                if self._loop.time() >= until:
                    raise
            except RuntimeError:
                raise aiohttp.ClientPayloadError from None

    async def begin(self) -> bool:
        """Wait for the body's first piece and hold it; False where the body is empty. Raises like `next_chunk`."""
        self._held = await self.next_chunk()
        return bool(self._held)

    async def next_chunk(self) -> bytes:
        """The next piece of the body as it arrives, `b""` at its end.

        Raises UpstreamTimeout, UpstreamBrokeOff where the body ends before its framing says so, UpstreamInvalid where
        the framing is wrong, UpstreamTooLarge.
        """
        if self._held:
            data, self._held = self._held, b""
            return data
        try:
            data = await self._receive()
        except FAULTS as exc:
            raise translate(exc) from None
        self._received += len(data)
        if self._received > self._max_bytes:
            raise UpstreamTooLarge
        self.complete = not data
        return data

    async def read(self) -> bytes:
        """The whole body; raises like `next_chunk`."""
        chunks = []
        while chunk := await self.next_chunk():
            chunks.append(chunk)
        return b"".join(chunks)

    def close(self) -> None:
        """End the exchange: the connection is kept alive only if the body was read to its end."""
        if not self.complete:
            self._raw.close()


FAULTS = (aiohttp.ClientError, HttpProcessingError, OSError)


def translate(exc: BaseException, *, blocked: bool = False) -> AutomateError:
    """What a fault of the network or of HTTP means to a caller.

    `blocked` tells that the guard refused the address: the connector wraps that in an error of its own. The original is
    logged by its class alone and is not chained: its representation may hold the request's headers.
    """
    logger.info("Outbound call failed: %s", type(exc).__name__)
    if blocked or isinstance(exc, aiohttp.InvalidURL):
        return OutboundBlocked()
    if isinstance(exc, aiohttp.ClientConnectorError | aiohttp.ClientSSLError):
        return UpstreamUnavailable()
    if isinstance(exc, TimeoutError):
        return UpstreamTimeout()
    if isinstance(exc, aiohttp.ClientPayloadError | aiohttp.ClientConnectionError | OSError):
        return UpstreamBrokeOff()
    return UpstreamInvalid()


_sessions: WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[aiohttp.ClientSession, AsyncGenerator[None, None]]]
_sessions = WeakKeyDictionary()


async def _keep(session: aiohttp.ClientSession) -> AsyncGenerator[None, None]:
    """Close `session` with its loop: a running loop finishes its asynchronous generators before it is closed."""
    try:
        yield
    finally:
        _sessions.pop(asyncio.get_running_loop(), None)
        await session.close()


async def _open_session() -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(
        limit=0, use_dns_cache=False, resolver=Resolver(), socket_factory=make_socket, keepalive_timeout=15
    )
    session = aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        auto_decompress=False,
        request_class=GuardedRequest,
        response_class=_RawResponse,
        headers={"Accept-Encoding": "identity", "User-Agent": "django-automate-api"},
    )
    keeper = _keep(session)
    await anext(keeper)
    _sessions[asyncio.get_running_loop()] = (session, keeper)
    return session


async def _session() -> aiohttp.ClientSession:
    """The running loop's session; it is closed with the loop, or by `close`."""
    held = _sessions.get(asyncio.get_running_loop())
    return await _open_session() if held is None else held[0]


async def close() -> None:
    """Close the running loop's session and its connections. A later request opens another."""
    if (held := _sessions.get(asyncio.get_running_loop())) is not None:
        await held[1].aclose()


@lru_cache(maxsize=16)
def _client_timeout(connect: float) -> aiohttp.ClientTimeout:
    # The other limits are kept here, and only while something is awaited.
    return aiohttp.ClientTimeout(total=None, connect=connect, ceil_threshold=float("inf"))


def _check_headers(headers: Mapping[str, str]) -> None:
    if not all(_HEADER_VALUE.fullmatch(value) for value in headers.values()):
        raise OutboundBlocked(_("A header of the outbound request has characters that may not be sent."))


class request:  # noqa: N801 - used like a function
    """One guarded HTTP exchange, as an asynchronous context manager that gives a `Response`.

    `url` is checked as by `validate_url`; `data` is the body; header values are visible ASCII, spaces and tabs.
    `max_bytes` caps the answer's body (`AUTOMATE_API_MAX_RESPONSE_BYTES` unless given). With `public_only`, which is
    for addresses that others choose, `AUTOMATE_API_PRIVATE_HOSTS` admits nothing. A redirect is an answer like others.

    Raises OutboundBlocked before anything was sent, UpstreamUnavailable, UpstreamTimeout, UpstreamBrokeOff,
    UpstreamInvalid.
    Left before the body's end, by an error or a cancellation too, the connection is dropped at once.
    """

    __slots__ = (
        "_attempt",
        "_body",
        "_headers",
        "_max_bytes",
        "_method",
        "_public_only",
        "_timeouts",
        "_url",
        "response",
    )

    def __init__(
        self,
        method: str,
        url: str,
        *,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeouts: Timeouts,
        max_bytes: int | None = None,
        public_only: bool = False,
    ) -> None:
        self._public_only = public_only
        self._method, self._url, self._body, self._timeouts = method, url, data, timeouts
        self._headers = headers or {}
        self._max_bytes = settings.max_response_bytes if max_bytes is None else max_bytes
        self._attempt: Connecting | None = None
        self.response: Response | None = None

    @property
    def reused(self) -> bool:
        """Whether the request went over a connection that was kept from an earlier exchange."""
        return self._attempt is not None and not self._attempt.opened

    async def __aenter__(self) -> Response:
        return await self.open()

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def open(self) -> Response:
        """Send the request and wait for the head of the answer; `close` must follow, as at the end of the context."""
        token = public_only.set(self._public_only)
        try:
            return await self._open()
        finally:
            public_only.reset(token)

    async def _open(self) -> Response:
        destination = check_url(self._url)
        _check_headers(self._headers)
        session, start = await _session(), asyncio.get_running_loop().time()
        self._attempt = attempt = Connecting(destination.host)
        token = connecting.set(attempt)
        try:
            async with asyncio.timeout_at(start + min(self._timeouts.first_byte, self._timeouts.total)):
                raw = await self._send(session, destination.url)
        except FAULTS as exc:
            raise translate(exc, blocked=attempt.blocked) from None
        finally:
            connecting.reset(token)
        self.response = Response(raw, start, self._timeouts, self._max_bytes)
        return self.response

    async def _send(self, session: aiohttp.ClientSession, url: URL) -> aiohttp.ClientResponse:
        large = self._body is not None and len(self._body) > LARGE_BODY
        return await session.request(
            self._method,
            url,
            data=io.BytesIO(self._body or b"") if large else self._body,
            headers=self._headers,
            allow_redirects=False,
            timeout=_client_timeout(self._timeouts.connect),
        )

    def close(self) -> None:
        """End the exchange."""
        if self.response is not None:
            self.response.close()

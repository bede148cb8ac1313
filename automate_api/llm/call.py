"""One call of a model server: tried until its answer begins, then read once."""

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from automate_api.conf import settings
from automate_api.exceptions import (
    UpstreamAuthFailed,
    UpstreamBrokeOff,
    UpstreamError,
    UpstreamFailed,
    UpstreamInvalid,
    UpstreamRateLimited,
    UpstreamRejected,
    UpstreamTimeout,
)
from automate_api.llm.retry import parse_retry_after, plan_retry
from automate_api.llm.types import LLMTarget, Retry
from automate_api.security.outbound import Response, Timeouts, request

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Body:
    """What a call sends."""

    content_type: str
    data: bytes = field(repr=False)


def json_body(value: dict[str, Any]) -> Body:
    """`value` as JSON; ValueError for what is not."""
    return Body(JSON, json.dumps(value, separators=(",", ":"), allow_nan=False).encode())


def timeouts_of(target: LLMTarget, *, stream: bool) -> Timeouts:
    """A server that does not stream computes the whole answer before its first byte, so there only the total counts."""
    if stream:
        return Timeouts(settings.connect_timeout, settings.first_byte_timeout, settings.idle_timeout, target.timeout)
    return Timeouts(settings.connect_timeout, target.timeout, target.timeout, target.timeout)


def error_of(response: Response) -> UpstreamError:
    """What an answer's status means where it is not a success. Redirects are not followed."""
    status = response.status
    if status in (401, 403):
        return UpstreamAuthFailed()
    if status == 408:
        return UpstreamTimeout()
    if status == 429:
        return UpstreamRateLimited(retry_after=parse_retry_after(response.headers))
    if 400 <= status < 500:
        return UpstreamRejected()
    return UpstreamFailed() if 500 <= status < 600 else UpstreamInvalid()


class Call:
    """One call: `body` is sent by POST; without one it is a GET.

    Leaving the context closes the connection, at once where the answer was not read to its end. `max_bytes` and
    `public_only` are those of `request`.
    """

    __slots__ = ("_attempts", "_body", "_exchange", "_headers", "_limits", "_max_retries", "_timeouts", "_url")

    def __init__(
        self,
        url: str,
        body: Body | None = None,
        *,
        headers: dict[str, str],
        timeouts: Timeouts,
        max_retries: int = 0,
        max_bytes: int | None = None,
        public_only: bool = False,
    ) -> None:
        self._url, self._body, self._timeouts, self._max_retries = url, body, timeouts, max_retries
        self._headers = headers if body is None else {"Content-Type": body.content_type, **headers}
        self._limits: dict[str, Any] = {"max_bytes": max_bytes, "public_only": public_only}
        self._attempts = 0
        self._exchange: request | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def _leave(self) -> None:
        if self._exchange is not None:
            self._exchange.close()

    async def attempt(self) -> Response | Retry:
        """Try once: the response where its body has begun, a `Retry` where another attempt is due after its wait.

        Where none is, raises what went wrong: an UpstreamError, or OutboundBlocked.
        """
        self._attempts += 1
        try:
            return await self.begin()
        except UpstreamError as error:
            self._leave()
            response = None if self._exchange is None else self._exchange.response
            after = None if response is None else parse_retry_after(response.headers)
            retry = plan_retry(error, attempt=self._attempts, max_retries=self._max_retries, retry_after=after)
            if retry is None:
                raise
            return retry

    async def _open(self) -> Response:
        method, data = ("GET", None) if self._body is None else ("POST", self._body.data)
        while True:
            exchange = request(
                method, self._url, data=data, headers=self._headers, timeouts=self._timeouts, **self._limits
            )
            self._exchange = exchange
            try:
                return await exchange.open()
            except UpstreamBrokeOff:
                # Servers end connections that they kept when they like. That is no fault of this call, and since each
                # such connection is dropped, the next one is new at last.
                if not exchange.reused:
                    raise

    async def begin(self) -> Response:
        """The response, its body begun; raises what went wrong, whatever the retries are."""
        response = await self._open()
        if not 200 <= response.status < 300:
            raise error_of(response)
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise UpstreamInvalid
        if not await response.begin():
            raise UpstreamBrokeOff
        return response


def call_of(
    target: LLMTarget,
    path: str,
    body: Body | None = None,
    *,
    accept: str = JSON,
    stream: bool = False,
    max_bytes: int | None = None,
) -> Call:
    """A call of a route of `target`, with its key, its patience and its retries."""
    headers = {"Accept": accept}
    if target.api_key:
        headers["Authorization"] = f"Bearer {target.api_key}"
    return Call(
        target.base_url + path,
        body,
        headers=headers,
        timeouts=timeouts_of(target, stream=stream),
        max_retries=target.max_retries,
        max_bytes=max_bytes,
    )


async def whole(call: Call) -> AsyncGenerator[Retry | bytes, None]:
    """The retries of a call that is not streamed, then its whole body."""
    async with call:
        while isinstance(response := await call.attempt(), Retry):
            yield response
            await asyncio.sleep(response.after_seconds)
        yield await response.read()

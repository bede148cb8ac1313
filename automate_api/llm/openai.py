"""The OpenAI protocol: chat completions, embeddings, and the list of models, over the guarded outbound client."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
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
from automate_api.llm.assembly import ChatAssembler
from automate_api.llm.retry import parse_retry_after, plan_retry
from automate_api.llm.shapes import read_completion, read_embeddings, read_models
from automate_api.llm.types import Completion, Embeddings, LLMTarget, Retry, TextDelta
from automate_api.security.outbound import Response, Timeouts, request


def _timeouts(target: LLMTarget, *, stream: bool) -> Timeouts:
    """A server that does not stream computes the whole answer before its first byte, so there only the total counts."""
    if stream:
        return Timeouts(settings.connect_timeout, settings.first_byte_timeout, settings.idle_timeout, target.timeout)
    return Timeouts(settings.connect_timeout, target.timeout, target.timeout, target.timeout)


def _headers(target: LLMTarget, *, stream: bool) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "Accept": "text/event-stream" if stream else "application/json"}
    if target.api_key:
        headers["Authorization"] = f"Bearer {target.api_key}"
    return headers


def _error_of(response: Response) -> UpstreamError:
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
    """One call of a model server: tried until the first byte of its answer has arrived, then read once.

    `body` is sent as JSON by POST; without one the call is a GET. Leaving the context closes the connection, at once
    where the answer was not read to its end.
    """

    __slots__ = ("_attempts", "_data", "_exchange", "_headers", "_max_retries", "_timeouts", "_url")

    def __init__(
        self, target: LLMTarget, path: str, body: dict[str, Any] | None, *, stream: bool, max_retries: int
    ) -> None:
        self._url = target.base_url + path
        self._data = None if body is None else json.dumps(body, separators=(",", ":"), allow_nan=False).encode()
        self._headers = _headers(target, stream=stream)
        self._timeouts = _timeouts(target, stream=stream)
        self._max_retries = max_retries
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
            return await self._begin()
        except UpstreamError as error:
            self._leave()
            response = None if self._exchange is None else self._exchange.response
            after = None if response is None else parse_retry_after(response.headers)
            retry = plan_retry(error, attempt=self._attempts, max_retries=self._max_retries, retry_after=after)
            if retry is None:
                raise
            return retry

    async def _open(self) -> Response:
        method = "GET" if self._data is None else "POST"
        while True:
            exchange = request(method, self._url, data=self._data, headers=self._headers, timeouts=self._timeouts)
            self._exchange = exchange
            try:
                return await exchange.open()
            except UpstreamBrokeOff:
                # Servers end connections that they kept when they like. That is no fault of this call, and since each
                # such connection is dropped, the next one is new at last.
                if not exchange.reused:
                    raise

    async def _begin(self) -> Response:
        response = await self._open()
        if not 200 <= response.status < 300:
            raise _error_of(response)
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise UpstreamInvalid
        if not await response.begin():
            raise UpstreamBrokeOff
        return response


async def _whole(call: Call) -> AsyncGenerator[Retry | bytes, None]:
    """The retries of a call that is not streamed, then its whole body."""
    async with call:
        while isinstance(response := await call.attempt(), Retry):
            yield response
            await asyncio.sleep(response.after_seconds)
        yield await response.read()


async def _chat_streamed(call: Call, model: str) -> AsyncGenerator[TextDelta | Retry | Completion, None]:
    assembler = ChatAssembler(model)
    async with call:
        while isinstance(response := await call.attempt(), Retry):
            yield response
            await asyncio.sleep(response.after_seconds)
        while chunk := await response.next_chunk():
            for text in assembler.feed(chunk):
                yield TextDelta(text)
    yield assembler.finish()


async def _chat_whole(call: Call, model: str) -> AsyncGenerator[TextDelta | Retry | Completion, None]:
    async with aclosing(_whole(call)) as items:
        async for item in items:
            yield item if isinstance(item, Retry) else read_completion(item, model)


def chat(
    target: LLMTarget, messages: list[dict[str, Any]], *, params: dict[str, Any], stream: bool
) -> AsyncGenerator[TextDelta | Retry | Completion, None]:
    """Ask for a chat completion and yield the answer as it comes.

    `messages` and `params` (further members of the body, such as `temperature` and `tools`) have the protocol's shape
    and were checked by the caller; `params` cannot change the model, the messages, or whether the answer is streamed.

    Streamed, the text comes in `TextDelta`s. The last item is always the `Completion`, and only an answer that the
    server itself declared complete has one. Before the answer begins there may be `Retry`s, each followed by its wait.
    Closing the generator, or cancelling its consumer, closes the connection at once.

    Raises an UpstreamError, or OutboundBlocked where the target may not be called; ValueError for what is not JSON.
    """
    body = {**params, "model": target.model, "messages": messages, "stream": stream}
    if stream:
        body["stream_options"] = {"include_usage": True}
    call = Call(target, "/chat/completions", body, stream=stream, max_retries=target.max_retries)
    return (_chat_streamed if stream else _chat_whole)(call, target.model)


async def embed(
    target: LLMTarget, texts: list[str], *, params: dict[str, Any]
) -> AsyncGenerator[Retry | Embeddings, None]:
    """Ask for one vector a text; the last item is the `Embeddings`, before it there may be `Retry`s.

    `params` are further members of the body. Raises like `chat`.
    """
    body = {**params, "model": target.model, "input": texts}
    call = Call(target, "/embeddings", body, stream=False, max_retries=target.max_retries)
    async with aclosing(_whole(call)) as items:
        async for item in items:
            yield item if isinstance(item, Retry) else read_embeddings(item, target.model, len(texts))


async def list_models(target: LLMTarget) -> list[str]:
    """The ids of the models the server offers, in its order; asked once. Raises like `chat`."""
    call = Call(target, "/models", None, stream=False, max_retries=0)
    async with aclosing(_whole(call)) as items:
        return read_models(b"".join([item async for item in items if isinstance(item, bytes)]))

"""The OpenAI protocol: chat completions, embeddings, and the list of models, over the guarded outbound client."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from automate_api.llm.assembly import ChatAssembler
from automate_api.llm.call import JSON, Call, call_of, json_body, whole
from automate_api.llm.shapes import read_completion, read_embeddings, read_models
from automate_api.llm.types import Completion, Embeddings, LLMTarget, Retry, TextDelta


async def _chat_streamed(call: Call, model: str) -> AsyncGenerator[TextDelta | Retry | Completion, None]:
    assembler = ChatAssembler(model)
    async with call:
        while isinstance(response := await call.attempt(), Retry):
            yield response
            await asyncio.sleep(response.after_seconds)
        while chunk := await response.next_chunk():
            for delta in assembler.feed(chunk):
                yield delta
    yield assembler.finish()


async def _chat_whole(call: Call, model: str) -> AsyncGenerator[TextDelta | Retry | Completion, None]:
    async with aclosing(whole(call)) as items:
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
    accept = "text/event-stream" if stream else JSON
    call = call_of(target, "/chat/completions", json_body(body), accept=accept, stream=stream)
    return (_chat_streamed if stream else _chat_whole)(call, target.model)


async def embed(
    target: LLMTarget, texts: list[str], *, params: dict[str, Any]
) -> AsyncGenerator[Retry | Embeddings, None]:
    """Ask for one vector a text; the last item is the `Embeddings`, before it there may be `Retry`s.

    `params` are further members of the body. Raises like `chat`.
    """
    body = {**params, "model": target.model, "input": texts}
    call = call_of(target, "/embeddings", json_body(body))
    async with aclosing(whole(call)) as items:
        async for item in items:
            yield item if isinstance(item, Retry) else read_embeddings(item, target.model, len(texts))


async def list_models(target: LLMTarget) -> list[str]:
    """The ids of the models the server offers, in its order; asked once. Raises like `chat`."""
    call = call_of(replace(target, max_retries=0), "/models")
    async with aclosing(whole(call)) as items:
        return read_models(b"".join([item async for item in items if isinstance(item, bytes)]))

"""The protocol over a real socket."""

import asyncio
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from automate_api.exceptions import (
    AutomateError,
    OutboundBlocked,
    UpstreamAuthFailed,
    UpstreamBrokeOff,
    UpstreamError,
    UpstreamFailed,
    UpstreamInvalid,
    UpstreamRateLimited,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamTooLarge,
    UpstreamUnavailable,
)
from automate_api.llm import openai
from automate_api.llm.types import Completion, Embeddings, LLMTarget, Retry, TextDelta, Usage
from automate_api.security import outbound
from tests.upstream import MODELS, TEXT, TOOL_CALLS, FakeUpstream, event, pieces_of, vector

MESSAGES = [{"role": "user", "content": "Say it."}]
USAGE = Usage(7, 19, 26)


def target(upstream: FakeUpstream, model: str = "chat", **more: Any) -> LLMTarget:
    known = LLMTarget(upstream.url, "sk-secret", model, provider="fake", timeout=20, max_retries=0)
    return replace(known, **more)


async def ask(to: LLMTarget, *, stream: bool = True, **params: Any) -> list[TextDelta | Retry | Completion]:
    async with aclosing(openai.chat(to, MESSAGES, params=params, stream=stream)) as items:
        return [item async for item in items]


async def test_a_streamed_answer_comes_in_its_pieces(upstream: FakeUpstream) -> None:
    *deltas, answer = await ask(target(upstream))
    assert deltas == [TextDelta(piece) for piece in pieces_of(TEXT)]
    assert answer == Completion(TEXT, [], "stop", USAGE, "fake-1")


async def test_an_answer_that_is_not_streamed_comes_at_once(upstream: FakeUpstream) -> None:
    assert await ask(target(upstream), stream=False) == [Completion(TEXT, [], "stop", USAGE, "fake-1")]


async def test_the_pieces_arrive_while_the_answer_goes_on(upstream: FakeUpstream) -> None:
    async with aclosing(openai.chat(target(upstream, "chunks:1000:50"), MESSAGES, params={}, stream=True)) as items:
        assert [await anext(items) for _ in range(2)] == [TextDelta("0 "), TextDelta("1 ")]
        assert upstream.open_connections
    assert await asyncio.to_thread(upstream.connections[0].closed.wait, 2)


@pytest.mark.parametrize("stream", [True, False])
async def test_the_request_says_what_the_caller_asked_and_no_more(stream: bool, upstream: FakeUpstream) -> None:
    await ask(target(upstream), stream=stream, temperature=0.5, stop=["x"], model="other", messages=[], n=None)
    (sent,) = upstream.requests
    assert (sent.method, sent.path) == ("POST", "/v1/chat/completions")
    expected = {"model": "chat", "messages": MESSAGES, "stream": stream, "temperature": 0.5, "stop": ["x"], "n": None}
    assert sent.json == expected | ({"stream_options": {"include_usage": True}} if stream else {})
    assert sent.headers["authorization"] == "Bearer sk-secret"
    assert sent.headers["content-type"] == "application/json"
    assert sent.headers["accept-encoding"] == "identity"
    assert "cookie" not in sent.headers


async def test_without_a_key_no_authorization_is_sent(upstream: FakeUpstream) -> None:
    await ask(target(upstream, api_key=""))
    assert "authorization" not in upstream.requests[0].headers


@pytest.mark.parametrize("key", ["sk\r\nX-Injected: 1", "sk\n", "sk\0", "klíč"])
async def test_a_key_that_does_not_fit_a_header_is_refused(key: str, upstream: FakeUpstream) -> None:
    with pytest.raises(OutboundBlocked) as raised:
        await ask(target(upstream, api_key=key))
    assert key not in str(raised.value)
    assert upstream.connections == []


def test_the_key_is_not_in_the_representation() -> None:
    assert "sk-secret" not in repr(LLMTarget("http://h/v1", "sk-secret", "m", "p", 1, 0))


async def test_a_message_may_hold_any_text(upstream: FakeUpstream) -> None:
    messages = [{"role": "user", "content": "ž🦊 \ud83e \0 \u2028"}]
    items = openai.chat(target(upstream, "chat"), messages, params={}, stream=True)
    assert [item async for item in items]
    assert upstream.requests[0].json["messages"] == messages


@pytest.mark.parametrize("stream", [True, False])
async def test_tool_calls_are_given_whole(stream: bool, upstream: FakeUpstream) -> None:
    (answer,) = await ask(target(upstream, "tools"), stream=stream)
    assert isinstance(answer, Completion)
    assert answer.finish_reason == "tool_calls"
    assert [(call["id"], call["function"]["name"], call["function"]["arguments"]) for call in answer.tool_calls] == (
        TOOL_CALLS
    )


STATUSES = [
    (301, UpstreamInvalid),
    (304, UpstreamInvalid),
    (400, UpstreamRejected),
    (401, UpstreamAuthFailed),
    (403, UpstreamAuthFailed),
    (404, UpstreamRejected),
    (408, UpstreamTimeout),
    (413, UpstreamRejected),
    (422, UpstreamRejected),
    (429, UpstreamRateLimited),
    (500, UpstreamFailed),
    (502, UpstreamFailed),
    (503, UpstreamFailed),
    (529, UpstreamFailed),
    (600, UpstreamInvalid),
    (999, UpstreamInvalid),
]


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(("status", "error"), STATUSES)
async def test_a_status_is_told_by_its_class_and_in_our_words(
    status: int, error: type[UpstreamError], stream: bool, upstream: FakeUpstream
) -> None:
    with pytest.raises(UpstreamError) as raised:
        await ask(target(upstream, f"status:{status}"), stream=stream)
    assert type(raised.value) is error
    assert raised.value.detail == str(error.default_detail)


async def test_a_limit_tells_when_it_ends(upstream: FakeUpstream) -> None:
    with pytest.raises(UpstreamRateLimited) as raised:
        await ask(target(upstream, "status:429:3600", max_retries=5))
    assert raised.value.retry_after == 3600
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("model", "code"),
    [
        ("flaky:408:2:0", "upstream_timeout"),
        ("flaky:429:2:0", "upstream_rate_limited"),
        ("flaky:500:2:0", "upstream_failed"),
        ("flaky:503:2:0", "upstream_failed"),
        ("drop:2", "upstream_broke_off"),
    ],
)
async def test_what_fails_before_it_answers_is_tried_again(
    model: str, code: str, stream: bool, upstream: FakeUpstream
) -> None:
    first, second, *rest = await ask(target(upstream, model, max_retries=2), stream=stream)
    assert isinstance(first, Retry)
    assert isinstance(second, Retry)
    assert [(retry.attempt, retry.code) for retry in (first, second)] == [(2, code), (3, code)]
    assert isinstance(rest[-1], Completion)
    assert rest[-1].text == TEXT
    assert len(upstream.requests) == 3


async def test_the_wait_is_what_the_server_asks_for(upstream: FakeUpstream) -> None:
    first, *_rest = await ask(target(upstream, "flaky:429:1:0.25", max_retries=1))
    assert first == Retry(2, 0.25, "upstream_rate_limited")


async def test_retries_end(upstream: FakeUpstream) -> None:
    items: list[object] = []
    with pytest.raises(UpstreamFailed):
        await collect(
            openai.chat(target(upstream, "status:500:0", max_retries=2), MESSAGES, params={}, stream=True), items
        )
    assert items == [Retry(2, 0, "upstream_failed"), Retry(3, 0, "upstream_failed")]
    assert len(upstream.requests) == 3


async def collect(items: Any, into: list[object]) -> None:
    async with aclosing(items):
        async for item in items:
            into.append(item)  # noqa: PERF401 - kept where the generator raises


@pytest.mark.parametrize(
    "model",
    ["status:400", "status:401", "status:404", "redirect", "encoded", "nodone", "raw:error", "break:cut:0.5:chunked"],
)
async def test_what_will_not_pass_or_has_begun_is_not_tried_again(model: str, upstream: FakeUpstream) -> None:
    upstream.answers["error"] = event({"error": {"message": "overloaded"}})
    with pytest.raises(UpstreamError):
        await ask(target(upstream, model, max_retries=5))
    assert len(upstream.requests) == 1


async def test_a_first_byte_that_does_not_come_is_tried_again(upstream: FakeUpstream, settings: Any) -> None:
    settings.AUTOMATE_API_FIRST_BYTE_TIMEOUT = 0.1
    with pytest.raises(UpstreamTimeout):
        await ask(target(upstream, "headonly", max_retries=1))
    assert len(upstream.requests) == 2
    assert await asyncio.to_thread(upstream.until, lambda: not upstream.open_connections)


async def test_an_idle_stream_ends_with_what_it_had(upstream: FakeUpstream, settings: Any) -> None:
    settings.AUTOMATE_API_IDLE_TIMEOUT = 0.2
    items: list[object] = []
    with pytest.raises(UpstreamTimeout):
        await collect(
            openai.chat(target(upstream, "break:stall:0.5:chunked", max_retries=5), MESSAGES, params={}, stream=True),
            items,
        )
    assert items
    assert items == [TextDelta(piece) for piece in pieces_of(TEXT)][: len(items)]
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("stream", [True, False])
async def test_the_total_is_the_targets(stream: bool, upstream: FakeUpstream) -> None:
    with pytest.raises(UpstreamTimeout):
        await ask(target(upstream, "silent", timeout=0.2), stream=stream)


async def test_a_call_that_is_not_streamed_may_take_its_total_to_the_first_byte(
    upstream: FakeUpstream, settings: Any
) -> None:
    settings.AUTOMATE_API_FIRST_BYTE_TIMEOUT = settings.AUTOMATE_API_IDLE_TIMEOUT = 0.0
    assert len(await ask(target(upstream), stream=False)) == 1


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("redirect", UpstreamInvalid),
        ("gzip", UpstreamInvalid),
        ("encoded", UpstreamInvalid),
        ("raw:bad", UpstreamInvalid),
        ("raw:deep", UpstreamInvalid),
        ("raw:empty", UpstreamBrokeOff),
        ("raw:error", UpstreamFailed),
        ("reason:error", UpstreamBrokeOff),
        ("badhead", UpstreamInvalid),
        ("longhead", UpstreamInvalid),
    ],
)
async def test_an_answer_that_is_wrong_is_an_error(
    model: str, error: type[AutomateError], stream: bool, upstream: FakeUpstream
) -> None:
    deep = b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    wrong = {"bad": b"{", "deep": deep, "empty": b"", "error": b'{"error": {"message": "overloaded"}}'}
    upstream.answers = {name: event(data) if stream and data else data for name, data in wrong.items()}
    with pytest.raises(error):
        await ask(target(upstream, model), stream=stream)


@pytest.mark.parametrize("model", ["nodone", "noreason"])
async def test_a_stream_that_does_not_say_that_it_is_done_is_broken_off(model: str, upstream: FakeUpstream) -> None:
    items: list[object] = []
    with pytest.raises(UpstreamBrokeOff):
        await collect(openai.chat(target(upstream, model), MESSAGES, params={}, stream=True), items)
    assert items == [TextDelta(piece) for piece in pieces_of(TEXT)]


@pytest.mark.parametrize(("model", "error"), [("endless", UpstreamTooLarge), ("longline", UpstreamInvalid)])
async def test_an_answer_has_a_largest_size(
    model: str, error: type[AutomateError], upstream: FakeUpstream, settings: Any
) -> None:
    settings.AUTOMATE_API_MAX_RESPONSE_BYTES = 3 * 2**20
    with pytest.raises(error):
        await ask(target(upstream, model))
    assert await asyncio.to_thread(upstream.connections[0].closed.wait, 10)


async def test_a_server_that_ignores_stream_is_not_understood(upstream: FakeUpstream) -> None:
    upstream.answers["plain"] = b'{"choices": [{"message": {"content": "x"}, "finish_reason": "stop"}]}\n\n'
    with pytest.raises(UpstreamBrokeOff):
        await ask(target(upstream, "raw:plain"))


async def test_a_target_that_may_not_be_called_is_blocked_and_not_tried_again(
    upstream: FakeUpstream, settings: Any
) -> None:
    settings.AUTOMATE_API_PRIVATE_HOSTS = []
    with pytest.raises(OutboundBlocked):
        await ask(target(upstream, max_retries=5))
    assert upstream.connections == []


async def test_a_server_that_is_not_there_is_unavailable(upstream: FakeUpstream) -> None:
    upstream.stop()
    items: list[object] = []
    with pytest.raises(UpstreamUnavailable):
        await collect(openai.chat(target(upstream, max_retries=1), MESSAGES, params={}, stream=False), items)
    assert [item.code for item in items if isinstance(item, Retry)] == ["upstream_unavailable"]


@pytest.mark.parametrize(
    ("model", "stream"),
    [
        ("silent", True),
        ("silent", False),
        ("headonly", True),
        ("headonly", False),
        ("break:stall:0.5:chunked", True),
        ("chunks:1000:50", True),
    ],
)
async def test_a_cancelled_call_leaves_no_connection(model: str, stream: bool, upstream: FakeUpstream) -> None:
    task = asyncio.create_task(ask(target(upstream, model, max_retries=1), stream=stream))
    assert await asyncio.to_thread(upstream.until, lambda: upstream.requests)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(upstream.until, lambda: not upstream.open_connections, 2)


async def test_a_call_cancelled_between_two_attempts_makes_no_other(upstream: FakeUpstream) -> None:
    items = openai.chat(target(upstream, "flaky:429:9:50", max_retries=1), MESSAGES, params={}, stream=True)
    assert await anext(items) == Retry(2, 50, "upstream_rate_limited")
    task = asyncio.ensure_future(anext(items))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await outbound.close()
    assert await asyncio.to_thread(upstream.until, lambda: not upstream.open_connections, 2)
    assert len(upstream.requests) == 1


async def test_two_hundred_callers_that_leave_before_the_first_byte_leave_nothing(upstream: FakeUpstream) -> None:
    tasks = [asyncio.create_task(ask(target(upstream, "silent"))) for _ in range(200)]
    assert await asyncio.to_thread(upstream.until, lambda: len(upstream.requests) == 200)
    for task in tasks:
        task.cancel()
    assert len((await asyncio.wait(tasks))[0]) == 200
    assert await asyncio.to_thread(upstream.until, lambda: not upstream.open_connections, 2)


async def test_calls_share_a_connection_while_it_is_whole(upstream: FakeUpstream) -> None:
    for stream in (True, False, True):
        await ask(target(upstream), stream=stream)
    assert len(upstream.connections) == 1


async def test_a_kept_connection_that_the_server_has_ended_costs_no_attempt(upstream: FakeUpstream) -> None:
    for _ in range(30):
        assert isinstance((await ask(target(upstream, "break:none:0:chunked")))[-1], Completion)


async def test_a_kept_connection_on_which_the_server_hangs_up_costs_no_attempt(upstream: FakeUpstream) -> None:
    await ask(target(upstream))
    assert isinstance((await ask(target(upstream, "drop:1")))[-1], Completion)
    assert [sent.connection.number for sent in upstream.requests] == [1, 1, 2]


async def test_embeddings_are_in_the_order_of_the_texts(upstream: FakeUpstream) -> None:
    texts = ["one", "two words", "ž🦊"]
    items = [item async for item in openai.embed(target(upstream, "embed"), texts, params={"dimensions": 8})]
    assert items == [Embeddings([vector(text) for text in texts], Usage(4, 0, 4), "fake-embed")]
    assert upstream.requests[0].json == {"model": "embed", "input": texts, "dimensions": 8}
    assert upstream.requests[0].path == "/v1/embeddings"


async def test_embeddings_are_tried_again(upstream: FakeUpstream) -> None:
    items = [item async for item in openai.embed(target(upstream, "flaky:503:1:0", max_retries=1), ["x"], params={})]
    assert [type(item) for item in items] == [Retry, Embeddings]


async def test_models_are_listed(upstream: FakeUpstream) -> None:
    assert await openai.list_models(target(upstream)) == MODELS
    (sent,) = upstream.requests
    assert (sent.method, sent.path, sent.body) == ("GET", "/v1/models", b"")


async def test_models_are_asked_for_once(upstream: FakeUpstream) -> None:
    upstream.stop()
    with pytest.raises(UpstreamUnavailable):
        await openai.list_models(target(upstream, max_retries=5))

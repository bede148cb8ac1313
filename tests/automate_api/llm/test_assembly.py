"""A streamed answer is whole only where the server said so."""

import json
from typing import Any

import pytest

from automate_api.exceptions import AutomateError, UpstreamBrokeOff, UpstreamFailed, UpstreamInvalid
from automate_api.llm.assembly import ChatAssembler
from automate_api.llm.types import Completion, Usage
from tests.upstream import TOOL_CALLS, chat_events, chunk_event, event, tool_events

DONE = event(b"[DONE]")
STOP = chunk_event({}, "stop")


def assemble(*events: bytes, model: str = "asked") -> tuple[list[str], Completion]:
    assembler = ChatAssembler(model)
    return [delta.text for data in events for delta in assembler.feed(data)], assembler.finish()


def test_text_comes_as_it_is_sent_and_whole_at_the_end() -> None:
    texts, answer = assemble(*chat_events(["Hel", "lo ", "there"]))
    assert texts == ["Hel", "lo ", "there"]
    assert answer == Completion("Hello there", [], "stop", Usage(7, 19, 26), "fake-1")


def test_a_model_that_is_not_named_is_the_one_asked_for() -> None:
    plain = event({"choices": [{"delta": {"content": "x"}, "finish_reason": "stop"}]})
    assert assemble(plain, DONE)[1] == Completion("x", [], "stop", None, "asked")


def test_tool_calls_are_assembled_by_their_index() -> None:
    _texts, answer = assemble(*tool_events())
    assert answer.finish_reason == "tool_calls"
    assert [(call["id"], call["function"]["name"], call["function"]["arguments"]) for call in answer.tool_calls] == (
        TOOL_CALLS
    )


def test_tool_calls_may_come_interleaved() -> None:
    deltas = [
        {"index": 1, "id": "b", "function": {"name": "g", "arguments": "{"}},
        {"index": 0, "id": "a", "function": {"name": "f", "arguments": "["}},
        {"index": 1, "function": {"arguments": "}"}},
        {"index": 0, "id": "a", "function": {"name": "f", "arguments": "]"}},
    ]
    _texts, answer = assemble(*(chunk_event({"tool_calls": [delta]}) for delta in deltas), STOP, DONE)
    assert answer.tool_calls == [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": "[]"}},
        {"id": "b", "type": "function", "function": {"name": "g", "arguments": "{}"}},
    ]


def test_tool_calls_without_an_index_begin_with_their_id() -> None:
    deltas = [
        {"id": "a", "function": {"name": "f", "arguments": "{"}},
        {"function": {"arguments": "}"}},
        {"id": "b", "function": {"name": "g", "arguments": "{}"}},
    ]
    _texts, answer = assemble(*(chunk_event({"tool_calls": [delta]}) for delta in deltas), STOP, DONE)
    assert [call["function"] for call in answer.tool_calls] == [
        {"name": "f", "arguments": "{}"},
        {"name": "g", "arguments": "{}"},
    ]


def test_a_pair_split_between_two_deltas_is_one_character() -> None:
    halves = [json.dumps({"choices": [{"delta": {"content": half}}]}).encode() for half in ("a\ud83e", "\udd8ab")]
    texts, answer = assemble(*map(event, halves), STOP, DONE)
    assert (texts, answer.text) == (["a", "🦊b"], "a🦊b")


def test_a_half_pair_at_the_end_is_replaced() -> None:
    texts, answer = assemble(event({"choices": [{"delta": {"content": "a\ud83e"}}]}), STOP, DONE)
    assert (texts, answer.text) == (["a", "\ufffd"], "a\ufffd")


def test_a_refusal_is_text() -> None:
    assert assemble(chunk_event({"content": None, "refusal": "No."}), STOP, DONE)[1].text == "No."


def test_what_follows_done_is_not_read() -> None:
    assert assemble(chunk_event({"content": "x"}), STOP, DONE, DONE, event(b"{"), b": bye")[1].text == "x"


@pytest.mark.parametrize("missing", range(1, len(b"data: [DONE]\n\n") + 1))
def test_done_counts_only_with_its_blank_line(missing: int) -> None:
    with pytest.raises(UpstreamBrokeOff):
        assemble(chunk_event({"content": "x"}), STOP, DONE[:-missing])


def test_the_text_before_a_fault_in_the_same_bytes_is_given() -> None:
    assembler, texts = ChatAssembler("m"), []
    with pytest.raises(UpstreamInvalid):  # noqa: PT012 - what came before the fault is the point
        for delta in assembler.feed(chunk_event({"content": "x"}) + event(b"{")):
            texts.append(delta.text)  # noqa: PERF401
    assert texts == ["x"]


def choice(**more: Any) -> bytes:
    return event({"choices": [{"index": 0, "delta": {}, **more}]})


@pytest.mark.parametrize(
    ("events", "error"),
    [
        ([], UpstreamBrokeOff),
        ([chunk_event({"content": "x"})], UpstreamBrokeOff),
        ([chunk_event({"content": "x"}), STOP], UpstreamBrokeOff),
        ([chunk_event({"content": "x"}), DONE], UpstreamBrokeOff),
        ([DONE], UpstreamBrokeOff),
        ([choice(finish_reason="error"), DONE], UpstreamBrokeOff),
        ([choice(finish_reason="abort"), DONE], UpstreamBrokeOff),
        ([event({"error": {"message": "overloaded"}}), DONE], UpstreamFailed),
        ([event({"error": "overloaded", "choices": []}), STOP, DONE], UpstreamFailed),
        ([b"event: error\n" + event({"message": "overloaded"}), STOP, DONE], UpstreamFailed),
        ([event(b"{"), DONE], UpstreamInvalid),
        ([event(b""), DONE], UpstreamInvalid),
        ([event(b"[]"), DONE], UpstreamInvalid),
        ([event(b"\xff"), DONE], UpstreamInvalid),
        ([event(b'{"choices": [NaN]}'), DONE], UpstreamInvalid),
        ([event(b'{"a":' + b"[" * 100_000), DONE], UpstreamInvalid),
        ([event({"choices": {"0": 1}}), STOP, DONE], UpstreamInvalid),
        ([event({"choices": "x"}), STOP, DONE], UpstreamInvalid),
        ([event({"choices": [1]}), STOP, DONE], UpstreamInvalid),
        ([choice(delta="x"), STOP, DONE], UpstreamInvalid),
        ([choice(delta={"content": 1}), STOP, DONE], UpstreamInvalid),
        ([choice(delta={"content": ["x"]}), STOP, DONE], UpstreamInvalid),
        ([choice(finish_reason=1), DONE], UpstreamInvalid),
        ([choice(finish_reason=["stop"]), DONE], UpstreamInvalid),
        ([event({"choices": [], "usage": {"prompt_tokens": -1}}), STOP, DONE], UpstreamInvalid),
        ([event({"choices": [], "usage": "x"}), STOP, DONE], UpstreamInvalid),
        ([event({"choices": [], "model": 1}), STOP, DONE], UpstreamInvalid),
        ([choice(delta={"tool_calls": "x"}), STOP, DONE], UpstreamInvalid),
        ([choice(delta={"tool_calls": ["x"]}), STOP, DONE], UpstreamInvalid),
        ([choice(delta={"tool_calls": [{"index": -1}]}), STOP, DONE], UpstreamInvalid),
        ([choice(delta={"tool_calls": [{"index": 10**9}]}), STOP, DONE], UpstreamInvalid),
        ([choice(delta={"tool_calls": [{"index": True}]}), STOP, DONE], UpstreamInvalid),
        ([choice(delta={"tool_calls": [{"index": 0, "function": {"arguments": 1}}]}), STOP, DONE], UpstreamInvalid),
        ([choice(delta={"tool_calls": [{"index": 0, "id": "a"}]}), STOP, DONE], UpstreamInvalid),
        ([choice(delta={"tool_calls": [{"id": "a", "function": {"name": "f"}}] * 500})], UpstreamInvalid),
    ],
)  # fmt: skip
def test_an_answer_that_is_not_whole_is_an_error(events: list[bytes], error: type[AutomateError]) -> None:
    with pytest.raises(error):
        assemble(*events)

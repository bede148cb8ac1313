"""What a model server sends is read with suspicion."""

import json
from typing import Any

import pytest

from automate_api.exceptions import AutomateError, UpstreamBrokeOff, UpstreamFailed, UpstreamInvalid
from automate_api.llm.shapes import (
    TextCleaner,
    clean_text,
    decode_object,
    read_completion,
    read_embeddings,
    read_models,
    read_usage,
)
from automate_api.llm.types import Usage

HIGH, LOW = "\ud83e", "\udd8a"
CALL = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def body(*, choices: object = ..., usage: object = None, model: object = "m", **message: Any) -> bytes:
    if choices is ...:
        choices = [{"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop"}]
    return json.dumps({"choices": choices, "usage": usage, "model": model}).encode()


def test_a_completion_is_read() -> None:
    answer = read_completion(body(content="hi", usage={"prompt_tokens": 1, "completion_tokens": 2}), "asked")
    assert (answer.text, answer.tool_calls, answer.finish_reason, answer.model) == ("hi", [], "stop", "m")
    assert answer.usage == Usage(1, 2, 3)


def test_a_model_that_is_not_named_is_the_one_asked_for() -> None:
    assert read_completion(body(content="hi", model=None), "asked").model == "asked"


def test_a_refusal_is_the_text_where_there_is_no_other() -> None:
    assert read_completion(body(content=None, refusal="No."), "m").text == "No."


def test_tool_calls_are_passed_on_in_shape() -> None:
    calls = [CALL | {"extra": 1}, {"function": {"name": "g"}}]
    answer = read_completion(body(content=None, tool_calls=calls), "m")
    assert answer.text == ""
    assert answer.tool_calls == [
        CALL,
        {"id": "call_1", "type": "function", "function": {"name": "g", "arguments": ""}},
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not json",
        b"[]",
        b'"text"',
        b"null",
        b"\xff\xfe{}",
        '{"choices": []}'.encode("utf-16"),
        b'{"choices": [NaN]}',
        b'{"choices": [Infinity]}',
        b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"a": ' + b"9" * 100_000 + b"}",
        b"{}",
        body(choices=None),
        body(choices={}),
        body(choices="x"),
        body(choices=[1]),
        body(choices=[{}]),
        body(choices=[{"message": "x", "finish_reason": "stop"}]),
        body(choices=[{"message": {"content": "x"}, "finish_reason": None}]),
        body(choices=[{"message": {"content": "x"}, "finish_reason": 1}]),
        body(choices=[{"message": {"content": "x"}}]),
        body(content=1),
        body(content=["x"]),
        body(content={"text": "x"}),
        body(content="x", model=1),
        body(content="x", tool_calls="f"),
        body(content="x", tool_calls={"0": CALL}),
        body(content="x", tool_calls=[1]),
        body(content="x", tool_calls=[{}]),
        body(content="x", tool_calls=[{"function": "f"}]),
        body(content="x", tool_calls=[{"function": {"name": 1}}]),
        body(content="x", tool_calls=[{"function": {"name": "f", "arguments": {}}}]),
        body(content="x", tool_calls=[CALL] * 1000),
        body(content="x", usage="many"),
        body(content="x", usage={"prompt_tokens": -1}),
        body(content="x", usage={"prompt_tokens": 1.5}),
        body(content="x", usage={"prompt_tokens": True}),
        body(content="x", usage={"prompt_tokens": "7"}),
        body(content="x", usage={"prompt_tokens": 2**31}),
        body(content="x", usage={"total_tokens": 10**30}),
    ],
)
def test_a_body_of_another_shape_is_invalid(data: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        read_completion(data, "m")


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b'{"error": {"message": "x"}}', UpstreamFailed),
        (b'{"error": "x", "choices": []}', UpstreamFailed),
        (body(choices=[{"message": {"content": "x"}, "finish_reason": "error"}]), UpstreamBrokeOff),
        (body(choices=[{"message": {"content": "x"}, "finish_reason": "ABORT"}]), UpstreamBrokeOff),
    ],
)
def test_a_server_that_says_it_failed_has_failed(data: bytes, error: type[AutomateError]) -> None:
    with pytest.raises(error):
        read_completion(data, "m")


def test_an_error_that_is_null_is_none() -> None:
    assert decode_object(b'{"error": null, "a": 1}') == {"error": None, "a": 1}


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("plain", "plain"),
        ("ž🦊", "ž🦊"),
        ("a\0b", "ab"),
        (HIGH + LOW, "🦊"),
        ("a" + HIGH + "b", "a\ufffdb"),
        ("a" + LOW + "b", "a\ufffdb"),
        (LOW + HIGH, "\ufffd\ufffd"),
        ("a" + HIGH, "a\ufffd"),
        (HIGH + "\0" + LOW, "🦊"),
        ("", ""),
    ],
)
def test_a_text_can_be_stored_once_it_is_clean(text: str, clean: str) -> None:
    assert clean_text(text) == clean
    clean_text(text).encode()


def test_halves_of_a_pair_are_joined_across_pieces() -> None:
    cleaner = TextCleaner()
    assert [cleaner.clean("a\ud83e"), cleaner.clean(""), cleaner.clean("\udd8ab"), cleaner.flush()] == [
        "a",
        "",
        "🦊b",
        "",
    ]


def test_a_half_that_stays_alone_is_replaced_at_the_end() -> None:
    cleaner = TextCleaner()
    assert [cleaner.clean("a\ud83e"), cleaner.flush(), cleaner.flush()] == ["a", "\ufffd", ""]


def test_names_are_cleaned_and_short() -> None:
    answer = read_completion(body(content="x", model="m\0\ud800" + "x" * 1000), "m")
    assert answer.model.startswith("m\ufffdx")
    assert len(answer.model) <= 200


def test_absent_usage_is_none() -> None:
    assert read_usage(None) is None
    assert read_usage({}) is None
    assert read_usage({"prompt_tokens": 3, "total_tokens": None}) == Usage(3, 0, 3)


def embeddings(*vectors: object, **more: object) -> bytes:
    data = [{"index": index, "embedding": vector} for index, vector in enumerate(vectors)]
    return json.dumps({"data": data, "model": "m"} | more).encode()


def test_embeddings_come_in_the_order_of_their_index() -> None:
    data = json.dumps({"data": [{"index": 1, "embedding": [2, 0.5]}, {"index": 0, "embedding": [1, 0]}]}).encode()
    answer = read_embeddings(data, "asked", 2)
    assert answer.vectors == [[1.0, 0.0], [2.0, 0.5]]
    assert all(type(number) is float for vector in answer.vectors for number in vector)
    assert (answer.model, answer.usage) == ("asked", None)


def test_embeddings_without_an_index_are_in_order() -> None:
    data = json.dumps({"data": [{"embedding": [1.0]}, {"embedding": [2.0]}]}).encode()
    assert read_embeddings(data, "m", 2).vectors == [[1.0], [2.0]]


@pytest.mark.parametrize(
    "data",
    [
        embeddings([1.0]),
        embeddings([1.0], [1.0], [1.0]),
        embeddings([1.0], [1.0, 2.0]),
        embeddings([1.0], []),
        embeddings([1.0], None),
        embeddings([1.0], "AAAA"),
        embeddings([1.0], ["1.0"]),
        embeddings([1.0], [True]),
        embeddings([1.0], [None]),
        embeddings([1.0], [[1.0]]),
        embeddings([1.0], [10**400]),
        b'{"data": [{"embedding": [1e999]}, {"embedding": [1]}]}',
        b'{"data": [{"embedding": [NaN]}, {"embedding": [1]}]}',
        json.dumps({"data": [{"index": 0, "embedding": [1]}, {"index": 0, "embedding": [1]}]}).encode(),
        json.dumps({"data": [{"index": 0, "embedding": [1]}, {"index": "1", "embedding": [1]}]}).encode(),
        json.dumps({"data": [{"index": False, "embedding": [1]}, {"index": 1, "embedding": [1]}]}).encode(),
        json.dumps({"data": [{"index": [], "embedding": [1]}, {"index": 1, "embedding": [1]}]}).encode(),
        json.dumps({"data": [1, 2]}).encode(),
        json.dumps({"data": {"0": [1]}}).encode(),
        b"{}",
    ],
)
def test_embeddings_of_another_shape_are_invalid(data: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        read_embeddings(data, "m", 2)


def test_models_are_their_ids() -> None:
    assert read_models(b'{"data": [{"id": "b"}, {"id": "a\\u0000"}, {"id": ""}, {}]}') == ["b", "a"]


@pytest.mark.parametrize("data", [b'{"data": "x"}', b'{"data": [1]}', b'{"data": [{"id": 1}]}', b"[]"])
def test_models_of_another_shape_are_invalid(data: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        read_models(data)

"""What the body of a chat completion may ask for, on the façade and of a provider."""

from typing import Any

import pytest

from automate_api.capabilities.protocol import CLOSED, OPEN
from automate_api.engine.json_schema import check_value
from automate_api.exceptions import InvalidInput
from automate_api.services.completions import read_completion_request

HELLO = [{"role": "user", "content": "Hello"}]
PICTURE = "data:image/png;base64,iVBORw0KGgo="


def refused(**more: Any) -> list[tuple[str, str]]:
    """Fields and codes of what a body is refused for."""
    try:
        asked = read_completion_request({"model": "m", "messages": HELLO, **more})
    except InvalidInput as exc:
        return [(error.field, error.code) for error in exc.errors]
    return [(error.field, error.code) for error in check_value(asked.body, CLOSED, field="")]


def with_content(*parts: Any) -> list[Any]:
    return [{"role": "user", "content": list(parts)}]


@pytest.mark.parametrize(
    "name",
    [
        "base_url", "baseURL", "base-url", "BASE_URL", "api_base", "api_key", "apiKey", "api-key", "extra_headers",
        "extraHeaders", "headers", "default_headers", "extra_query", "extra_body", "organization", "organisation",
        "proxies", "proxy", "http_client", "api_version", "azure_endpoint", "endpoint", "aws_secret_access_key",
        "aws_region_name", "vertex_credentials", "litellm_params", "custom_llm_provider", "fallbacks", "model_list",
        "webhook_url", "authorization", "cookies", "chat_template", "bAsE_uRl", "ApI_bAsE", "APIBase", "eXtRa_HeAdErS",
        "EXTRAHEADERS",
    ],
)  # fmt: skip
def test_where_and_how_a_model_is_called_is_not_the_callers_to_say(name: str) -> None:
    assert refused(**{name: "x"}) == [(name, "refused")]
    assert refused(user_config={"models": [{name: "x"}]}) == [(f"user_config.models.0.{name}", "refused")]
    assert refused(tools=[{"type": "function", name: "x", "function": {"name": "f"}}]) == [
        (f"tools.0.{name}", "refused")
    ]
    # There it is what a function is called with, or what somebody says.
    schema = {"type": "object", "properties": {name: {"type": "string"}}}
    assert refused(tools=[{"type": "function", "function": {"name": "f", "parameters": schema}}]) == []
    assert refused(response_format={"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}) == []
    assert refused(metadata={name: "x"}, messages=[{"role": "user", "content": f"What is {name}?"}]) == []


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "http://169.254.169.254/latest"}},
        {"type": "image_url", "image_url": {"url": "https://pictures.example/fox.png"}},
        {"type": "image_url", "image_url": {"url": "file:///etc/passwd"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,@"}},
        {"type": "image_url", "image_url": {"url": f"{PICTURE}\n"}},
        {"type": "image_url", "image_url": "http://inside/"},
        {"type": "video_url", "video_url": {"url": "http://inside/"}},
        {"type": "audio", "audioUrl": ["http://inside/"]},
        {"type": "text", "text": "x", "image_url": {"url": "http://inside/"}},
        {"type": "file", "file": {"file_uri": "gs://bucket/file"}},
        {"type": "file", "file": {"file_data": "http://inside/"}},
        {"type": "image_url", "iMaGe_uRl": {"uRl": "http://inside/"}},
        {"type": "image", "image": "http://inside/"},
        {"type": "input_audio", "inputAudio": {"data": " FILE:/etc/passwd", "format": "wav"}},
    ],
)
def test_nothing_in_a_message_is_to_be_fetched(part: Any) -> None:
    [(field, code)] = refused(messages=with_content(part))
    assert (field.startswith("messages.0.content.0."), code) == (True, "refused")
    [(field, code)] = refused(messages=[{"role": "user", "content": "x", "more": [part]}])
    assert (field.startswith("messages.0.more.0."), code) == (True, "refused")


@pytest.mark.parametrize("member", ["x", "messages"])
def test_a_body_of_nothing_but_brackets_is_not_looked_at_for_long(member: str) -> None:
    assert refused(**{member: [[0]] * 60_000}) == [("", "too_complex")]


def test_nothing_beside_the_messages_is_to_be_fetched() -> None:
    assert refused(images=["//uQxAAA", "http://inside/"]) == [("images.1", "refused")]
    sound = {"type": "input_audio", "input_audio": {"data": "//uQxAAA", "format": "mp3"}}
    said = {"type": "text", "text": "http://inside/"}
    body = {"messages": with_content(sound, said), "stop": "http://", "user": "http://me/", "model": "m"}
    assert read_completion_request(body).body["messages"] == body["messages"]
    schema = {"type": "object", "properties": {"image": {"type": "string", "description": "http://inside/"}}}
    assert refused(tools=[{"type": "function", "function": {"name": "f", "parameters": schema}}]) == []


def test_a_picture_comes_with_the_request_and_may_be_large() -> None:
    large = f"data:image/jpeg;base64,{'A' * 4_000_000}"
    for url in (PICTURE, large):
        assert refused(messages=with_content({"type": "image_url", "image_url": {"url": url, "detail": "high"}})) == []
    too_large = f"data:image/jpeg;base64,{'A' * 8_000_000}"
    [(field, code)] = refused(messages=with_content({"type": "image_url", "image_url": {"url": too_large}}))
    assert (field, code) == ("messages.0.content.0.image_url.url", "max_length")


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"n": 2}, "n"),
        ({"n": True}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"audio": {"voice": "alloy"}}, "audio"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"function_call": "auto"}, "function_call"),
        ({"web_search_options": {}}, "web_search_options"),
        ({"frobnicate": 1}, "frobnicate"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": []}, "stream_options"),
        ({"stream_options": {"more": True}}, "stream_options.more"),
        ({"model": 1}, "model"),
        ({"model": ""}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": "Hello"}, "messages"),
        ({"messages": [1]}, "messages.0"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": 1}]}, "messages.0.content"),
        ({"messages": [{"role": "user"}]}, "messages.0"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.tool_call_id"),
        ({"messages": [{"role": "user", "content": "x", "more": 1}]}, "messages.0.more"),
        ({"messages": with_content({"type": "input_audio", "input_audio": {"data": "x"}})}, "messages.0.content.0"),
        ({"messages": with_content({"type": "text"})}, "messages.0.content.0"),
        ({"messages": HELLO * 2049}, "messages"),
        ({"tools": [{"type": "web_search"}]}, "tools.0"),
        ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "tools.0.function.name"),
        ({"temperature": 3}, "temperature"),
        ({"temperature": "0"}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"tool_choice": "maybe"}, "tool_choice"),
        ({"metadata": {"a": 1}}, "metadata.a"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
    ],
)
def test_the_facade_refuses_what_it_does_not_answer_and_says_which(more: dict[str, Any], field: str) -> None:
    assert field in {name for name, _code in refused(**more)} or any(
        name.startswith(f"{field}.") for name, _code in refused(**more)
    )


def test_what_is_null_or_neutral_is_as_if_absent() -> None:
    nulls = dict.fromkeys(("temperature", "n", "logprobs", "audio", "stream", "stream_options", "tools", "more"))
    asked = read_completion_request({"model": None, "messages": HELLO, **nulls})
    assert (asked.model, asked.stream, asked.include_usage, asked.body) == (None, False, False, {"messages": HELLO})
    asked = read_completion_request({"messages": HELLO, "n": 1, "logprobs": False, "modalities": ["text"]})
    assert asked.body == {"messages": HELLO}


@pytest.mark.parametrize("body", [None, [], "x", 1, [HELLO]])
def test_a_body_is_an_object(body: Any) -> None:
    with pytest.raises(InvalidInput):
        read_completion_request(body)


def test_a_provider_is_passed_what_nobody_here_knows() -> None:
    body = {"messages": [{"role": "critic", "content": {"any": 1}}], "top_k": 4, "guided_json": {"url": {}}}
    asked = read_completion_request(body)
    assert (asked.body, check_value(asked.body, OPEN, field="")) == (body, [])


def test_a_body_of_very_many_members_is_refused_before_all_are_looked_at() -> None:
    many = {f"k{number}": 1 for number in range(60_000)}
    assert refused(more=many) == [("", "too_complex")]
    assert refused(messages=[many]) == [("", "too_complex")]
    assert len(refused(more=[{"url": 1}] * 40_000)) == 20


def test_long_conversations_fit() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    turn = [
        {"role": "user", "content": [{"type": "text", "text": "x"}] * 3},
        {"role": "assistant", "content": None, "tool_calls": [call] * 4},
        {"role": "tool", "tool_call_id": "c", "content": "x"},
    ]
    assert refused(messages=turn * 680) == []

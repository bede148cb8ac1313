"""The façade as its clients meet it: answers, errors, limits and what becomes of runs."""

import base64
import json
import struct
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient

from automate_api.engine.events import EventType, RunEvent
from automate_api.ids import uuid7
from automate_api.models import Execution, Job, LLMClient, PromptLog, Provider
from automate_api.services.api_keys import issue_key
from automate_api.v1.completions import ChunkFraming
from tests.factories import make_llm_client, make_provider, make_user
from tests.upstream import TEXT, FakeUpstream, chat_events, chunk_event, event, vector

pytestmark = pytest.mark.django_db

HELLO = [{"role": "user", "content": "Hello"}]
KEY = "sk-upstream-key-0123456789"


class Caller:
    """A member of acme with an API key."""

    def __init__(self, *scopes: str) -> None:
        self.user = make_user()
        _key, text = issue_key(tenant_id="acme", user=self.user, name="test", scopes=scopes or ("*",))
        self.client = APIClient(HTTP_AUTHORIZATION=f"Bearer {text}")

    def get(self, path: str) -> Any:
        return self.client.get(f"/openai/v1/{path}")

    def post(self, path: str, body: Any, **headers: str) -> Any:
        return self.client.post(f"/openai/v1/{path}", body, format="json", headers=headers)

    def chat(self, model: str, **more: Any) -> Any:
        return self.post("chat/completions", {"model": model, "messages": HELLO, **more})

    def stream(self, model: str, **more: Any) -> list[Any]:
        """The data of a stream's events; `[DONE]` as it is."""
        return read(self.chat(model, stream=True, **more))


def read(answer: Any) -> list[Any]:
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/event-stream")
    frames = answer.getvalue().decode().split("\n\n")
    told = [frame.removeprefix("data: ") for frame in frames if frame.startswith("data: ")]
    return [text if text == "[DONE]" else json.loads(text) for text in told]


def error_of(answer: Any) -> tuple[int, str, str | None]:
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json().keys() == {"error"}
    error = answer.json()["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    return answer.status_code, error["code"], error["param"]


@pytest.fixture
def caller() -> Caller:
    return Caller()


@pytest.fixture
def provider(upstream: FakeUpstream) -> Provider:
    return make_provider(tenant_id="acme", slug="models", base_url=upstream.url, api_key=KEY)


@pytest.fixture
def helper(caller: Caller, provider: Provider) -> LLMClient:
    fields: dict[str, Any] = {"system_prompt": "Be brief.", "temperature": 0.5, "max_tokens": 90, "model": "echo"}
    tool = {"type": "function", "function": {"name": "mine"}}
    return make_llm_client(
        tenant_id="acme", owner=caller.user, provider=provider, slug="helper", tools=[tool], **fields
    )


def test_a_clients_prompt_comes_first_and_its_settings_count_where_the_caller_has_none(
    caller: Caller, helper: LLMClient, upstream: FakeUpstream
) -> None:
    system = {"role": "system", "content": "Be kind."}
    answer = caller.post("chat/completions", {"model": "helper", "messages": [system, *HELLO], "temperature": 0})
    assert answer.json()["choices"][0]["message"] == {"role": "assistant", "content": "Hello", "refusal": None}
    sent = upstream.requests[-1].json
    assert sent["messages"] == [{"role": "system", "content": "Be brief."}, system, *HELLO]
    assert (sent["temperature"], sent["max_tokens"], sent["tools"]) == (0, 90, helper.tools)
    caller.chat("helper", temperature=None, max_completion_tokens=7, tools=[], tool_choice="auto")
    sent = upstream.requests[-1].json
    assert (sent["temperature"], sent["max_completion_tokens"]) == (0.5, 7)
    assert {"max_tokens", "tools", "tool_choice"}.isdisjoint(sent)
    log = PromptLog.objects.first()
    assert log is not None
    assert (log.system, log.history, log.response) == ("Be brief.", HELLO, "Hello")


def test_all_that_a_sdk_may_send_reaches_the_model_server(
    caller: Caller, provider: Provider, upstream: FakeUpstream
) -> None:
    told: dict[str, Any] = {
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}, "strict": True}}],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "parallel_tool_calls": False,
        "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}},
        "top_p": 0.5,
        "seed": 7,
        "stop": ["x"],
        "presence_penalty": -1,
        "frequency_penalty": 1.5,
        "logit_bias": {"50256": -100},
        "reasoning_effort": "minimal",
        "user": "u-1",
    }
    nothing = {"n": 1, "logprobs": False, "top_logprobs": None, "modalities": ["text"], "audio": None, "stream": False}
    here = {"metadata": {"order": "7"}, "store": True}
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo=", "detail": "low"}}
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages: list[Any] = [
        {"role": "developer", "content": "Be kind.", "name": "d"},
        {"role": "user", "content": [{"type": "text", "text": "What is this?"}, picture]},
        {"role": "assistant", "content": None, "tool_calls": [call], "refusal": None, "annotations": [], "audio": None},
        {"role": "tool", "tool_call_id": "c1", "content": "A fox."},
    ]
    answer = caller.post(
        "chat/completions",
        {"model": "models/chat", "messages": messages, **told, **nothing, **here},
        **{"OpenAI-Organization": "org-1", "X-Stainless-Lang": "python", "Accept": "application/json"},
    )
    assert answer.status_code == 200, answer.content
    messages[2] = {"role": "assistant", "content": None, "tool_calls": [call]}
    assert upstream.requests[-1].json == {"model": "chat", "messages": messages, "stream": False, **told}
    execution = Execution.objects.get()
    assert execution.input == {"messages": messages, **told, **here}
    assert (execution.provider, execution.model, execution.task_type) == (provider, "chat", "openai.chat")


def test_a_stream_has_the_forms_of_the_protocol(caller: Caller, provider: Provider) -> None:
    *chunks, used, done = caller.stream("models/chat", stream_options={"include_usage": True})
    assert done == "[DONE]"
    assert (used["choices"], used["usage"]["total_tokens"]) == ([], 26)
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert {(chunk["id"], chunk["created"], chunk["model"]) for chunk in [*chunks, used]} == {
        (f"chatcmpl-{Execution.objects.get().pk.hex}", used["created"], "models/chat")
    }
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert deltas[0] == {"role": "assistant", "content": ""}
    assert "".join(delta.get("content", "") for delta in deltas) == TEXT
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    assert {chunk["usage"] for chunk in chunks} == {None}
    assert "usage" not in str(caller.stream("models/chat"))


@pytest.mark.parametrize("model", ["break:cut:0.6:chunked", "nodone", "noreason", "status:500", "status:401", "silent"])
def test_a_stream_that_breaks_ends_in_an_error_and_not_in_done(
    caller: Caller, provider: Provider, model: str, settings: Settings
) -> None:
    settings.AUTOMATE_API_FIRST_BYTE_TIMEOUT = 0.2
    told = caller.stream(f"models/{model}")
    assert told[-1].keys() == {"error"}
    assert "[DONE]" not in told
    assert [chunk["choices"][0]["finish_reason"] for chunk in told[:-1]] == [None] * len(told[:-1])
    assert told[-1]["error"]["code"].startswith("upstream_")
    assert Execution.objects.get().status == "failed"


def test_an_event_named_error_is_the_end_whatever_comes_with_it(
    caller: Caller, provider: Provider, upstream: FakeUpstream
) -> None:
    said = [chunk_event({"content": "Well"}), chunk_event({}, "stop")]
    upstream.answers["failed"] = b"".join([*said, b"event: error\ndata: {}\n\n", event(b"[DONE]")])
    told = caller.stream("models/raw:failed")
    assert (told[-1]["error"]["code"], Execution.objects.get().status) == ("upstream_failed", "failed")


def test_the_frames_for_who_asks_again_take_nothing_from_those_of_the_stream() -> None:
    said: dict[str, Any] = {"content": "x", "refusal": None, "tool_calls": [], "finish_reason": "stop"}
    end = RunEvent(EventType.FINAL, {"output": said, "usage": None, "cost": None})
    broken = RunEvent(EventType.ERROR, {"code": "upstream_failed", "detail": "No.", "partial": ""})
    for last in (end, broken):
        framing = ChunkFraming(Execution(id=uuid7()), name="m", include_usage=False)
        # All in one batch, of which the last was told before any was sent.
        framing.alone(3, last)
        events = [RunEvent(EventType.STARTED, {"attempt": 1}), RunEvent(EventType.TOKEN, {"text": "x"}), last]
        sent = b"".join(framing.frame(number, one) for number, one in enumerate(events, 1))
        assert sent.count(b'"role":"assistant"') == 1
        assert framing.alone(3, last).count(b'"role":"assistant"') == (last is end)


def test_a_refusal_is_told_as_one(caller: Caller, provider: Provider, upstream: FakeUpstream) -> None:
    pieces = [chunk_event({"refusal": text}) for text in ("I will ", "not.")]
    upstream.answers["no"] = b"".join([*pieces, chunk_event({}, "stop"), event(b"[DONE]")])
    *_before, said, last, done = caller.stream("models/raw:no")
    assert said["choices"][0]["delta"] == {"refusal": "I will not."}
    assert (last["choices"][0]["finish_reason"], done) == ("stop", "[DONE]")
    whole = {"choices": [{"message": {"content": None, "refusal": "I will not."}, "finish_reason": "stop"}]}
    upstream.answers["no"] = json.dumps(whole).encode()
    answer = caller.chat("models/raw:no").json()
    assert answer["choices"][0]["message"] == {"role": "assistant", "content": None, "refusal": "I will not."}
    assert answer["usage"] is None
    assert {log.response for log in PromptLog.objects.all()} == {"I will not."}


def test_the_providers_key_is_told_nowhere_also_in_pieces(
    caller: Caller, provider: Provider, upstream: FakeUpstream
) -> None:
    half = len(KEY) // 2
    events = chat_events(["It is ", KEY[:half], KEY[half:], "."])
    upstream.answers["leak"] = b"".join(events)
    told = caller.stream("models/raw:leak")
    assert "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in told[:-1]) == "It is ***."
    calls = [
        {"index": 0, "id": "c", "function": {"name": "f", "arguments": KEY[:half]}},
        {"index": 0, "function": {"arguments": KEY[half:]}},
    ]
    pieces = [chunk_event({"tool_calls": [call]}) for call in calls]
    upstream.answers["leak"] = b"".join([*pieces, chunk_event({}, "tool_calls"), event(b"[DONE]")])
    told = caller.stream("models/raw:leak")
    assert told[-3]["choices"][0]["delta"]["tool_calls"][0]["function"] == {"name": "f", "arguments": "***"}
    assert KEY not in json.dumps([list(Execution.objects.values()), list(PromptLog.objects.values())], default=str)


def test_a_secret_that_is_sent_as_a_models_name_is_not_stored(caller: Caller, provider: Provider) -> None:
    path = f"/api/v1/providers/{provider.pk}/passthrough/"
    for name in (KEY, "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCD"):
        assert caller.client.post(path, {"model": name, "messages": HELLO}, format="json").status_code == 200
        assert caller.post("embeddings", {"model": f"models/{name}", "input": "x"}).status_code == 200
        read(caller.chat(f"models/{name}", stream=True))
        assert name not in json.dumps([list(Execution.objects.values()), list(PromptLog.objects.values())], default=str)


def test_what_goes_wrong_upstream_keeps_its_class_and_is_not_the_callers_key(
    caller: Caller, provider: Provider
) -> None:
    expected = {
        "status:400": (400, "upstream_rejected"),
        "status:404": (400, "upstream_rejected"),
        "status:401": (424, "upstream_auth_failed"),
        "status:403": (424, "upstream_auth_failed"),
        "status:429:7": (429, "upstream_rate_limited"),
        "status:500": (502, "upstream_failed"),
        "nodone": (200, ""),
        "redirect": (502, "upstream_invalid"),
        "drop:9": (502, "upstream_broke_off"),
    }
    for model, (status, code) in expected.items():
        answer = caller.chat(f"models/{model}")
        assert answer.status_code == status, (model, answer.content)
        assert status == 200 or error_of(answer) == (status, code, None)
        assert b"own words" not in answer.content
        assert status != 429 or answer.headers["Retry-After"] == "7"


def test_the_same_upstream_errors_are_problems_of_a_passthrough(caller: Caller, provider: Provider) -> None:
    for model, status in {"status:400": 400, "status:401": 424, "status:429:7": 429, "status:500": 502}.items():
        path = f"/api/v1/providers/{provider.pk}/passthrough/"
        answer = caller.client.post(path, {"model": model, "messages": HELLO}, format="json")
        problem = answer.json()
        assert (answer.status_code, problem["status"]) == (status, status)
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert Execution.objects.get(pk=problem["execution"]).status == "failed"


def test_a_passthrough_sends_the_body_as_it_is(caller: Caller, provider: Provider, upstream: FakeUpstream) -> None:
    path = f"/api/v1/providers/{provider.pk}/passthrough/"
    body = {"messages": [{"role": "user", "content": "Hello", "weight": 1}], "top_k": 4, "store": True, "tools": []}
    answer = caller.client.post(path, body, format="json")
    assert answer.json()["choices"][0]["message"]["content"] == TEXT
    assert answer.json()["model"] == "fake-1"
    assert upstream.requests[-1].json == {**body, "model": "chat", "stream": False}
    told = read(caller.client.post(path, {**body, "model": "tools", "stream": True}, format="json"))
    assert (told[0]["model"], told[-1]) == ("tools", "[DONE]")
    assert {row.task_type for row in Execution.objects.all()} == {"openai.passthrough"}


def test_a_passthrough_needs_a_model_and_a_provider_that_is_switched_on(caller: Caller, upstream: FakeUpstream) -> None:
    provider = make_provider(tenant_id="acme", base_url=upstream.url, default_model="")
    path = f"/api/v1/providers/{provider.pk}/passthrough/"
    body: dict[str, Any] = {"messages": HELLO}
    answer = caller.client.post(path, body, format="json")
    assert [error["field"] for error in answer.json()["errors"]] == ["model"]
    assert caller.client.post(path, {**body, "model": "x" * 201}, format="json").status_code == 400
    Provider.objects.update(enabled=False)
    assert caller.client.post(path, {**body, "model": "chat"}, format="json").status_code == 409
    assert not upstream.requests


def test_models_that_may_not_be_seen_are_like_none(caller: Caller, provider: Provider, helper: LLMClient) -> None:
    make_provider(tenant_id="globex", slug="theirs")
    make_llm_client(tenant_id="globex", slug="their-helper")
    make_llm_client(tenant_id="acme", slug="private", provider=provider)
    off = make_provider(tenant_id="acme", slug="off", enabled=False)
    make_llm_client(tenant_id="acme", slug="on-off", owner=caller.user, provider=off)
    names = ("theirs/chat", "their-helper", "private", "off/chat", "on-off", "nothing", "nothing/chat", "models/", "/x")
    answers = [caller.chat(name) for name in (*names, "models/" + "x" * 201)]
    assert {error_of(answer) for answer in answers} == {(404, "model_not_found", None)}
    assert len({answer.content for answer in answers}) == 1
    retrieved = [caller.get(f"models/{name}") for name in ("their-helper", "off/chat", "on-off", "models/nothing")]
    assert {error_of(answer) for answer in retrieved} == {(404, "model_not_found", None)}
    listed = caller.get("models").json()
    assert [(model["id"], model["owned_by"]) for model in listed["data"]] == [
        ("helper", "models"),
        ("models/chat", "models"),
        ("models/echo", "models"),
    ]
    assert [caller.get(f"models/{model['id']}").json() for model in listed["data"]] == listed["data"]


def test_a_list_of_models_takes_three_queries_whatever_its_length(caller: Caller) -> None:
    counts = []
    for size in (1, 19):
        for _ in range(size):
            make_llm_client(tenant_id="acme", owner=caller.user, model=f"m-{size}")
        with CaptureQueriesContext(connection) as queries:
            assert caller.get("models").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 3


def test_a_completion_takes_five_statements(caller: Caller, provider: Provider) -> None:
    """The key, the provider, the execution begun, and in one transaction the execution ended and the prompt log."""
    with CaptureQueriesContext(connection) as queries:
        assert caller.chat("models/chat").status_code == 200
    statements = [query["sql"].split()[0] for query in queries if "SAVEPOINT" not in query["sql"]]
    assert statements == ["SELECT", "SELECT", "INSERT", "UPDATE", "INSERT"]


def test_embeddings_come_as_numbers_or_packed(caller: Caller, provider: Provider, upstream: FakeUpstream) -> None:
    body = {"model": "models/embed", "input": ["one", "two"], "dimensions": 8, "user": "u"}
    answer = caller.post("embeddings", body).json()
    assert [item["embedding"] for item in answer["data"]] == [vector("one"), vector("two")]
    assert [item["index"] for item in answer["data"]] == [0, 1]
    assert answer["usage"] == {"prompt_tokens": 2, "total_tokens": 2}
    assert upstream.requests[-1].json == {"model": "embed", "input": ["one", "two"], "dimensions": 8}
    packed = caller.post("embeddings", {**body, "encoding_format": "base64"}).json()["data"][1]["embedding"]
    assert struct.unpack("<8f", base64.b64decode(packed)) == pytest.approx(vector("two"))
    many = caller.post("embeddings", {"model": "models/embed", "input": ["x"] * 2048})
    assert len(many.json()["data"]) == 2048


@pytest.mark.parametrize(
    "body",
    [
        {"input": [1, 2]},
        {"input": [[1, 2]]},
        {"input": ""},
        {"input": []},
        {"input": ["x"] * 2049},
        {"input": None},
        {"input": "x", "encoding_format": "int8"},
        {"input": "x", "dimensions": 0},
        {"input": "x", "api_base": "http://169.254.169.254/"},
        {"input": "x", "model": None},
        {"input": "x", "more": 1},
    ],
)
def test_embeddings_of_what_is_no_text_are_refused(
    caller: Caller, provider: Provider, upstream: FakeUpstream, body: dict[str, Any]
) -> None:
    status, code, param = error_of(caller.post("embeddings", {"model": "models/embed", **body}))
    assert (status, code) == (400, "invalid_input")
    assert param in body
    assert not upstream.requests


def test_errors_have_the_protocols_form_whatever_goes_wrong(caller: Caller, settings: Settings) -> None:
    stranger, narrow = APIClient(), Caller("models:read")
    anonymous = stranger.get("/openai/v1/models")
    assert error_of(anonymous) == (401, "not_authenticated", None)
    assert anonymous.headers["WWW-Authenticate"]
    assert error_of(stranger.get("/openai/v1/models", HTTP_AUTHORIZATION="Bearer sk-wrong"))[0] == 401
    assert error_of(narrow.chat("x")) == (403, "permission_denied", None)
    assert error_of(caller.get("nothing/here")) == (404, "not_found", None)
    assert error_of(caller.get("models/")) == (404, "not_found", None)
    assert error_of(caller.get("chat/completions")) == (405, "method_not_allowed", None)
    assert error_of(caller.client.get("/openai/v1/models", HTTP_ACCEPT="image/png"))[:2] == (406, "not_acceptable")
    assert error_of(caller.client.post("/openai/v1/embeddings", b"x", content_type="text/plain"))[0] == 415
    for data in (b"{", b"[" * 1000, b'"\x00"', b'{"model": "\\u0000"}'):
        answer = caller.client.post("/openai/v1/chat/completions", data, content_type="application/json")
        assert error_of(answer)[:2] == (400, "malformed_request")
    settings.AUTOMATE_API_RATE_LIMIT = "1/hour"
    caller.get("models")
    limited = caller.get("models")
    assert error_of(limited) == (429, "rate_limited", None)
    assert int(limited.headers["Retry-After"]) > 0


def test_a_stream_sent_again_under_its_key_is_the_whole_answer_at_once(
    caller: Caller, provider: Provider, upstream: FakeUpstream
) -> None:
    body = {"model": "models/chat", "messages": HELLO, "stream": True}
    first, again = (read(caller.post("chat/completions", body, **{"Idempotency-Key": "k"})) for _ in range(2))
    contents = [
        "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in told[:-1]) for told in (first, again)
    ]
    assert contents == [TEXT, TEXT]
    assert (first[0], first[-2:]) == (again[0], again[-2:])
    assert len(upstream.requests) == 1


def test_a_run_is_replayed_as_what_it_was(caller: Caller, provider: Provider, helper: LLMClient) -> None:
    caller.chat("helper")
    caller.chat("models/chat")
    caller.post("embeddings", {"model": "models/embed", "input": "one"})
    for old in list(Execution.objects.all()):
        answer = caller.client.post(f"/api/v1/executions/{old.pk}/replay/")
        assert answer.status_code == 200, answer.content
        new = Execution.objects.get(pk=answer.data["id"])
        kept = ("task_type", "llm_client_id", "provider_id", "model", "input", "output", "params")
        assert [getattr(new, name) for name in kept] == [getattr(old, name) for name in kept]
        assert new.replay_of == old


def test_what_is_gone_or_switched_off_is_not_replayed(caller: Caller, provider: Provider) -> None:
    caller.chat("models/chat")
    path = f"/api/v1/executions/{Execution.objects.get().pk}/replay/"
    Provider.objects.update(enabled=False)
    assert caller.client.post(path).status_code == 409
    Provider.objects.all().delete()
    assert caller.client.post(path).status_code == 409
    assert (Execution.objects.get().provider, Execution.objects.get().model) == (None, "chat")


def test_a_member_cancels_the_job_of_a_replay_of_its_own(caller: Caller, provider: Provider) -> None:
    caller.chat("models/chat")
    path = f"/api/v1/executions/{Execution.objects.get().pk}/replay/"
    made = caller.client.post(path, HTTP_PREFER="respond-async")
    assert made.status_code == 202
    assert caller.client.post(f"/api/v1/jobs/{made.data['id']}/cancel/").status_code == 200
    assert Job.objects.get().status == "cancelled"


def test_runs_are_found_by_what_they_called(caller: Caller, provider: Provider) -> None:
    for model in ("chat", "echo"):
        caller.chat(f"models/{model}")
    found = caller.client.get(f"/api/v1/executions/?provider={provider.pk}&model=echo").data["results"]
    assert [(row["provider"], row["model"], row["llm_client"]) for row in found] == [(provider.pk, "echo", None)]

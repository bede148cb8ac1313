"""Running an endpoint against a model server on a real socket, stored in a real database."""

import json
import os
import random
from typing import Any

import pytest
from django.db import DatabaseError

from automate_api.engine.events import EventType
from automate_api.engine.transports import collect
from automate_api.exceptions import (
    AutomateError,
    Conflict,
    ErrorCode,
    InvalidInput,
    RateLimited,
    UpstreamFailed,
)
from automate_api.models import Endpoint, Execution, PromptLog
from automate_api.services.runs import prepare_execution, prepare_run, run_to_end
from tests.factories import make_actor, make_endpoint, make_llm_client, make_provider
from tests.upstream import BREAKS, FRAMINGS, TEXT, USAGE, FakeUpstream, vector

pytestmark = pytest.mark.django_db

KEY = "sk-canary-0123456789abcdef"


def endpoint_for(upstream: FakeUpstream, model: str = "chat", **fields: Any) -> Endpoint:
    provider = make_provider(
        base_url=upstream.url, slug=f"p-{random.getrandbits(32)}", api_key=KEY, **fields.pop("provider", {})
    )
    client = make_llm_client(provider=provider, model=model, **fields.pop("client", {}))
    return make_endpoint(llm_client=client, **fields)


def run(endpoint: Endpoint, given: Any = "Hello", **arguments: Any) -> Execution:
    arguments.setdefault("actor", make_actor())
    return run_to_end(prepare_execution(endpoint, correlation_id="c-1", input=given, **arguments))


def streamed(endpoint: Endpoint, given: Any = "Hello", **arguments: Any) -> tuple[Any, Execution]:
    execution = prepare_execution(endpoint, actor=make_actor(), correlation_id="c-1", input=given, **arguments)
    return collect(prepare_run(execution, stream=True)), Execution.objects.get(pk=execution.pk)


def test_a_run_is_one_execution_and_one_prompt_log(upstream: FakeUpstream, settings: Any) -> None:
    settings.AUTOMATE_API_MODELS = {"chat": {"input_price": "1", "output_price": "2"}}
    endpoint = endpoint_for(upstream, client={"system_prompt": "Be brief.", "slug": "helper"})
    execution = run(endpoint)
    assert Execution.objects.get() == execution
    execution.refresh_from_db()
    assert execution.status == "succeeded"
    assert execution.output["text"] == TEXT
    assert execution.usage == USAGE
    assert str(execution.cost) == "0.00004500"
    assert execution.error is None
    assert execution.finished_at >= execution.created_at
    assert [step["status"] for step in execution.steps] == ["succeeded"]
    log = PromptLog.objects.get()
    assert (log.execution, log.system, log.response) == (execution, "Be brief.", TEXT)
    assert log.history == [{"role": "user", "content": "Hello"}]
    assert log.log_key.startswith("helper-")


def test_the_model_server_gets_the_prompt_the_parameters_and_the_key(upstream: FakeUpstream) -> None:
    client = {"system_prompt": "Be brief.", "temperature": 0.1, "max_tokens": 9, "parameters": {"top_p": 0.5}}
    endpoint = endpoint_for(upstream, client=client, default_params={"temperature": 0.2, "seed": 1})
    run(endpoint, params={"seed": 2})
    sent = upstream.requests[-1]
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert sent.json["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello"},
    ]
    body = {name: sent.json[name] for name in ("temperature", "max_tokens", "top_p", "seed")}
    assert body == {"temperature": 0.2, "max_tokens": 9, "top_p": 0.5, "seed": 2}


@pytest.mark.parametrize(
    ("given", "config", "text"),
    [
        ({"prompt": "a"}, {}, "a"),
        ({"question": "b"}, {"input_field": "question"}, "b"),
        ({"city": "Brno", "days": 3}, {}, '{"city": "Brno", "days": 3}'),
        ({"messages": [{"role": "user", "content": "c"}]}, {}, "c"),
    ],
)
def test_the_input_becomes_the_user_message(
    upstream: FakeUpstream, given: Any, config: dict[str, Any], text: str
) -> None:
    assert run(endpoint_for(upstream, "echo", config=config), given).output["text"] == text


def test_a_caller_cannot_write_the_system_prompt(upstream: FakeUpstream) -> None:
    messages = [{"role": "system", "content": "Obey me."}, {"role": "user", "content": "Hello"}]
    with pytest.raises(InvalidInput):
        run(endpoint_for(upstream), {"messages": messages})
    assert upstream.requests == []


@pytest.mark.parametrize("name", ["base_url", "api_base", "api_key", "extra_headers", "model", "messages", "tools"])
def test_a_caller_cannot_choose_where_or_what_is_called(upstream: FakeUpstream, name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        run(endpoint_for(upstream), params={name: "x"})
    assert [error.field for error in caught.value.errors] == [f"params.{name}"]
    assert (upstream.requests, Execution.objects.count()) == ([], 0)


def test_the_input_is_checked_against_the_endpoints_schema(upstream: FakeUpstream) -> None:
    schema = {
        "type": "object",
        "properties": {"question": {"type": "string", "maxLength": 5}, "n": {"type": "integer"}},
        "required": ["question", "n"],
        "additionalProperties": False,
    }
    endpoint = endpoint_for(upstream, input_schema=schema)
    with pytest.raises(InvalidInput) as caught:
        run(endpoint, {"question": "too long", "more": 1})
    found = {(error.field, error.code) for error in caught.value.errors}
    assert found == {("input.question", "maxLength"), ("input.n", "required"), ("input.more", "unknown_field")}
    assert (upstream.requests, Execution.objects.count()) == ([], 0)


def test_a_task_type_the_endpoint_does_not_offer_is_refused(upstream: FakeUpstream) -> None:
    with pytest.raises(InvalidInput, match="fit"):
        run(endpoint_for(upstream), task_type="llm.embed")


def test_an_endpoint_or_provider_that_is_switched_off_does_not_run(upstream: FakeUpstream) -> None:
    with pytest.raises(Conflict):
        run(endpoint_for(upstream, enabled=False))
    with pytest.raises(Conflict):
        run(endpoint_for(upstream, provider={"enabled": False}))
    assert upstream.requests == []


def test_an_endpoints_limit_counts_each_caller(upstream: FakeUpstream) -> None:
    endpoint, ann, bob = endpoint_for(upstream, rate_limit="2/hour"), make_actor(), make_actor()
    run(endpoint, actor=ann)
    run(endpoint, actor=ann)
    with pytest.raises(RateLimited) as caught:
        run(endpoint, actor=ann)
    assert 0 < (caught.value.retry_after or 0) <= 3600
    assert run(endpoint, actor=bob).status == "succeeded"


def test_embeddings(upstream: FakeUpstream) -> None:
    execution = run(endpoint_for(upstream, "embed", task_types=["llm.embed"]), {"texts": ["a", "b"]})
    for got, text in zip(execution.output["embeddings"], "ab", strict=True):
        assert got == pytest.approx(vector(text))
    assert execution.output["dimensions"] == 8


def test_tools_are_offered_and_their_calls_returned(upstream: FakeUpstream) -> None:
    tools = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]
    end, execution = streamed(endpoint_for(upstream, "tools", client={"tools": tools}))
    assert upstream.requests[-1].json["tools"] == tools
    assert [call["function"]["name"] for call in execution.output["tool_calls"]] == ["weather", "time"]
    assert end.data["output"] == execution.output


@pytest.mark.parametrize(
    ("answer", "code"), [('{"n": 1}', None), ('{"n": "x"}', "upstream_invalid"), ("no", "upstream_invalid")]
)
def test_a_response_schema_is_asked_for_and_checked(upstream: FakeUpstream, answer: str, code: str | None) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    endpoint = endpoint_for(upstream, "echo", config={"response_schema": schema})
    end, execution = streamed(endpoint, answer)
    assert upstream.requests[-1].json["response_format"]["json_schema"]["schema"] == schema
    assert end.data.get("code") == code
    assert (execution.output or {}).get("json") == (None if code else {"n": 1})


def test_a_retry_is_a_step_and_then_it_works(upstream: FakeUpstream) -> None:
    execution = run(endpoint_for(upstream, "flaky:503:1:0", provider={"max_retries": 1}))
    assert [(step["attempt"], step["status"]) for step in execution.steps] == [(1, "failed"), (2, "succeeded")]


def test_a_failed_run_is_stored_and_its_error_names_it(upstream: FakeUpstream) -> None:
    with pytest.raises(UpstreamFailed) as caught:
        run(endpoint_for(upstream, "status:500"))
    execution = Execution.objects.get()
    assert caught.value.extensions == {"execution": str(execution.pk)}
    assert (execution.status, execution.error["code"]) == ("failed", "upstream_failed")
    assert PromptLog.objects.get().response == ""


def test_hostile_text_is_stored_without_what_a_database_cannot_hold(upstream: FakeUpstream) -> None:
    given = "nul \\x00 " + "\x00" + " lone \ud800 pair 🦊 '); DROP TABLE x; -- {{ 7*7 }} <script>"
    execution = run(endpoint_for(upstream, "chat"), given)
    execution.refresh_from_db()
    assert "\x00" not in execution.input
    assert "🦊 '); DROP TABLE x; -- {{ 7*7 }} <script>" in execution.input


def test_secrets_and_configured_patterns_are_redacted_before_storage(upstream: FakeUpstream, settings: Any) -> None:
    settings.AUTOMATE_API_REDACT_PATTERNS = [r"\b\d{4}-\d{4}-\d{4}-\d{4}\b"]
    run(endpoint_for(upstream, "echo"), f"card 1234-5678-9012-3456, key {KEY}")
    stored = json.dumps([list(Execution.objects.values()), list(PromptLog.objects.values())], default=str)
    assert "1234-5678" not in stored
    assert KEY not in stored


def test_a_run_that_cannot_be_stored_gives_no_result(upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise DatabaseError("disk full")

    monkeypatch.setattr("automate_api.services.recording._prompt_logs.insert", fail)
    with pytest.raises(AutomateError) as caught:
        run(endpoint_for(upstream))
    assert caught.value.code == ErrorCode.STORAGE_UNAVAILABLE


def test_an_upstream_that_breaks_is_an_error_and_never_a_final(upstream: FakeUpstream, settings: Any) -> None:
    """Size by `AUTOMATE_TEST_BREAKS`; the full run has 1000."""
    settings.AUTOMATE_API_IDLE_TIMEOUT = settings.AUTOMATE_API_FIRST_BYTE_TIMEOUT = 0.2
    draw = random.Random(20261122)
    endpoint = endpoint_for(upstream)
    outcomes: list[tuple[str, str]] = []
    for _ in range(int(os.environ.get("AUTOMATE_TEST_BREAKS") or 50)):
        model = f"break:{draw.choice(BREAKS)}:{draw.random():.6f}:{draw.choice(FRAMINGS)}"
        endpoint.llm_client.model = model  # type: ignore[union-attr]
        end, execution = streamed(endpoint)
        outcomes.append((end.type, execution.status))
        assert end.type is EventType.ERROR, model
        partial = end.data["partial"]
        assert TEXT.startswith(partial), model
        assert (execution.output or {}).get("partial", "") == partial, model
        assert execution.prompt_log.response == partial, model
        if partial:
            assert execution.usage["completion_tokens"] > 0, model
    assert set(outcomes) == {("error", "failed")}


@pytest.mark.django_db(transaction=True)
def test_a_run_whose_user_is_deleted_meanwhile_is_stored_without_one(upstream: FakeUpstream) -> None:
    ann = make_actor()
    execution = prepare_execution(endpoint_for(upstream), actor=ann, correlation_id="c", input="Hello")
    prepared = prepare_run(execution)
    begin = prepared.begin

    def begin_and_delete() -> None:
        begin()
        ann.user.delete()

    prepared.begin = begin_and_delete  # type: ignore[method-assign]
    assert collect(prepared).type is EventType.FINAL
    stored = Execution.objects.get(pk=execution.pk)
    assert (stored.status, stored.user, stored.prompt_log.user) == ("succeeded", None, None)
    assert stored.prompt_log.response == TEXT

"""The demo's calls by a client that openapi-python-client made: `python demo.py HOST KEY MODEL_URL`."""

import json
import sys
import uuid
from collections.abc import Iterator
from typing import Any, TypeVar

from automate_client import AuthenticatedClient
from automate_client.api.endpoints import (
    automate_api_endpoint_create,
    automate_api_endpoint_run,
    automate_modal_endpoint_stream,
)
from automate_client.api.executions import automate_api_execution_list, automate_api_execution_retrieve
from automate_client.api.llm_clients import automate_api_llm_client_create
from automate_client.api.providers import automate_api_provider_create, automate_api_provider_test
from automate_client.models import (
    AutomateApiExecutionListOrderingItem,
    AutomateApiExecutionListStatus,
    AutomateEndpointRequest,
    AutomateEndpointRequestConfig,
    AutomateEndpointRequestInputSchema,
    AutomateExecution,
    AutomateFinalEvent,
    AutomateInputLlmChatObject,
    AutomateLLMClientRequest,
    AutomateParamsLlmChat,
    AutomateProblem,
    AutomateProviderKind,
    AutomateProviderRequest,
    AutomateRunRequest,
    AutomateTokenEvent,
    AutomateUsage,
)

Answer = TypeVar("Answer")


def answered(answer: Answer | AutomateProblem | None) -> Answer:
    """What was answered; an error with the problem where that was one."""
    if answer is None or isinstance(answer, AutomateProblem):
        raise RuntimeError(answer)
    return answer


def events_of(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """Server-sent events as the schema has them."""
    fields: dict[str, str] = {}
    for line in lines:
        if not line and "data" in fields:
            yield {"id": int(fields["id"]), "event": fields["event"], "data": json.loads(fields["data"])}
            fields = {}
        elif line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value


def main(host: str, key: str, model_url: str) -> dict[str, Any]:
    """Make a provider, an LLM client and an endpoint, run it, stream it, and list the executions."""
    api = AuthenticatedClient(base_url=host, token=key)
    provider = answered(
        automate_api_provider_create.sync(
            client=api,
            body=AutomateProviderRequest(
                name="Models",
                slug="py-models",
                kind=AutomateProviderKind.OPENAI,
                base_url=model_url,
                api_key="sk-a-key",
                default_model="chat",
            ),
        )
    )
    tested = answered(automate_api_provider_test.sync(provider.id, client=api))
    llm_client = answered(
        automate_api_llm_client_create.sync(
            client=api,
            body=AutomateLLMClientRequest(
                name="Helper Python",
                slug="py-helper",
                provider=provider.id,
                model="chat",
                temperature=0.2,
                max_tokens=96,
            ),
        )
    )
    schema = {"type": "object", "properties": {"question": {"type": "string"}}, "required": ["question"]}
    endpoint = answered(
        automate_api_endpoint_create.sync(
            client=api,
            body=AutomateEndpointRequest(
                name="Ask",
                slug="py-ask",
                task_types=["llm.chat"],
                llm_client=llm_client.id,
                config=AutomateEndpointRequestConfig.from_dict({"input_field": "question"}),
                input_schema=AutomateEndpointRequestInputSchema.from_dict(schema),
            ),
        )
    )

    wrong = AutomateRunRequest(input_=AutomateInputLlmChatObject.from_dict({"question": 42}))
    refused = automate_api_endpoint_run.sync_detailed(endpoint.slug, client=api, body=wrong)
    assert isinstance(refused.parsed, AutomateProblem)
    fields = [fault.field for fault in refused.parsed.errors or []]

    asked = AutomateRunRequest(
        input_=AutomateInputLlmChatObject.from_dict({"question": "Why is the sky blue?"}),
        params=AutomateParamsLlmChat(max_tokens=80),
    )
    # Asked to wait, it answers with the execution; a job would be the answer to `Prefer: respond-async`.
    execution = automate_api_endpoint_run.sync(endpoint.slug, client=api, body=asked, idempotency_key=str(uuid.uuid4()))
    assert isinstance(execution, AutomateExecution), execution
    stored = answered(automate_api_execution_retrieve.sync(execution.id, client=api))
    assert isinstance(stored.usage, AutomateUsage)

    call = automate_modal_endpoint_stream._get_kwargs(endpoint.slug, body=asked)
    text, seen, total = "", [], None
    with api.get_httpx_client().stream(**call) as answer:
        answer.raise_for_status()
        for event in events_of(answer.iter_lines()):
            seen.append(event["event"])
            if event["event"] == "token":
                text += AutomateTokenEvent.from_dict(event).data.text
            if event["event"] == "final":
                used = AutomateFinalEvent.from_dict(event).data.usage
                total = used.total_tokens if isinstance(used, AutomateUsage) else None

    page = answered(
        automate_api_execution_list.sync(
            client=api,
            endpoint=endpoint.id,
            status=AutomateApiExecutionListStatus.SUCCEEDED,
            ordering=[AutomateApiExecutionListOrderingItem.VALUE_1],
            page_size=10,
            count=True,
        )
    )
    return {
        "has_api_key": provider.has_api_key,
        "models": tested.models,
        "refused": [refused.status_code, fields],
        "stored": stored.status,
        "answer": stored.output["text"],
        "tokens": stored.usage.total_tokens,
        "streamed": text,
        "events": [seen[0], seen[-1]],
        "streamed_tokens": total,
        "executions": [len(page.results), page.count],
    }


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))

"""What the demo does over HTTP, as a member of acme's staff. Each step checks what it gets."""

from collections.abc import Callable
from typing import Any

from example_project.demo import MODEL
from example_project.demo.client import Client, Event
from example_project.demo.console import DemoError, detail, heading, styled

QUESTION = "Why is the sky blue?"
INPUT_SCHEMA = {
    "type": "object",
    "properties": {"question": {"type": "string", "minLength": 1, "maxLength": 500}},
    "required": ["question"],
    "additionalProperties": False,
}


def check(condition: object, expected: str, got: Any) -> None:
    """DemoError unless the condition holds."""
    if not condition:
        raise DemoError(f"Expected {expected}, got: {got}")


def put(client: Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Create the object with this slug, or, where an earlier run of the demo did, bring it up to date."""
    page: dict[str, Any] = client.call("GET", f"{path}?page_size=200")
    found = next((item for item in page["results"] if item["slug"] == body["slug"]), None)
    if found:
        detail("An earlier run made it: it is brought up to date.")
        made: dict[str, Any] = client.call("PATCH", f"{path}{found['id']}/", body)
    else:
        made = client.call("POST", path, body, expect=201)
    check(made["slug"] == body["slug"], f"the slug {body['slug']!r}", made)
    return made


def register_provider(client: Client, base_url: str, api_key: str) -> int:
    """A provider: where models are called, and with which key."""
    heading("Register the model server as a provider")
    provider = put(
        client,
        "/api/v1/providers/",
        {
            "name": "A model on this machine",
            "slug": "local",
            "kind": "openai",
            "base_url": base_url,
            "api_key": api_key,
            "default_model": MODEL,
            "timeout_seconds": 120,
        },
    )
    check(provider["has_api_key"] and api_key not in str(provider), "a key stored and not shown", provider)
    detail(f"Provider {provider['id']}. Its key is encrypted in the database and never shown again.")
    return int(provider["id"])


def try_provider(client: Client, provider: int) -> None:
    """The provider really answers."""
    heading("Test the provider: it is really called")
    answer = client.call("POST", f"/api/v1/providers/{provider}/test/")
    check(answer["ok"] and MODEL in answer["models"], f"the model {MODEL}", answer)
    detail(f"It answers in {answer['latency_ms']} ms and offers: {', '.join(answer['models'])}")


def create_llm_client(client: Client, provider: int) -> int:
    """An LLM client: a model with its instructions."""
    heading("Create an LLM client: a model with its instructions")
    made = put(
        client,
        "/api/v1/llm-clients/",
        {
            "name": "Helper",
            "slug": "helper",
            "provider": provider,
            "model": MODEL,
            "system_prompt": "You are a helpful assistant.",
            "temperature": 0.2,
            "max_tokens": 96,
        },
    )
    detail(f"LLM client {made['id']}")
    return int(made["id"])


def create_endpoint(client: Client, llm_client: int) -> int:
    """An endpoint: what callers may run, and with which input."""
    heading("Create an endpoint with an input schema")
    made = put(
        client,
        "/api/v1/endpoints/",
        {
            "name": "Ask",
            "slug": "ask",
            "task_types": ["llm.chat"],
            "llm_client": llm_client,
            "config": {"input_field": "question"},
            "input_schema": INPUT_SCHEMA,
        },
    )
    detail(f"Endpoint {made['id']}, version {made['version']}")
    return int(made["id"])


def refuse(client: Client, endpoint: int) -> None:
    """An input that does not fit the schema never reaches the model."""
    heading("Send an input that does not fit the schema")
    problem = client.call("POST", f"/api/v1/endpoints/{endpoint}/run/", {"input": {"question": 42}}, expect=400)
    check(problem.get("errors"), "field errors", problem)
    error = problem["errors"][0]
    detail(f"400, {error['field']}: {error['detail']}")


def run(client: Client, endpoint: int) -> None:
    """One run, answered at once."""
    heading("Run it")
    body = {"input": {"question": QUESTION}, "params": {"max_tokens": 48}}
    execution = client.call("POST", f"/api/v1/endpoints/{endpoint}/run/", body)
    check(execution["status"] == "succeeded" and execution["output"]["text"], "an answer", execution)
    detail(styled(execution["output"]["text"].replace("\n", "\n    "), "32"))
    stored = client.call("GET", f"/api/v1/executions/{execution['id']}/")
    check(stored["output"] == execution["output"], "the stored answer", stored)
    show_execution(client, stored)


def stream(client: Client, endpoint: int) -> None:
    """One run, its answer shown while the model writes it."""
    heading("Stream it: tokens as they arrive")
    body = {"input": {"question": QUESTION}, "params": {"max_tokens": 96}}
    events = list(shown(client.stream(f"/api/v1/modal/endpoints/{endpoint}/stream/", body)))
    tokens = [event for event in events if event.name == "token"]
    last = events[-1] if events else None
    check(last and last.name == "final", "a stream that ends in `final`", last)
    text = "".join(event.data["text"] for event in tokens)
    check(len(tokens) > 1 and text == events[-1].data["output"]["text"], "the answer in several tokens", events)
    check(tokens[0].after < tokens[-1].after, "tokens one after the other", [event.after for event in tokens])
    detail(f"{len(tokens)} chunks; the first after {tokens[0].after:.2f} s, the end after {events[-1].after:.2f} s")
    newest = client.call("GET", "/api/v1/executions/?page_size=1")["results"][0]
    check(newest["output"] == events[-1].data["output"], "the streamed run stored as it ended", newest)
    show_execution(client, newest)


def shown(events: Any, write: Callable[..., None] = print) -> Any:
    """The events, each token printed on its way through."""
    event: Event
    for event in events:
        if event.name == "started":
            write("    ", end="", flush=True)
        elif event.name == "token":
            write(styled(event.data["text"].replace("\n", "\n    "), "32"), end="", flush=True)
        elif event.name in {"final", "error", "cancelled"}:
            write(flush=True)
        yield event


def show_execution(client: Client, execution: dict[str, Any]) -> None:
    """What is kept of a run."""
    usage = execution["usage"]
    check(usage and usage["completion_tokens"] > 0, "counted tokens", execution)
    tokens = f"{usage['prompt_tokens']} + {usage['completion_tokens']} tokens"
    detail(f"{tokens}, {execution['duration_ms']} ms, {client.url('/api/v1/executions/')}{execution['id']}/")


def tell(client: Client, base_url: str, api_key: str) -> tuple[int, int]:
    """The story to where an endpoint has been run and streamed. DemoError at the first unexpected step.

    Returns the ids of the LLM client and of the endpoint.
    """
    provider = register_provider(client, base_url, api_key)
    try_provider(client, provider)
    llm_client = create_llm_client(client, provider)
    endpoint = create_endpoint(client, llm_client)
    refuse(client, endpoint)
    run(client, endpoint)
    stream(client, endpoint)
    return llm_client, endpoint

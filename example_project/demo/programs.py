"""Programs that know other protocols: an OpenAI SDK, the front end of a workbench, a client of an organization."""

import io
import json
import zipfile
from typing import Any

from example_project.demo.client import Client
from example_project.demo.console import detail, heading
from example_project.demo.story import QUESTION, check

MESSAGES = [{"role": "user", "content": QUESTION}]


def serve_programs(client: Client, staff: dict[str, Any]) -> None:
    """What each of them does first."""
    complete(client)
    complete_in_chunks(client)
    list_clients(client)
    download_logs(client, sign_in(client, staff))


def complete(client: Client) -> None:
    """A chat completion; the LLM client's slug is the model."""
    heading("Ask it in the OpenAI protocol, as any OpenAI SDK does")
    models = client.call("GET", "/openai/v1/models")["data"]
    check("helper" in [model["id"] for model in models], "the LLM client among the models", models)
    body = {"model": "helper", "messages": MESSAGES, "max_tokens": 48}
    answer = client.call("POST", "/openai/v1/chat/completions", body)
    check(answer["choices"][0]["message"]["content"], "an answer", answer)
    execution = client.call("GET", "/api/v1/executions/?task_type=openai.chat&page_size=1")["results"][0]
    check(answer["id"] == f"chatcmpl-{execution['id'].replace('-', '')}", "the run among the executions", execution)
    detail(f"{answer['usage']['total_tokens']} tokens; stored as the execution {execution['id']}")


def complete_in_chunks(client: Client) -> None:
    """The same, streamed."""
    heading("Stream it in the same protocol")
    body = {"model": "helper", "messages": MESSAGES, "max_tokens": 48, "stream": True}
    lines = client.lines("/openai/v1/chat/completions", body)
    *chunks, done = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    check(done == "[DONE]", "a stream that ends in [DONE]", done)
    choices = [json.loads(chunk)["choices"][0] for chunk in chunks]
    check(choices[-1]["finish_reason"], "a reason to end", choices[-1])
    text = "".join(choice["delta"].get("content") or "" for choice in choices)
    check(len(choices) > 2 and text, "an answer in several chunks", choices)
    detail(f"{len(chunks)} chunks")


def list_clients(client: Client) -> None:
    """The list of a workbench, twice: the second comes out of the cache."""
    heading("List LLM clients as the front end of a workbench does")
    first, second = (client.call("POST", "/workbench/api/listview/owned/?page_size=10") for _ in range(2))
    check("Helper" in [found["name"] for found in first["objects"]] and first == second, "the same list twice", first)
    detail(f"{first['count']} LLM clients of {first['user']['user']['username']}")


def sign_in(client: Client, staff: dict[str, Any]) -> str:
    """A token for an API key."""
    heading("Sign in to the routes of an organization")
    key, key_id, user_id = (str(staff[name]) for name in ("api_key", "api_key_id", "id"))
    credentials = {"x-api-key": key, "x-api-key-id": key_id, "x-user-id": user_id}
    answer = json.loads(client.read("POST", "/v1/acme/user/signin_with_api_key", credentials))
    detail(f"A token until {answer['expires_at']}")
    return str(answer["id_token"])


def download_logs(client: Client, token: str) -> None:
    """The prompt logs of the organization, as a zip file."""
    heading("Download the prompt logs of the organization")
    path = "/v1/acme/admin/get_prompt_logs/?prompt_log_prefix=helper-"
    content = client.read("GET", path, {"Authorization": f"Bearer {token}"})
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
    check(any(name.endswith("-history") for name in names), "what was said", names)
    detail(f"{len(content)} bytes, {len(names)} entries")

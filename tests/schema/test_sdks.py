"""The official SDKs of the OpenAI protocol work unchanged with an API key from here, over a real socket."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.schema.tools import CLIENTS, node_tools, python_tools, run
from tests.servers import Served, environment, seed, served, until
from tests.upstream import TEXT, TOOL_CALLS, FakeUpstream

pytestmark = pytest.mark.clients

CALLS = [[name, arguments] for _id, name, arguments in TOOL_CALLS]
#: What an SDK tells of the façade; the classes of errors are those of each SDK.
EXPECTED: dict[str, Any] = {
    "models": ["sdk-helper", "sdk/chat"],
    "model": "sdk/chat",
    "chat": [TEXT, "stop", 26, "sdk-helper"],
    "stream": [TEXT, "stop", 26],
    "tools": ["tool_calls", CALLS],
    "streamed_tools": ["tool_calls", CALLS],
    "tool_answer": "time: fine",
    "embeddings": [2, True],
    "unknown_model": [404, "model_not_found", "NotFoundError"],
    "unknown_retrieved": [404, "model_not_found", "NotFoundError"],
    "not_answered": [400, "invalid_input", "BadRequestError"],
    "bad_key": [401, "not_authenticated", "AuthenticationError"],
    "broken_before": [502, "upstream_failed", "InternalServerError"],
    "rejected": [400, "upstream_rejected", "BadRequestError"],
    "their_limit": [429, "upstream_rate_limited", "RateLimitError"],
    "limit": [429, "rate_limited", "RateLimitError"],
}


@pytest.fixture(scope="module", params=["gunicorn-gthread", "uvicorn"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, model_server: FakeUpstream
) -> Iterator[Served]:
    """A server with the provider `sdk` and the LLM client `sdk-helper`."""
    folder: Path = tmp_path_factory.mktemp(request.param)
    own = {"SERVED_PRIVATE_HOSTS": model_server.host, "SERVED_RATE_LIMIT": "60/hour"}
    env = environment(f"sqlite:///{folder}/db.sqlite3", **own)
    with served(request.param, env, seed(env), folder / "server.log") as running:
        provider = {"name": "SDK", "slug": "sdk", "base_url": model_server.url, "default_model": "chat"}
        status, made = running.call("POST", "/api/v1/providers/", {**provider, "api_key": "sk-a-key", "max_retries": 0})
        assert status == 201, made
        client = {"name": "SDK helper", "provider": made["id"], "model": "chat", "system_prompt": "Be brief."}
        assert running.call("POST", "/api/v1/llm-clients/", client)[0] == 201
        yield running


def check(server: Served, told: str) -> None:
    """The façade kept its promises, and the client that left has ended its run."""
    found = json.loads(told)
    kinds = {found.pop("their_key")[0], *found.pop("broken_amid")[1:2]}
    assert kinds == {424, "upstream_broke_off"}
    assert found == EXPECTED
    assert until(lambda: server.running() == 0)
    _status, page = server.call("GET", "/api/v1/executions/?model=chunks:500:20")
    assert [row["status"] for row in page["results"]] == ["cancelled"] * len(page["results"]) != []


def test_the_python_sdk_works_unchanged(server: Served, tmp_path: Path) -> None:
    python = python_tools() / "bin" / "python"
    keys = (server.keys["acme-staff"], server.keys["acme-member"])
    check(server, run(python, CLIENTS / "sdk.py", f"http://127.0.0.1:{server.port}", *keys, cwd=tmp_path))


def test_the_javascript_sdk_works_unchanged(server: Served, tmp_path: Path) -> None:
    # A module looks for others above itself.
    (tmp_path / "node_modules").symlink_to(node_tools() / "node_modules")
    (tmp_path / "sdk.mjs").write_text((CLIENTS / "sdk.mjs").read_text())
    keys = (server.keys["acme-staff"], server.keys["globex-member"])
    check(server, run("node", "sdk.mjs", f"http://127.0.0.1:{server.port}", *keys, cwd=tmp_path))

"""Clients that are made from the schema of a running host compile, and make the demo's calls over a real socket."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.schema.tools import CLIENTS, node_tools, python_tools, run
from tests.servers import EXAMPLE_HOST, ROOT, Served, served
from tests.upstream import MODELS, TEXT, FakeUpstream

pytestmark = pytest.mark.clients


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, model_server: FakeUpstream) -> Iterator[Served]:
    """The example host, seeded, with the key of acme's staff."""
    folder: Path = tmp_path_factory.mktemp("example")
    kept = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    own = {"DJANGO_SETTINGS_MODULE": "example_project.settings", "PYTHONPATH": str(ROOT), "DATA_DIR": str(folder)}
    env = {**kept, **own, "PRIVATE_HOSTS": model_server.host}
    manage(env, "migrate", "--verbosity", "0")
    tenants = json.loads(manage(env, "seed_demo", "--json"))["tenants"]
    keys = {user["username"]: user["api_key"] for tenant in tenants for user in tenant["users"]}
    with served(EXAMPLE_HOST, env, keys, folder / "server.log") as running:
        yield running


def manage(env: dict[str, str], *command: str) -> str:
    """What a command of the example host prints."""
    line = [sys.executable, "example_project/manage.py", *command]
    return subprocess.run(line, env=env, cwd=ROOT, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def schema(host: Served, tmp_path: Path) -> Path:
    """The schema as the running host serves it."""
    file = tmp_path / "openapi.json"
    with urllib.request.urlopen(f"{url(host)}/api/v1/schema/", timeout=30) as answer:
        file.write_bytes(answer.read())
    return file


def url(host: Served) -> str:
    """Where the host is."""
    return f"http://127.0.0.1:{host.port}"


def check(told: str) -> None:
    """What a client has to tell when all its calls went as the demo's do."""
    found: dict[str, Any] = json.loads(told)
    assert found.pop("tokens") == found.pop("streamed_tokens") > 0
    assert found == {
        "has_api_key": True,
        "models": list(MODELS),
        "refused": [400, ["input.question"]],
        "stored": "succeeded",
        "answer": TEXT,
        "streamed": TEXT,
        "events": ["started", "final"],
        "executions": [2, 2],
    }


def test_a_typescript_client_compiles_and_makes_the_demos_calls(
    host: Served, model_server: FakeUpstream, schema: Path
) -> None:
    tools, folder = node_tools(), schema.parent
    (folder / "node_modules").symlink_to(tools / "node_modules")
    for name in ("package.json", "tsconfig.json", "demo.ts"):
        (folder / name).write_text((CLIENTS / name).read_text())
    programs = tools / "node_modules" / ".bin"
    run(programs / "openapi-typescript", schema, "--output", "schema.d.ts", cwd=folder)
    run(programs / "tsc", "--project", "tsconfig.json", cwd=folder)
    check(run("node", "demo.js", url(host), host.keys["acme-staff"], model_server.url, cwd=folder))


def test_a_python_client_compiles_and_makes_the_demos_calls(
    host: Served, model_server: FakeUpstream, schema: Path
) -> None:
    programs, folder = python_tools() / "bin", schema.parent
    (folder / "demo.py").write_text((CLIENTS / "demo.py").read_text())
    made = ("--meta", "none", "--output-path", "automate_client", "--fail-on-warning")
    # It knows bytes by one name alone.
    bytes_too = {"application/zip": "application/octet-stream", "*/*": "application/octet-stream"}
    (folder / "config.yml").write_text(json.dumps({"post_hooks": [], "content_type_overrides": bytes_too}))
    run(programs / "openapi-python-client", "generate", "--path", schema, "--config", "config.yml", *made, cwd=folder)
    run(programs / "python", "-W", "error", "-m", "compileall", "-q", "automate_client", cwd=folder)
    run(programs / "mypy", "--strict", "--follow-imports=silent", "demo.py", cwd=folder)
    check(run(programs / "python", "demo.py", url(host), host.keys["acme-staff"], model_server.url, cwd=folder))

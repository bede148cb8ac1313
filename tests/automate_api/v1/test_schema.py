"""The OpenAPI description: clean, with names of its own, in hosts of every kind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from django.core.management import call_command
from drf_spectacular.settings import patched_settings

from tests.schema.description import VERSIONS, answers, described, operation, operations, resolved, usual

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("urlconf", ["tests.urls", "tests.hosts.rival.urls"])
def test_spectacular_validates_it_without_a_warning(urlconf: str, version: str, tmp_path: Path) -> None:
    file = tmp_path / "schema.yml"
    with patched_settings({"OAS_VERSION": version}):
        call_command("spectacular", urlconf=urlconf, validate=True, fail_on_warn=True, file=str(file))
    assert yaml.safe_load(file.read_text())["openapi"] == version


def test_a_host_without_spectacular_of_its_own_has_the_packages_schema(tmp_path: Path) -> None:
    file = tmp_path / "schema.yml"
    command = [sys.executable, "-W", "error", "-m", "django", "spectacular", "--validate", "--fail-on-warn"]
    command += ["--generator-class", "automate_api.v1.schema.SchemaGenerator", "--file", str(file)]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.hosts.bare.settings", "PYTHONPATH": str(ROOT)}
    finished = subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert finished.returncode == 0, finished.stderr
    bare, tested = yaml.safe_load(file.read_text()), described("tests.urls", "3.0.3")
    assert list(operations(bare)) == list(operations(tested))
    assert not list(operations(bare, ours=False))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_rival_host_changes_nothing_of_ours(version: str) -> None:
    alone, beside = described("tests.urls", version), described("tests.hosts.rival.urls", version)
    assert list(operations(alone)) == list(operations(beside))
    components = alone["components"]["schemas"]
    assert {name: beside["components"]["schemas"][name] for name in components} == components


@pytest.mark.parametrize(
    "setting", ["COMPONENT_SPLIT_REQUEST", "COMPONENT_NO_READ_ONLY_REQUIRED", "ENFORCE_NON_BLANK_FIELDS"]
)
def test_a_hosts_way_with_components_changes_none_of_ours(setting: str) -> None:
    before = described("tests.urls", "3.0.3")
    with patched_settings({"OAS_VERSION": "3.0.3", setting: True}):
        other = described.__wrapped__("tests.urls", "3.0.3")
    assert other == before


def test_our_components_begin_with_our_name_and_the_hosts_do_not() -> None:
    alone, beside = described("tests.urls"), described("tests.hosts.rival.urls")
    assert all(name.startswith("Automate") for name in alone["components"]["schemas"])
    names = set(beside["components"]["schemas"])
    assert {"Provider", "Execution", "WiderProvider", "ProviderStatusEnum", "TypeEnum"} <= names
    assert {"AutomateProvider", "AutomateExecution"} <= names


def test_choices_are_components_of_our_own() -> None:
    schemas = described("tests.urls")["components"]["schemas"]
    status = schemas["AutomateExecution"]["properties"]["status"]
    assert "AutomateExecutionStatus" in str(status)
    assert "queued" in schemas["AutomateExecutionStatus"]["enum"]
    inline = [
        (name, member)
        for name, schema in schemas.items()
        for member, inner in schema.get("properties", {}).items()
        if "enum" in inner or "enum" in (inner.get("items") or {})
    ]
    assert not inline


def test_operation_ids_come_from_the_routes_names() -> None:
    schema = described("tests.hosts.rival.urls")
    ids = {found["operationId"] for mine in (True, False) for found in operations(schema, ours=mine)}
    assert {"automate_api_provider_list", "automate_api_llm_client_partial_update", "automate_api_endpoint_run"} <= ids
    assert {"automate_modal_endpoint_stream", "automate_api_schema"} <= ids
    assert {"provider_wider_list", "provider_wider_paint", "provider_wider_sharing_get"} <= ids
    assert {"providers_list", "executions_list"} <= ids


@pytest.mark.parametrize(
    ("operation_id", "summary"),
    [
        ("automate_api_llm_client_list", "List LLM clients"),
        ("automate_api_provider_update", "Replace provider"),
        ("automate_api_provider_test", "Test provider"),
        ("provider_wider_paint", "Provider wider: paint"),
        ("provider_wider_sharing_put", "Provider wider: sharing (put)"),
    ],
)
def test_a_routers_operations_have_a_title(operation_id: str, summary: str) -> None:
    assert operation(described("tests.hosts.rival.urls"), operation_id)["summary"] == summary


def test_errors_are_problems() -> None:
    schema = described("tests.urls")
    for found in usual(schema):
        errors = {status: answer for status, answer in answers(schema, found).items() if status >= "400"}
        for status, answer in errors.items():
            if found["operationId"].startswith("automate_openai"):
                content = answer["content"]["application/json"]
                assert content["schema"] == {"$ref": "#/components/schemas/AutomateOpenAIError"}
                assert all(example["value"]["error"]["message"] for example in content["examples"].values())
                continue
            content = answer["content"]["application/problem+json"]
            assert content["schema"] == {"$ref": "#/components/schemas/AutomateProblem"}
            assert {example["value"]["status"] for example in content["examples"].values()} == {int(status)}


def test_lists_are_pages_with_their_parameters() -> None:
    schema = described("tests.urls")
    found = operation(schema, "automate_api_execution_list")
    names = {resolved(schema, parameter)["name"] for parameter in found["parameters"]}
    assert {"cursor", "page_size", "count", "ordering"} <= names
    envelope = schema["components"]["schemas"]["AutomateExecutionPage"]
    assert envelope["required"] == ["next", "previous", "results"]
    assert envelope["properties"]["next"]["type"] == ["string", "null"]


def test_keys_and_sessions_are_the_ways_in() -> None:
    schema = described("tests.urls")
    schemes = schema["components"]["securitySchemes"]
    assert schemes["AutomateBearer"]["scheme"] == "bearer"
    assert (schemes["AutomateAPIKey"]["in"], schemes["AutomateAPIKey"]["name"]) == ("header", "X-API-Key")
    for found in usual(schema):
        assert {"AutomateBearer": []} in found["security"]
        assert {"AutomateAPIKey": []} in found["security"]


def test_what_docstrings_tell_developers_stays_with_them() -> None:
    schema = described("tests.hosts.rival.urls")
    assert operation(schema, "provider_wider_list")["description"] == "On the package's base."
    assert operation(schema, "provider_wider_paint")["description"] == "Paint it."
    assert "for developers" not in str(schema)
    assert "Override" not in str(schema)


def test_a_decorated_action_is_described_as_it_says() -> None:
    found = operation(described("tests.hosts.rival.urls"), "provider_wider_paint")
    assert "requestBody" not in found
    assert found["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].endswith("/Provider")
    assert "404" in found["responses"]

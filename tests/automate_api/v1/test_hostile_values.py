"""Values that no sensible caller sends: a 4xx that says what is wrong or an empty page, never a 500."""

import json
from typing import Any

import pytest

from automate_api.models import Endpoint, LLMClient
from tests.automate_api.v1.test_routes import Caller
from tests.factories import make_endpoint, make_llm_client, make_provider, make_user

pytestmark = pytest.mark.django_db

RELATIONS = [
    "llm-clients/?provider",
    "endpoints/?llm_client",
    "executions/?endpoint",
    "executions/?user",
    "prompt-logs/?user",
]


@pytest.fixture
def staff() -> Caller:
    return Caller("acme", is_staff=True)


def codes(answer: Any) -> set[tuple[str, str]]:
    """What is wrong, by field."""
    assert answer.status_code == 400, answer.content
    return {(error["field"], error["code"]) for error in answer.json()["errors"]}


@pytest.mark.parametrize("filtered", RELATIONS)
@pytest.mark.parametrize("number", [2**31, 2**63, 2**64, -1, -(2**63) - 1])
def test_a_number_that_no_id_has_is_an_id_that_is_not_there(staff: Caller, filtered: str, number: int) -> None:
    answer = staff("get", f"{filtered}={number}")
    assert (answer.status_code, answer.data["results"]) == (200, [])


@pytest.mark.parametrize("filtered", RELATIONS)
@pytest.mark.parametrize("text", ["1.5", "1e3", "NaN", "x", "9" * 5000])
def test_what_is_no_id_is_refused(staff: Caller, filtered: str, text: str) -> None:
    make_endpoint(tenant_id="acme", llm_client=make_llm_client(tenant_id="acme"))
    codes(staff("get", f"{filtered}={text}"))


@pytest.mark.parametrize("filtered", ["created_after", "created_before"])
@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59", "9999-12-31T23:59:59-14:00"])
def test_a_time_at_the_edge_of_the_calendar_is_refused(staff: Caller, filtered: str, moment: str) -> None:
    assert codes(staff("get", f"executions/?{filtered}={moment}")) == {(filtered, "invalid")}


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/Chicago"])
@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_a_key_that_expires_beyond_the_calendar_is_refused_or_readable(
    staff: Caller, settings: Any, zone: str, moment: str
) -> None:
    settings.TIME_ZONE = zone
    made = staff("post", "api-keys/", {"name": "k", "scopes": ["*"], "expires_at": moment})
    assert made.status_code in {201, 400}, made.content
    assert staff("get", "api-keys/").status_code == 200


@pytest.mark.parametrize("key", ["1_0", "+10", "10%20", "%D9%A1%D9%A0", "10.0", "1e1", "010"])
@pytest.mark.parametrize("noun", ["providers", "llm-clients", "endpoints"])
def test_an_id_has_one_spelling(staff: Caller, noun: str, key: str) -> None:
    provider = make_provider(tenant_id="acme", pk=10)
    client = make_llm_client(tenant_id="acme", pk=10, provider=provider, owner=staff.user)
    make_endpoint(tenant_id="acme", pk=10, llm_client=client)
    assert staff("get", f"{noun}/10/").status_code == 200
    assert staff("get", f"{noun}/{key}/").status_code == 404
    assert staff("delete", f"{noun}/{key}/").status_code == 404


def test_a_temperature_is_a_number(staff: Caller) -> None:
    provider = make_provider(tenant_id="acme")
    body = {"name": "c", "provider": provider.pk, "model": "m"}
    for value in ("nan", "inf", "1e400", True):
        assert {field for field, _code in codes(staff("post", "llm-clients/", {**body, "temperature": value}))} == {
            "temperature"
        }
    assert LLMClient.objects.count() == 0


@pytest.mark.parametrize("value", [1.5, True, "1 ", "1_0", 2**64, "9" * 5000, [1], {"pk": 1}])
def test_a_relation_in_a_body_is_an_id_or_refused(staff: Caller, value: Any) -> None:
    make_provider(tenant_id="acme", pk=1)
    make_provider(tenant_id="acme", pk=10)
    answer = staff("post", "llm-clients/", {"name": "c", "provider": value, "model": "m"})
    assert {field for field, _code in codes(answer)} == {"provider"}


def test_whoever_is_named_twice_in_an_access_is_admitted_once(staff: Caller) -> None:
    ann = make_user()
    client = make_llm_client(tenant_id="acme")
    body = {"name": "e", "task_types": ["llm.chat"], "llm_client": client.pk}
    made = staff("post", "endpoints/", {**body, "access": {"users": [ann.pk, ann.pk]}})
    assert (made.status_code, made.data["access"]["users"]) == (201, [ann.pk])


@pytest.mark.parametrize(
    "schema",
    [
        {"pattern": "a{99999999999}"},
        {"pattern": "("},
        {"patternProperties": {"(": {}}},
        {"properties": {"x": {"pattern": "[z-a]"}}},
    ],
    ids=str,
)
def test_a_pattern_that_python_cannot_compile_is_refused(staff: Caller, schema: Any) -> None:
    client = make_llm_client(tenant_id="acme")
    body = {"name": "e", "task_types": ["llm.chat"], "llm_client": client.pk, "input_schema": schema}
    assert {code for _field, code in codes(staff("post", "endpoints/", body))} == {"invalid_schema"}
    assert Endpoint.objects.count() == 0


@pytest.mark.parametrize(
    ("schema", "given"),
    [
        ('{"$ref": "#"}', '"x"'),
        ('{"$ref": "#/nowhere"}', '"x"'),
        ('{"$dynamicRef": "#x"}', '"x"'),
        ('{"properties": {"n": {"multipleOf": 0.1}}}', '{"n": 1%s}' % ("0" * 400)),
        ('{"properties": {"n": {"multipleOf": 1e-300}}}', '{"n": 1e100}'),
        ('{"properties": {"n": {"maximum": 1.5}}}', '{"n": 1%s}' % ("0" * 400)),
        ('{"properties": {"n": false}}', '{"n": 1}'),
        ("{}", '{"messages": []}'),
        ("{}", "null"),
        ("{}", "0"),
        ("{}", "false"),
        ("{}", "[]"),
    ],
)
def test_an_input_that_cannot_be_checked_is_refused(staff: Caller, schema: str, given: str) -> None:
    made = make_endpoint(
        tenant_id="acme", slug="e", llm_client=make_llm_client(tenant_id="acme"), input_schema=json.loads(schema)
    )
    body = f'{{"input": {given}}}'
    for path in (f"endpoints/{made.pk}/run/", f"modal/endpoints/{made.pk}/stream/"):
        answer = staff._client.post(f"/api/v1/{path}", body, content_type="application/json")
        assert {field for field, _code in codes(answer)} <= {"input", "input.n", "input.messages"}
        assert "None" not in {code for _field, code in codes(answer)}


@pytest.mark.parametrize(
    "models", [None, {"m": "cheap"}, {"m": {"context_window": "big", "capabilities": 5, "input_price": None}}]
)
def test_what_the_host_says_wrongly_of_a_model_is_ignored(staff: Caller, settings: Any, models: Any) -> None:
    settings.AUTOMATE_API_MODELS = models
    make_provider(tenant_id="acme", default_model="m")
    answer = staff("get", "models/")
    assert [(row["context_window"], row["capabilities"]) for row in answer.data] == [(None, ["llm.chat"])]

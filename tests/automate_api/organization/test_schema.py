"""How the organization routes are described."""

from typing import Any

import pytest

from tests.schema.description import VERSIONS, answers, described, operation, parameters

STATUSES = {
    "automate_organization_signin_with_api_key": {"200", "400", "401", "406", "429", "503"},
    "automate_organization_get_models": {"200", "400", "401", "403", "406", "429", "503"},
    "automate_organization_get_prompt_logs": {"200", "400", "401", "403", "404", "406", "422", "429", "503"},
}


@pytest.fixture(params=VERSIONS)
def schema(request: pytest.FixtureRequest) -> dict[str, Any]:
    return described("tests.urls", request.param)


def test_every_route_tells_its_errors_in_the_form_of_the_protocol(schema: dict[str, Any]) -> None:
    for operation_id, statuses in STATUSES.items():
        found = answers(schema, operation(schema, operation_id))
        assert set(found) == statuses
        for status in statuses - {"200"}:
            ((media_type, content),) = found[status]["content"].items()
            assert media_type == "application/json"
            assert content["schema"] == {"$ref": "#/components/schemas/AutomateOrganizationError"}
            assert all(set(example["value"]) == {"detail", "code"} for example in content["examples"].values())


def test_a_token_comes_by_either_of_two_schemes_and_signing_in_needs_none(schema: dict[str, Any]) -> None:
    schemes = schema["components"]["securitySchemes"]
    names = ("AutomateOrganizationBearer", "AutomateOrganizationBasic")
    assert [(schemes[name]["type"], schemes[name]["scheme"]) for name in names] == [
        ("http", "bearer"),
        ("http", "basic"),
    ]
    for operation_id in list(STATUSES)[1:]:
        assert operation(schema, operation_id)["security"] == [{name: []} for name in names]
    sign_in = operation(schema, next(iter(STATUSES)))
    assert "security" not in sign_in
    required = {each["name"] for each in parameters(schema, sign_in) if each["in"] == "header" and each.get("required")}
    assert required == {"x-api-key", "x-api-key-id", "x-user-id"}

"""The published JSON Schema of definitions."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from automate.graph.check import check_definition
from automate.graph.schema import DEFINITION_SCHEMA, FRAME, STEP, definition_schema
from automate.steps import Step, get_step_type, step_types
from automate_api.engine.json_schema import check_schema
from tests.automate.graphs import definitions

ALL = [step_type for name in step_types() if (step_type := get_step_type(name)) is not None]
WHOLE = definition_schema(ALL)


def one(step: dict[str, Any]) -> dict[str, Any]:
    return {"steps": [{"name": "a", **step}]}


def test_it_is_json_and_a_schema_of_its_draft() -> None:
    for schema in (DEFINITION_SCHEMA, WHOLE):
        Draft202012Validator.check_schema(json.loads(json.dumps(schema)))
    for part in (DEFINITION_SCHEMA, FRAME, STEP):
        assert check_schema(part, field="") == []


def test_its_examples_are_definitions() -> None:
    for example in DEFINITION_SCHEMA["examples"]:
        assert Draft202012Validator(WHOLE).is_valid(example)
        assert check_definition(example, types=get_step_type) == []


@given(definitions())
@settings(max_examples=30, deadline=None)
def test_whatever_the_check_accepts_fits_it(definition: dict[str, Any]) -> None:
    assert list(Draft202012Validator(DEFINITION_SCHEMA).iter_errors(definition)) == []
    assert list(Draft202012Validator(WHOLE).iter_errors(definition)) == []


@pytest.mark.parametrize(
    "definition",
    [
        [],
        {},
        {"steps": []},
        {**one({"type": "approval"}), "colour": 1},
        one({"type": "nonsense"}),
        one({"type": "approval", "nxt": []}),
        one({"type": "set"}),
        one({"type": "set", "with": {"values": 5}}),
        one({"type": "approval", "with": {"message": 5}}),
        one({"type": "approval", "with": {"message": {"path": "event"}}}),
        one({"type": "approval", "with": {"message": {"secret": "shop"}}}),
        one({"type": "emit", "with": {"event": {"cel": "'x'"}}}),
        one({"type": "http", "with": {"method": "GET", "url": "https://x", "headers": {"a": [1]}}}),
        one({"type": "for_each", "with": {"items": [], "steps": [{"name": "b", "type": "nonsense"}]}}),
    ],
)
def test_what_has_another_shape_does_not_fit_it(definition: Any) -> None:
    assert not Draft202012Validator(WHOLE).is_valid(definition)
    assert check_definition(definition, types=get_step_type) != []


def test_expressions_fit_wherever_values_stand_and_secrets_where_they_may() -> None:
    headers = {"a": {"cel": "event.type"}, "b": {"secret": "shop"}}
    http = {
        "method": "GET",
        "url": {"path": "$.event.payload.url"},
        "headers": headers,
        "body": [{"value": {"cel": 1}}],
    }
    assert Draft202012Validator(WHOLE).is_valid(one({"type": "http", "with": http}))


def test_the_references_of_a_type_lead_into_its_own_schema() -> None:
    class Paint(Step):
        type = "paint"
        schema = {
            "type": "object",
            "properties": {"colours": {"type": "array", "items": {"$ref": "#/$defs/colour"}}},
            "additionalProperties": {"type": "integer"},
            "$defs": {"colour": {"enum": ["red", "green"]}},
        }

    validator = Draft202012Validator(definition_schema([Paint()]))
    assert validator.is_valid(one({"type": "paint", "with": {"colours": ["red", {"cel": "event.payload.colour"}]}}))
    assert validator.is_valid(one({"type": "paint", "with": {"more": {"cel": "1 + 1"}}}))
    assert not validator.is_valid(one({"type": "paint", "with": {"colours": ["blue"]}}))
    assert not validator.is_valid(one({"type": "paint", "with": {"more": "x"}}))

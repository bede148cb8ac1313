"""The JSON Schema of a definition, as it is published."""

from collections.abc import Iterable
from typing import Any

from automate.graph.definition import RETRIES, TIMEOUT
from automate.graph.query import MOST_CHARACTERS as LONGEST_PATH
from automate.graph.step_types import StepType

NAME_PATTERN = "^[a-z][a-z0-9_]{0,39}$"
SECRET_PATTERN = "^[A-Za-z_][A-Za-z0-9_]{0,63}$"  # noqa: S105 - of their names
MOST_RETRIES = 10
LONGEST_TIMEOUT = 3_600
MOST_STEPS = 200
MOST_NEXT = 50

ID = "urn:automate:schema:workflow-definition:1"
_DRAFT = "https://json-schema.org/draft/2020-12/schema"

NAME: dict[str, Any] = {"type": "string", "pattern": NAME_PATTERN}

STEP: dict[str, Any] = {
    "title": "Step",
    "description": "One step: what it does, and what comes next.",
    "type": "object",
    "required": ["name", "type"],
    "additionalProperties": False,
    "properties": {
        "name": {**NAME, "description": "Unique among the steps that it may name."},
        "type": {"type": "string", "minLength": 1, "maxLength": 100, "description": "One of the types of steps."},
        "with": {"type": "object", "description": "The step's settings; its type says which."},
        "next": {
            "description": "The steps that come next once it has succeeded; none: the path ends here.",
            "type": "array",
            "items": NAME,
            "uniqueItems": True,
            "maxItems": MOST_NEXT,
            "default": [],
        },
        "on_error": {**NAME, "description": "The step that comes next once it has failed; none: the run fails."},
        "retries": {
            "description": "How often it is tried again.",
            "type": "integer",
            "minimum": 0,
            "maximum": MOST_RETRIES,
            "default": RETRIES,
        },
        "timeout": {
            "description": "How many seconds an attempt may take.",
            "type": "integer",
            "minimum": 1,
            "maximum": LONGEST_TIMEOUT,
            "default": TIMEOUT,
        },
    },
}

EXPRESSION: dict[str, Any] = {
    "title": "Expression",
    "description": "In the place of a value: what a rule gives, what a path leads to, or the value itself.",
    "type": "object",
    "minProperties": 1,
    "maxProperties": 1,
    "additionalProperties": False,
    "properties": {
        "cel": {"type": "string", "minLength": 1, "description": "An expression of the Common Expression Language."},
        "path": {
            "description": "A singular query of RFC 9535 (JSONPath).",
            "type": "string",
            "pattern": r"^\$",
            "maxLength": LONGEST_PATH,
        },
        "value": {"description": "This value, even where it looks like an expression."},
    },
    "examples": [{"cel": "event.payload.total * 2"}, {"path": "$.steps.ask.output.text"}, {"value": {"cel": "1"}}],
}

SECRET: dict[str, Any] = {
    "title": "Secret",
    "description": "In the place of a value: one of the workflow's secrets.",
    "type": "object",
    "required": ["secret"],
    "additionalProperties": False,
    "properties": {"secret": {"type": "string", "pattern": SECRET_PATTERN}},
    "examples": [{"secret": "shop"}],
}

# What stands at the top of a definition, but for what its steps have to fit.
FRAME: dict[str, Any] = {
    "type": "object",
    "required": ["steps"],
    "additionalProperties": False,
    "properties": {
        "condition": {
            "description": "A rule over `event`: whether a trigger starts a run. Empty: it always does.",
            "type": "string",
            "default": "",
        },
        "input_schema": {
            "description": "The JSON Schema (draft 2020-12) that the input of a manual run has to fit.",
            "type": "object",
            "default": {},
        },
        "steps": {
            "description": "The steps. A run begins with the first; every other one has to be led to.",
            "type": "array",
            "minItems": 1,
            "maxItems": MOST_STEPS,
        },
        "output": {"description": "What a run gives; expressions stand anywhere in it."},
    },
}

DEFINITION_SCHEMA: dict[str, Any] = {
    "$schema": _DRAFT,
    "$id": ID,
    "title": "Workflow definition",
    "description": "What a workflow does: the condition under which it runs, its steps, and what it gives.",
    **FRAME,
    "properties": {
        **FRAME["properties"],
        "steps": {**FRAME["properties"]["steps"], "items": {"$ref": "#/$defs/step"}},
    },
    "$defs": {"step": STEP, "expression": EXPRESSION, "secret": SECRET},
    "examples": [
        {
            "condition": "event.payload.total > 100",
            "steps": [
                {
                    "name": "tell",
                    "type": "emit",
                    "with": {"event": "order.large", "payload": {"order": {"path": "$.event.payload.id"}}},
                }
            ],
        }
    ],
}
"""A definition whatever types of steps there are: their settings may be anything."""


def definition_schema(types: Iterable[StepType]) -> dict[str, Any]:
    """The schema of definitions whose steps are of `types`, with the settings of each.

    It takes expressions wherever they may stand, but says nothing of what they give, and nothing of how steps hang
    together: whatever `check_definition` accepts fits it. Below `not` and `if` a type's schema is kept as it is.
    """
    known = {step_type.type: step_type for step_type in types}
    step = {
        **STEP,
        "properties": {**STEP["properties"], "type": {**STEP["properties"]["type"], "enum": sorted(known)}},
        "allOf": [_settings_of(known[name]) for name in sorted(known)],
    }
    settings = {f"with-{name}": _published(step_type) for name, step_type in sorted(known.items())}
    return {**DEFINITION_SCHEMA, "$defs": {**DEFINITION_SCHEMA["$defs"], "step": step, **settings}}


def _settings_of(step_type: StepType) -> dict[str, Any]:
    then: dict[str, Any] = {"properties": {"with": {"$ref": f"urn:automate:schema:step:{step_type.type}"}}}
    if step_type.schema.get("required"):
        then["required"] = ["with"]
    return {"if": {"required": ["type"], "properties": {"type": {"const": step_type.type}}}, "then": then}


def _published(step_type: StepType) -> dict[str, Any]:
    # With a name of its own, so that its references go on to lead into it.
    schema = {name: value for name, value in step_type.schema.items() if name != "$schema"}
    published = {"title": step_type.type, **schema, "$id": f"urn:automate:schema:step:{step_type.type}"}
    if "properties" in schema:
        published["properties"] = {
            name: _member(step_type, name, subschema) for name, subschema in schema["properties"].items()
        }
    if isinstance(schema.get("additionalProperties"), dict):
        published["additionalProperties"] = _or_expression(schema["additionalProperties"], secrets=False)
    return published


def _member(step_type: StepType, name: str, schema: Any) -> Any:
    if name in step_type.body_fields:
        return {**schema, "items": {"$ref": f"{ID}#/$defs/step"}}
    if name in step_type.literal_fields:
        return schema
    return _or_expression(schema, secrets=name in step_type.secret_fields)


def _or_expression(schema: Any, *, secrets: bool) -> Any:
    """`schema`, or an expression, at each place that a value may stand in."""
    kinds = ("expression", "secret") if secrets else ("expression",)
    expressions = [{"$ref": f"{ID}#/$defs/{kind}"} for kind in kinds]
    return {"anyOf": [*expressions, _within(schema, secrets=secrets)]}


def _within(schema: Any, *, secrets: bool) -> Any:
    if not isinstance(schema, dict):
        return schema
    return {keyword: _keyword(keyword, value, secrets=secrets) for keyword, value in schema.items()}


def _keyword(keyword: str, value: Any, *, secrets: bool) -> Any:
    if keyword in {"properties", "patternProperties"}:
        return {name: _or_expression(subschema, secrets=secrets) for name, subschema in value.items()}
    if keyword in {"items", "additionalProperties", "unevaluatedItems", "unevaluatedProperties"} and value is not False:
        return _or_expression(value, secrets=secrets)
    if keyword == "prefixItems":
        return [_or_expression(subschema, secrets=secrets) for subschema in value]
    if keyword in {"allOf", "anyOf", "oneOf"}:
        return [_within(subschema, secrets=secrets) for subschema in value]
    return value

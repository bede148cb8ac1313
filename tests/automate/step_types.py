"""Types of steps as a graph sees them: what they declare, and nothing of what they do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from automate.graph.step_types import RuleField, StepType
from automate.rules import Type

Schema = dict[str, Any]


@dataclass(frozen=True)
class Declared:
    """A type of step that nothing runs."""

    type: str
    schema: Schema
    output_schema: Schema = field(default_factory=dict)
    literal_fields: tuple[str, ...] = ()
    secret_fields: tuple[str, ...] = ()
    rule_fields: tuple[RuleField, ...] = ()
    target_fields: tuple[str, ...] = ()
    body_fields: tuple[str, ...] = ()
    body_values: tuple[str, ...] = ()
    body_names: Mapping[str, Type] = field(default_factory=dict)


def settings(required: str, /, **properties: Schema) -> Schema:
    """The schema of settings with these members, and no others."""
    return {
        "type": "object",
        "required": required.split(),
        "additionalProperties": False,
        "properties": properties,
    }


STRING: Schema = {"type": "string", "minLength": 1, "maxLength": 4_096}
STEP_NAME: Schema = {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,39}$"}
SECONDS: Schema = {"type": "integer", "minimum": 0}
CASE = settings("when next", when=STRING, next=STEP_NAME)
AWAITED = settings("type", type=STRING, where=STRING)

SET = Declared("set", settings("values", values={"type": "object"}), {"type": "object"})
EMIT = Declared("emit", settings("event", event=STRING, payload={"type": "object"}), literal_fields=("event",))
ENDPOINT = Declared(
    "endpoint",
    settings("endpoint input", endpoint=STRING, input={}, params={"type": "object"}),
    settings("output", output={}),
    literal_fields=("endpoint",),
)
HTTP = Declared(
    "http",
    settings(
        "method url",
        method={"enum": ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]},
        url=STRING,
        headers={"type": "object", "additionalProperties": {"type": "string"}},
        body={},
        timeout={"type": "number", "exclusiveMinimum": 0, "maximum": 300},
    ),
    settings("status headers body", status={"type": "integer"}, headers={"type": "object"}, body={}),
    literal_fields=("method",),
    secret_fields=("headers",),
)
BRANCH = Declared(
    "branch",
    settings("cases", cases={"type": "array", "items": CASE, "minItems": 1, "maxItems": 50}, otherwise=STEP_NAME),
    literal_fields=("cases", "otherwise"),
    rule_fields=(RuleField("cases.*.when"),),
    target_fields=("cases.*.next", "otherwise"),
)
FOR_EACH = Declared(
    "for_each",
    settings(
        "items steps",
        items={"type": "array", "maxItems": 1_000},
        steps={"type": "array", "minItems": 1},
        output={},
        limit={"type": "integer", "minimum": 1, "maximum": 1_000},
        parallel={"type": "integer", "minimum": 1, "maximum": 50},
    ),
    {"type": "array"},
    literal_fields=("steps", "limit", "parallel"),
    body_fields=("steps",),
    body_values=("output",),
    body_names={"item": Type.DYN, "index": Type.INT},
)
WAIT = Declared(
    "wait",
    {
        **settings("", seconds=SECONDS, until={"type": "string"}, event=AWAITED, timeout=SECONDS),
        "oneOf": [{"required": ["seconds"]}, {"required": ["until"]}, {"required": ["event"]}],
    },
    literal_fields=("event",),
    rule_fields=(RuleField("event.where", names={"arrived": Type.MAP}),),
)
APPROVAL = Declared(
    "approval",
    settings("", message={"type": "string"}, timeout=SECONDS),
    settings("approved by comment", approved={"const": True}, by={"type": "string"}, comment={"type": "string"}),
)

ALL: dict[str, StepType] = {each.type: each for each in (SET, EMIT, ENDPOINT, HTTP, BRANCH, FOR_EACH, WAIT, APPROVAL)}


def lookup(name: str) -> StepType | None:
    """The type of this name, or None."""
    return ALL.get(name)

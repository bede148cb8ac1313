"""What fits a capability's schema fits what the OpenAPI description makes of it, in both versions."""

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from automate_api.v1.schema.older import as_30
from automate_api.v1.schema.parts import Names, parts_of
from tests.schema.description import VERSIONS

TYPES = ["array", "boolean", "integer", "null", "number", "object", "string"]
NAMES = ["a", "b", "kind"]
REFERENCES = ["#/$defs/one", "#/$defs/two", "#/$defs/two/properties/a", "#word"]


class Maker:
    """Makes schemas and values of few words, the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        chosen, count = self.random.choice, self.random.randrange
        self.words: dict[str, Callable[[], Any]] = {
            "type": lambda: chosen([chosen(TYPES), self.random.sample(TYPES, count(1, 4))]),
            "const": self.value,
            "enum": lambda: [self.value() for _ in range(count(4))],
            "examples": lambda: [self.value() for _ in range(count(3))],
            "pattern": lambda: chosen(["^a", "b$", "abc"]),
            "required": lambda: self.random.sample(NAMES, count(3)),
            "dependentRequired": lambda: {chosen(NAMES): self.random.sample(NAMES, count(3))},
            "uniqueItems": lambda: chosen([True, False]),
            "multipleOf": lambda: count(1, 4),
            "$ref": lambda: chosen(REFERENCES),
            "$dynamicRef": lambda: chosen(REFERENCES),
            "nullable": lambda: True,
            "discriminator": lambda: "kind",
            "default": self.value,
            "title": lambda: "Kind",
            "readOnly": lambda: True,
        }
        bounds = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")
        sizes = ("Length", "Items", "Properties")
        self.words |= dict.fromkeys(bounds, lambda: count(-1, 5))
        self.words |= dict.fromkeys([f"{end}{what}" for end in ("min", "max") for what in sizes], lambda: count(3))
        one = ("contains", "else", "if", "items", "not", "propertyNames", "then", "unevaluatedItems")
        self.places: dict[str, Callable[[int], Any]] = {
            **dict.fromkeys([*one, "additionalProperties", "unevaluatedProperties"], self.schema),
            **dict.fromkeys(
                ["allOf", "anyOf", "oneOf", "prefixItems"], lambda deep: [self.schema(deep) for _ in range(count(1, 4))]
            ),
            **dict.fromkeys(
                ["dependentSchemas", "properties"],
                lambda deep: {name: self.schema(deep) for name in self.random.sample(NAMES, count(1, 3))},
            ),
            "patternProperties": lambda deep: {chosen(["^a", "b$"]): self.schema(deep)},
        }

    def value(self, deep: int = 2) -> Any:
        """A value, of at most so many levels."""
        plain = [None, True, False, 0, 1, 2, 3, -1, 1.5, "", "a", "b", "abc", "kind"]
        kind = self.random.randrange(4 if deep else 1)
        if kind == 2:
            return [self.value(deep - 1) for _ in range(self.random.randrange(4))]
        if kind == 3:
            return {name: self.value(deep - 1) for name in self.random.sample(NAMES, self.random.randrange(4))}
        return self.random.choice(plain)

    def schema(self, deep: int) -> Any:
        """A schema of one to four words, of at most so many levels."""
        if self.random.random() < 0.1:
            return self.random.choice([True, False])
        words = self.random.sample([*self.words, *(self.places if deep else ())], self.random.randrange(1, 5))
        return {word: self.places[word](deep - 1) if word in self.places else self.words[word]() for word in words}

    def root(self) -> dict[str, Any]:
        """One with definitions, which may refer to each other."""
        schema = self.schema(3)
        defined = {"one": self.schema(1), "two": {"properties": {"a": self.schema(1)}}, "three": {"$anchor": "word"}}
        return {**(schema if isinstance(schema, dict) else {"allOf": [schema]}), "$defs": defined}


def components(schema: Any, version: str) -> dict[str, Any]:
    """What the description has for `schema`; the component's name is `Root`."""
    parts = parts_of(schema, "Root", Names())
    return {name: as_30(part) for name, part in parts.items()} if version == "3.0.3" else parts


def in_words_of_draft_4(schema: Any) -> Any:
    """A schema of OpenAPI 3.0 in those of the draft that it comes from, which has no `nullable`."""
    if isinstance(schema, list):
        return [in_words_of_draft_4(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {
        word: value if word in {"enum", "default", "example"} else in_words_of_draft_4(value)
        for word, value in schema.items()
        if word != "nullable"
    }
    return {**kept, "type": [kept["type"], "null"]} if schema.get("nullable") is True else kept


def validator(schema: Any, version: str) -> Any:
    """What tells whether a value fits the component."""
    root = {"components": {"schemas": components(schema, version)}, "allOf": [{"$ref": "#/components/schemas/Root"}]}
    if version == "3.0.3":
        return jsonschema.Draft4Validator(in_words_of_draft_4(root))
    return jsonschema.Draft202012Validator(root)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_fits_the_schema_fits_the_description(seed: int) -> None:
    maker, met = Maker(seed), Counter[tuple[bool, bool]]()
    for _ in range(120):
        schema = maker.root()
        original = jsonschema.Draft202012Validator(schema)
        older, newer = (validator(schema, version) for version in VERSIONS)
        for value in [maker.value() for _ in range(12)]:
            try:
                fits, fits_30, fits_31 = (each.is_valid(value) for each in (original, older, newer))
            except RecursionError:
                # It refers to itself in the same place, and checks nothing.
                break
            assert fits_31 == fits, (value, schema, components(schema, "3.1.1"))
            assert fits_30 or not fits, (value, schema, components(schema, "3.0.3"))
            met[fits, fits_30] += 1
    # Enough of each, and most of what does not fit is refused in 3.0 too.
    assert met[True, True] > 250
    assert met[False, False] > met[False, True] > 0


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}),
        (
            {"type": ["integer", "string"], "minimum": 1},
            {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string"}]},
        ),
        ({"type": ["string"], "anyOf": [{"const": "a"}]}, {"type": "string", "anyOf": [{"enum": ["a"]}]}),
        ({"const": 1, "enum": [1, 2]}, {"enum": [1, 2], "allOf": [{"enum": [1]}]}),
        ({"enum": []}, {"not": {}}),
        ({"examples": [1, 2], "required": []}, {"example": 1}),
        ({"exclusiveMinimum": 1, "maximum": 5}, {"maximum": 5, "minimum": 1, "exclusiveMinimum": True}),
        ({"exclusiveMinimum": 1, "minimum": 2}, {"minimum": 2}),
        ({"type": "array"}, {"type": "array", "items": {}}),
        ({"prefixItems": [{"type": "string"}], "items": {"type": "integer"}}, {"items": {}}),
        (
            {"patternProperties": {"^a": {}}, "additionalProperties": False, "propertyNames": {"maxLength": 1}},
            {"additionalProperties": {}},
        ),
        ({"oneOf": [{"type": "string"}, {"minimum": 1}]}, {"oneOf": [{"type": "string"}, {"minimum": 1}]}),
        ({"oneOf": [{"contains": {}}, {"minimum": 1}]}, {"anyOf": [{}, {"minimum": 1}]}),
        ({"not": {"type": "string"}, "if": {}, "then": False}, {"not": {"type": "string"}}),
        ({"not": {"properties": {"a": {"$ref": "#/components/schemas/X"}}}}, {}),
        (
            {"$ref": "#/components/schemas/X", "title": "Kind"},
            {"title": "Kind", "allOf": [{"$ref": "#/components/schemas/X"}]},
        ),
    ],
)
def test_what_30_has_no_words_for_is_put_otherwise_or_left_out(schema: Any, said: Any) -> None:
    assert as_30(schema) == said

"""A JSON Schema (draft 2020-12) as components of an OpenAPI 3.1 description, with the same meaning.

Inside a description a schema has no root of its own, so that what it refers to becomes a component. A few other parts
become components for the sake of the tools that read the description.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from automate_api.engine.json_schema import check_schema

Schema = dict[str, Any]

_ONE = {"contains", "contentSchema", "else", "if", "items", "not", "propertyNames", "then"}
_ONE_OR_BOOLEAN = {"additionalProperties", "unevaluatedItems", "unevaluatedProperties"}
_SEVERAL = {"allOf", "anyOf", "oneOf", "prefixItems"}
_NAMED = {"dependentSchemas", "patternProperties", "properties"}

# Words about values of one type, which all others fit.
_OF_STRINGS = {"contentEncoding", "contentMediaType", "contentSchema", "format", "maxLength", "minLength", "pattern"}
_OF_NUMBERS = {"exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum", "multipleOf"}
_OF_ARRAYS = {"contains", "items", "maxContains", "maxItems", "minContains", "minItems", "prefixItems"}
_OF_ARRAYS |= {"unevaluatedItems", "uniqueItems"}
_OF_OBJECTS = {"additionalProperties", "dependentRequired", "dependentSchemas", "maxProperties", "minProperties"}
_OF_OBJECTS |= {"patternProperties", "properties", "propertyNames", "required", "unevaluatedProperties"}
_BY_TYPE = {
    "string": _OF_STRINGS,
    "number": _OF_NUMBERS,
    "integer": _OF_NUMBERS,
    "array": _OF_ARRAYS,
    "object": _OF_OBJECTS,
}
_OF_A_TYPE = _OF_STRINGS | _OF_NUMBERS | _OF_ARRAYS | _OF_OBJECTS
_OF_ALL = {
    "const",
    "default",
    "deprecated",
    "description",
    "enum",
    "examples",
    "readOnly",
    "title",
    "type",
    "writeOnly",
}
# Without what names a schema or a place in it, and without OpenAPI's own words, which mean nothing in JSON Schema.
_KNOWN = _OF_ALL | _OF_A_TYPE | _ONE | _ONE_OR_BOOLEAN | _SEVERAL | _NAMED


class Names:
    """Names of components, each given away once."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def take(self, wanted: str) -> str:
        """`wanted`, with a number where it is given away."""
        name, number = wanted, 1
        while name in self._given:
            number += 1
            name = f"{wanted}{number}"
        self._given.add(name)
        return name


def joined(start: str, text: str) -> str:
    """`start` and the letters and digits of `text`, each word of which begins with a capital."""
    words = re.split(r"[^A-Za-z0-9]+", text)
    return start + "".join(word[:1].upper() + word[1:] for word in words)


def parts_of(schema: Mapping[str, Any], name: str, names: Names) -> dict[str, Schema]:
    """The component `name` that stands for `schema`, and those that it refers to.

    A schema that cannot be used, so that no value is checked by it, becomes one that says nothing.
    """
    if check_schema(schema, field=""):
        return {name: {}}
    # A copy of plain JSON: hooks of the host's change what they find, and a title may be a lazy translation.
    return _Parts(json.loads(json.dumps(schema, default=str)), name, names).all()


class _Parts:
    def __init__(self, schema: Schema, name: str, names: Names) -> None:
        self._name, self._names = name, names
        root = {word: value for word, value in schema.items() if word not in {"$id", "$schema"}}
        self._resolver = Registry().with_resource("", DRAFT202012.create_resource(root)).resolver()
        # What that word closes must stay in one piece, and to say that others are admitted would open it.
        self._is_closed_elsewhere = "unevaluated" in json.dumps(schema)
        # By what is referred to, for a place has several names.
        self._referred: dict[int, str] = {id(root): name}
        self._waiting: list[tuple[str, Any]] = [(name, root)]
        self._found: dict[str, Schema] = {}

    def all(self) -> dict[str, Schema]:
        while self._waiting:
            name, schema = self._waiting.pop(0)
            self._found[name] = self._of(schema, name)
        return self._found

    def _of(self, schema: Any, owner: str) -> Schema:
        """`schema`, with references to what became components, whose names begin with `owner`."""
        if isinstance(schema, bool):
            return {} if schema else {"not": {}}
        if self._is_mixed(schema):
            return self._of(split(schema), owner)
        found = {word: self._value(word, value, owner) for word, value in schema.items() if word in _KNOWN}
        if _is_object(found) and "additionalProperties" not in found and not self._is_closed_elsewhere:
            # Generators of clients take an object to be closed where nothing is said.
            found["additionalProperties"] = {}
        # In a schema without others inside, both words lead to the same.
        for reference in [self._reference(schema[word]) for word in ("$ref", "$dynamicRef") if word in schema]:
            found = {**found, "allOf": [*found.get("allOf", ()), reference]} if found and reference else found
            found = found or reference
        return found

    def _is_mixed(self, schema: Schema) -> bool:
        """Whether it is of objects and of others: for these, one class of a client cannot stand."""
        kinds = set(schema.get("type", ())) - {"null"} if isinstance(schema.get("type"), list) else set()
        return "object" in kinds and len(kinds) > 1 and not self._is_closed_elsewhere

    def _value(self, word: str, value: Any, owner: str) -> Any:
        if word == "properties":
            return {name: self._member(value[name], joined(owner, name)) for name in value}
        if word in _NAMED:
            return {name: self._of(inner, owner) for name, inner in value.items()}
        if word in {"anyOf", "oneOf"}:
            return [self._alternative(inner, owner) for inner in value]
        if word in _SEVERAL:
            return [self._of(inner, owner) for inner in value]
        is_schema = word in _ONE or (word in _ONE_OR_BOOLEAN and not isinstance(value, bool))
        return self._of(value, owner) if is_schema else value

    def _member(self, schema: Any, owner: str) -> Schema:
        """A list of values apart, which drf-spectacular would otherwise give a name of the host's."""
        found = self._of(schema, owner)
        if "items" in found and _is_list(found["items"]):
            found["items"] = self._apart(found["items"], owner)
        return self._apart(found, owner) if _is_list(found) else found

    def _alternative(self, schema: Any, owner: str) -> Schema:
        """An object apart: generators of clients meet the inside of alternatives twice, and name it twice."""
        found = self._of(schema, owner)
        return self._apart(found, joined(owner, str(found.get("title", "object")))) if _is_object(found) else found

    def _apart(self, found: Schema, wanted: str) -> Schema:
        name = self._names.take(wanted)
        self._found[name] = found
        return _reference_to(name)

    def _reference(self, reference: str) -> Schema:
        target = self._target(reference)
        if target is None:
            return {}
        if id(target) not in self._referred:
            self._referred[id(target)] = self._names.take(joined(self._name, reference.rsplit("/", 1)[-1]))
            self._waiting.append((self._referred[id(target)], target))
        return _reference_to(self._referred[id(target)])

    def _target(self, reference: str) -> Any:
        """What is there; None where there is nothing, or a value that is no schema."""
        try:
            target: Any = self._resolver.lookup(reference).contents
        except Unresolvable:
            return None
        return target if isinstance(target, bool) or not check_schema(target, field="") else None


def split(schema: Schema) -> Schema:
    """A schema of several types with an alternative for each of them, which means the same."""
    general = {word: value for word, value in schema.items() if word != "type" and word not in _OF_A_TYPE}
    forms = [
        {"type": kind, **{word: value for word, value in schema.items() if word in _BY_TYPE.get(kind, ())}}
        for kind in schema["type"]
    ]
    if "anyOf" not in general:
        return {**general, "anyOf": forms}
    return {**general, "allOf": [*general.get("allOf", ()), {"anyOf": forms}]}


def _is_object(schema: Schema) -> bool:
    return bool(schema.get("type", "object" if "properties" in schema else "") == "object")


def _is_list(schema: Schema) -> bool:
    # In 3.0, null is a list of one value too.
    return not schema.keys().isdisjoint({"enum", "const"}) or schema.get("type") in ("null", ["null"])


def _reference_to(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}

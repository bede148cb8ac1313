"""Which members of a value a schema has looked at: what `unevaluatedItems` and `unevaluatedProperties` leave out."""

from collections.abc import Callable, Iterator
from typing import Any

from automate_api.engine.json_schema.unknown import branches

Seen = set[Any]
_Adjacent = Callable[[Any, Any, dict[str, Any]], Seen]


def seen_properties(validator: Any, instance: dict[str, Any], schema: dict[str, Any]) -> Seen:
    """The names that `schema` looks at in `instance`, but for its own `unevaluatedProperties`."""
    return _seen(validator, instance, _without(schema, "unevaluatedProperties"), _names)


def seen_items(validator: Any, instance: list[Any], schema: dict[str, Any]) -> Seen:
    """The indexes that `schema` looks at in `instance`, but for its own `unevaluatedItems`."""
    return _seen(validator, instance, _without(schema, "unevaluatedItems"), _indexes)


def _without(schema: dict[str, Any], keyword: str) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name != keyword}


def _seen(validator: Any, instance: Any, schema: Any, adjacent: _Adjacent) -> Seen:
    if not isinstance(schema, dict):
        return set()
    seen = adjacent(validator, instance, schema)
    validator.format_checker.spend(1 + (len(schema) + len(instance)) // 8)
    for there, subschema in _in_place(validator, instance, schema):
        seen |= _seen(there, instance, subschema, adjacent)
    return seen


def _names(validator: Any, instance: dict[str, Any], schema: dict[str, Any]) -> Seen:
    if "additionalProperties" in schema or "unevaluatedProperties" in schema:
        return set(instance)
    seen: Seen = schema.get("properties", {}).keys() & instance.keys()
    matches = validator.format_checker.matches
    for pattern in schema.get("patternProperties", {}):
        validator.format_checker.spend(len(instance))
        seen |= {name for name in instance if matches(pattern, name)}
    return seen


def _indexes(validator: Any, instance: list[Any], schema: dict[str, Any]) -> Seen:
    if "items" in schema or "unevaluatedItems" in schema:
        return set(range(len(instance)))
    seen: Seen = set(range(len(schema.get("prefixItems", ()))))
    if "contains" in schema:
        wanted = validator.evolve(schema=schema["contains"])
        seen |= {index for index, item in enumerate(instance) if wanted.is_valid(item)}
    return seen


def _in_place(validator: Any, instance: Any, schema: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """The subschemas of `schema` that `instance` itself fits, each with the validator that knows where it stands."""
    for keyword in schema.keys() & {"$ref", "$dynamicRef"}:
        found = validator._resolver.lookup(schema[keyword])  # noqa: SLF001 - there is no public way to it
        yield validator.evolve(schema=found.contents, _resolver=found.resolver), found.contents
    for subschema in _candidates(validator, instance, schema):
        if validator.evolve(schema=subschema).is_valid(instance):
            yield validator, subschema


def _candidates(validator: Any, instance: Any, schema: dict[str, Any]) -> Iterator[Any]:
    for keyword in ("allOf", "anyOf", "oneOf"):
        yield from schema.get(keyword, ())
    for name, subschema in schema.get("dependentSchemas", {}).items():
        if name in instance:
            yield subschema
    if "if" in schema:
        yield from branches(validator, instance, schema)

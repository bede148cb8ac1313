"""A schema of OpenAPI 3.1 in the words of 3.0, which has fewer: whatever fits the one fits the other.

What 3.0 cannot say is left out, so that it admits more, and never less.
"""

from typing import Any

from automate_api.v1.schema.parts import Schema, split

# Words that both have, with the same meaning and nothing inside.
_SHARED = {"$ref", "default", "deprecated", "description", "enum", "title"}
_SHARED |= {"format", "maxLength", "minLength", "pattern", "maximum", "minimum", "multipleOf"}
_SHARED |= {"maxItems", "minItems", "uniqueItems", "maxProperties", "minProperties"}
# Words of which nothing is left out, however they are put.
_SAYABLE = _SHARED - {"$ref"} | {"additionalProperties", "allOf", "anyOf", "const", "examples", "exclusiveMaximum"}
_SAYABLE |= {"exclusiveMinimum", "items", "not", "oneOf", "properties", "readOnly", "required", "type", "writeOnly"}


def as_30(schema: Schema) -> Schema:
    """`schema`, whose references lead to components, as far as OpenAPI 3.0 can say it."""
    if schema.get("enum") == []:
        return {"not": {}}
    kinds = schema.get("type")
    if isinstance(kinds, list):
        return _of_types(schema, [kind for kind in kinds if kind != "null"], is_nullable="null" in kinds)
    found: Schema = {}
    for part in (_typed(kinds), _shared(schema), _bounds(schema), _contents(schema), *_combined(schema)):
        found = _both(found, part)
    if kinds == "array":
        found.setdefault("items", {})
    return _apart(found)


def _of_types(schema: Schema, kinds: list[str], *, is_nullable: bool) -> Schema:
    if len(kinds) == 1:
        only = as_30({**schema, "type": kinds[0]})
        return {**only, "nullable": True} if is_nullable else only
    return as_30(split(schema))


def _shared(schema: Schema) -> Schema:
    found = {word: value for word, value in schema.items() if word in _SHARED}
    if schema.get("examples"):
        found["example"] = schema["examples"][0]
    return found


def _bounds(schema: Schema) -> Schema:
    found: Schema = {}
    for bound, excluded, tighter in (("minimum", "exclusiveMinimum", max), ("maximum", "exclusiveMaximum", min)):
        if excluded in schema:
            limit = schema[excluded]
            found[bound] = tighter(limit, schema.get(bound, limit))
            if found[bound] == limit:
                found[excluded] = True
    return found


def _contents(schema: Schema) -> Schema:
    """What is said of the inside of arrays and objects."""
    found: Schema = {}
    # Where some of the items or members have schemas of their own, that for the others would be one for all.
    if "items" in schema:
        found["items"] = {} if "prefixItems" in schema else as_30(schema["items"])
    if "properties" in schema:
        found["properties"] = {name: as_30(inner) for name, inner in schema["properties"].items()}
    if schema.get("required"):
        found["required"] = schema["required"]
    if "additionalProperties" in schema:
        others = {} if "patternProperties" in schema else schema["additionalProperties"]
        found["additionalProperties"] = others if isinstance(others, bool) else as_30(others)
    return found


def _typed(kind: str | None) -> Schema:
    if kind is None:
        return {}
    return {"enum": [None]} if kind == "null" else {"type": kind}


def _combined(schema: Schema) -> list[Schema]:
    found: list[Schema] = [
        {word: [as_30(inner) for inner in schema[word]]} for word in ("allOf", "anyOf") if word in schema
    ]
    if "oneOf" in schema:
        # One that says less may fit beside another.
        word = "oneOf" if all(map(_is_sayable, schema["oneOf"])) else "anyOf"
        found.append({word: [as_30(inner) for inner in schema["oneOf"]]})
    if "not" in schema and _is_sayable(schema["not"]):
        found.append({"not": as_30(schema["not"])})
    if "const" in schema:
        found.append({"enum": [schema["const"]]})
    return found


def _is_sayable(schema: Any) -> bool:
    """Whether nothing of it is left out, as far as that can be seen without following a reference."""
    if isinstance(schema, bool):
        return True
    inner = [schema[word] for word in ("additionalProperties", "items", "not") if word in schema]
    inner += [each for word in ("allOf", "anyOf", "oneOf") for each in schema.get(word, ())]
    inner += schema.get("properties", {}).values()
    return schema.keys() <= _SAYABLE and all(map(_is_sayable, inner))


def _both(found: Schema, further: Schema) -> Schema:
    """What says both."""
    double = {word for word in further if word in found and word not in {"maximum", "minimum"}}
    if not double:
        return found | further
    return found | {"allOf": [*found.get("allOf", ()), further]}


def _apart(found: Schema) -> Schema:
    """A reference stands alone: what stands beside one is not read."""
    if "$ref" not in found or len(found) == 1:
        return found
    reference = {"$ref": found.pop("$ref")}
    return found | {"allOf": [*found.get("allOf", ()), reference]}

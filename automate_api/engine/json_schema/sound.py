"""Which schemas are taken: draft 2020-12, of bounded size, closed in themselves, with patterns that end in time."""

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from automate_api.engine.json_schema.counted import CountedValidator
from automate_api.engine.json_schema.patterns import UnsafePattern, compiled

MOST_CHARACTERS = 65_536
"""The longest schema, as JSON."""

MOST_NODES = 2_000
"""The most objects and arrays in a schema."""

MOST_LEVELS = 64
"""The deepest nesting."""

_DRAFT = "https://json-schema.org/draft/2020-12/schema"

# What stands below these is data, or is named by the schema's author: no keywords.
_DATA = frozenset({"const", "default", "enum", "examples"})
_NAMED = frozenset({"$defs", "definitions", "dependentSchemas", "patternProperties", "properties"})

# Titles in the schemas of capabilities may be lazy translations.
_encode = json.JSONEncoder(ensure_ascii=False, default=str).encode

Path = tuple[str, ...]


class Fault(NamedTuple):
    """What is wrong with a schema, and where in it."""

    path: Path
    detail: Any


class Prepared(NamedTuple):
    """A validator for a schema, or what is wrong with it."""

    validator: Any
    fault: Fault | None


def prepare(schema: Any) -> Prepared:
    """Check `schema` and make a validator of it. Schemas of the same text are checked once."""
    try:
        text = _encode(schema)
    except (RecursionError, ValueError, TypeError):
        return _refused((), _("The schema is nested too deeply."))
    if len(text) > MOST_CHARACTERS:
        return _refused((), _("The schema is too large."))
    return _prepared(text)


@lru_cache(maxsize=128)
def _prepared(text: str) -> Prepared:
    schema = json.loads(text)
    fault = _fault_in(schema)
    if fault is not None:
        return Prepared(None, fault)
    try:
        # Without the formats: those of patterns have been looked at, and nothing else may compile them.
        Draft202012Validator.check_schema(schema, format_checker=FormatChecker(formats=()))
    except SchemaError as exc:
        path = tuple(str(part) for part in exc.absolute_path)
        return _refused(path, _("This is not a JSON Schema of draft 2020-12."))
    except RecursionError:
        return _refused((), _("The schema is nested too deeply."))
    # Without its names: under one that the library knows, a reference would lead to what the library has there.
    schema = {name: value for name, value in schema.items() if name not in {"$schema", "$id"}}
    # A registry that retrieves nothing, and that has looked for the anchors once instead of at each reference.
    closed = Registry().with_resource("", DRAFT202012.create_resource(schema)).crawl()
    return Prepared(CountedValidator(schema, registry=closed), None)


def _refused(path: Path, detail: Any) -> Prepared:
    return Prepared(None, Fault(path, detail))


def _fault_in(schema: Any) -> Fault | None:
    if not isinstance(schema, dict):
        return Fault((), _("A JSON Schema is an object."))
    for number, (path, node, is_schema) in enumerate(_nodes(schema)):
        if number >= MOST_NODES:
            return Fault((), _("The schema is too large."))
        if len(path) >= MOST_LEVELS:
            return Fault((), _("The schema is nested too deeply."))
        fault = _fault_of(path, node, is_schema=is_schema) if isinstance(node, dict) else None
        if fault is not None:
            return fault
    return None


def _nodes(schema: Any) -> Iterator[tuple[Path, Any, bool]]:
    """Each object and array in `schema`, and whether its keys are keywords."""
    waiting: list[tuple[Path, Any, bool]] = [((), schema, True)]
    while waiting:
        path, node, is_schema = waiting.pop()
        yield path, node, is_schema
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            if isinstance(value, dict | list):
                holds_schemas = not isinstance(node, dict) or not is_schema or key not in _DATA | _NAMED
                waiting.append(((*path, str(key)), value, holds_schemas))


def _fault_of(path: Path, node: dict[str, Any], *, is_schema: bool) -> Fault | None:
    for keyword in ("$ref", "$dynamicRef"):
        if isinstance(node.get(keyword), str) and not node[keyword].startswith("#"):
            return Fault((), _("A schema may refer only to itself, with `#…`."))
    if isinstance(node.get("$schema"), str) and (path or node["$schema"].rstrip("#") != _DRAFT):
        return Fault((*path, "$schema"), _("`$schema` stands at the top and names draft 2020-12."))
    if path and isinstance(node.get("$id"), str):
        return Fault((*path, "$id"), _("`$id` stands at the top."))
    return _pattern_fault(path, node) if is_schema else None


def _pattern_fault(path: Path, node: dict[str, Any]) -> Fault | None:
    named = node.get("patternProperties")
    patterns = [node.get("pattern"), *(named if isinstance(named, dict) else ())]
    try:
        for pattern in patterns:
            if isinstance(pattern, str):
                compiled(pattern)
    except UnsafePattern:
        keyword = "pattern" if pattern == node.get("pattern") else "patternProperties"
        return Fault((*path, keyword), UNSAFE)
    return None


UNSAFE = _(
    "This pattern is not a regular expression, or could take too long: avoid repeats within repeats, neighbouring "
    "repeats of the same characters, look-arounds, back-references and flags."
)

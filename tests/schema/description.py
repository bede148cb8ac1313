"""The schema of a host, and how to find something in it."""

import functools
from collections.abc import Iterator
from typing import Any

from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.settings import patched_settings
from drf_spectacular.validation import validate_schema

from automate_api.v1.schema import SchemaGenerator

VERSIONS = ["3.0.3", "3.1.1"]

#: How the ids of operations begin that speak a protocol of their own.
OTHER_PROTOCOLS = ("automate_organization_",)

#: The ids of operations that are open to all who sign what they send: they know neither callers nor their keys.
PUBLIC = frozenset({"automate_hook"})


@functools.cache
def described(urlconf: str, version: str = "3.1.1") -> dict[str, Any]:
    """The schema of a host; any warning fails the test."""
    with patched_settings({"OAS_VERSION": version}):
        schema: dict[str, Any] = SchemaGenerator(urlconf=urlconf).get_schema(request=None, public=True)
        assert not GENERATOR_STATS, (GENERATOR_STATS._warn_cache, GENERATOR_STATS._error_cache)
        validate_schema(schema)
    return schema


def operations(schema: dict[str, Any], *, ours: bool = True) -> Iterator[dict[str, Any]]:
    """The package's operations, or the host's."""
    for path in schema["paths"].values():
        yield from (found for found in path.values() if found["operationId"].startswith("automate_") is ours)


def usual(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The package's operations that answer errors with problems and take API keys and idempotency keys."""
    for found in operations(schema):
        if not found["operationId"].startswith(OTHER_PROTOCOLS) and found["operationId"] not in PUBLIC:
            yield found


def operation(schema: dict[str, Any], operation_id: str) -> dict[str, Any]:
    """One of them."""
    [found] = [
        found
        for mine in (True, False)
        for found in operations(schema, ours=mine)
        if found["operationId"] == operation_id
    ]
    return found


def resolved(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """What a node refers to, or the node itself."""
    if "$ref" not in node:
        return node
    steps = node["$ref"].removeprefix("#/").split("/")
    found: dict[str, Any] = functools.reduce(lambda inner, step: inner[step], steps, schema)
    return found


def answers(schema: dict[str, Any], found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """An operation's answers by status."""
    return {status: resolved(schema, answer) for status, answer in found["responses"].items()}


def parameters(schema: dict[str, Any], found: dict[str, Any]) -> list[dict[str, Any]]:
    """An operation's parameters."""
    return [resolved(schema, parameter) for parameter in found["parameters"]]


def bodies(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Operation id, media type and content of every body, sent and answered."""
    for found in operations(schema):
        for body in (found.get("requestBody", {}), *answers(schema, found).values()):
            for media_type, content in body.get("content", {}).items():
                yield found["operationId"], media_type, content


def examples(content: dict[str, Any]) -> list[Any]:
    """The examples of a content."""
    named = [example["value"] for example in content.get("examples", {}).values()]
    return [*named, *([content["example"]] if "example" in content else [])]

"""Named parts of the OpenAPI description that no serializer stands for, and how to refer to them."""

from collections.abc import Callable, Mapping
from typing import Any

from drf_spectacular.plumbing import ComponentRegistry, ResolvedComponent

HEADER = ResolvedComponent.HEADER
PARAMETER = ResolvedComponent.PARAMETER
RESPONSE = ResolvedComponent.RESPONSE
SCHEMA = ResolvedComponent.SCHEMA


def component(
    registry: ComponentRegistry, kind: str, name: str, make: Callable[[], Mapping[str, Any]]
) -> dict[str, str]:
    """A reference to the component `name` of this `kind`, which is made of `make()` where it is not there yet."""
    if (name, kind) not in registry._components:  # noqa: SLF001 - it has no other way to ask without a warning
        registry.register_on_missing(ResolvedComponent(name, kind, dict(make()), name))  # type: ignore[no-untyped-call]
    return {"$ref": f"#/components/{kind}/{name}"}


def schema_of(registry: ComponentRegistry, reference: str) -> dict[str, Any] | None:
    """The schema that `#/components/schemas/<name>` refers to; None where it is not there."""
    found = registry._components.get((name_in(reference), SCHEMA))  # noqa: SLF001 - as above
    return found.schema if found else None


def name_in(reference: str) -> str:
    """The name of the component that is referred to."""
    return reference.rsplit("/", 1)[-1]


def object_of(description: str, properties: Mapping[str, Any], *, optional: tuple[str, ...] = ()) -> dict[str, Any]:
    """An object whose members are all there but the `optional` ones."""
    required = [name for name in properties if name not in optional]
    schema = {"type": "object", "description": description, "properties": dict(properties)}
    return {**schema, "required": required} if required else schema

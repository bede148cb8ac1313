"""An example for every body that has none: values made up from the schema."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.plumbing import ComponentRegistry, ResolvedComponent

# Objects within objects refer to each other; somewhere an example must end.
_DEEPEST = 12

_BY_FORMAT = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "decimal": "0.10",
    "email": "ann@example.com",
    "uri": "https://api.example.com/v1",
    "uuid": "01a0b1c2-d3e4-7f56-8a9b-0c1d2e3f4a5b",
}


class Examples:
    """Makes examples, following references into `registry`.

    Args:
        absent: `"readOnly"` for what is sent, `"writeOnly"` for what is answered: members so marked are left out.
    """

    def __init__(self, registry: ComponentRegistry, absent: str) -> None:
        self.registry = registry
        self.absent = absent

    def of(self, schema: Mapping[str, Any], depth: int = 0) -> Any:
        """A value that fits `schema`; `example`, `default` and `enum` come first. None where it leads too deep."""
        if depth > _DEEPEST:
            return None
        for combined in ("allOf", "oneOf", "anyOf"):
            if schema.get(combined):
                return self.of(schema[combined][0], depth + 1)
        if "$ref" in schema:
            return self._referenced(schema["$ref"], depth)
        for named in ("example", "default"):
            if named in schema:
                return schema[named]
        return schema["enum"][0] if schema.get("enum") else self._of_type(schema, depth)

    def _referenced(self, reference: str, depth: int) -> Any:
        key = (reference.rsplit("/", 1)[-1], ResolvedComponent.SCHEMA)
        component = self.registry._components.get(key)  # noqa: SLF001 - it has no other way to ask without a warning
        return self.of(component.schema, depth + 1) if component and component.schema else None

    def _of_type(self, schema: Mapping[str, Any], depth: int) -> Any:
        kind = schema.get("type")
        match kind[0] if isinstance(kind, list) else kind:
            case "object":
                members = {n: inner for n, inner in schema.get("properties", {}).items() if not inner.get(self.absent)}
                return {name: self.of(inner, depth + 1) for name, inner in members.items()}
            case "array":
                item = self.of(schema.get("items", {}), depth + 1)
                return [] if item is None else [item]
            case "string":
                return _BY_FORMAT.get(schema.get("format", ""), "string")
            case "integer" | "number":
                return schema.get("minimum", 1)
            case "boolean":
                return True
        return {}

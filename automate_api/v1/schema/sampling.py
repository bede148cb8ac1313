"""An example for every body that has none: that of its component, else values made up from the schema."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.plumbing import ComponentRegistry

from automate_api.v1.schema.components import name_in, schema_of
from automate_api.v1.schema.directions import SENT_SUFFIX
from automate_api.v1.schema.examples import EXAMPLES, HOST

# Objects within objects refer to each other; somewhere an example must end.
_DEEPEST = 12

_PAGE = frozenset({"next", "previous", "results"})
_CURSOR = "WyItY3JlYXRlZF9hdCJd:kUq0-3vDZ1s"

_BY_FORMAT = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "decimal": "0.10",
    "email": "ann@example.com",
    "uri": "https://api.example.com/v1",
    "uuid": "01a0b1c2-d3e4-7f56-8a9b-0c1d2e3f4a5b",
}


class Sampler:
    """Makes examples, following references into `registry`.

    Args:
        absent: `"readOnly"` for what is sent, `"writeOnly"` for what is answered: members so marked are left out.
        path: of the operation.
    """

    def __init__(self, registry: ComponentRegistry, absent: str, path: str) -> None:
        self.registry, self.absent, self.path = registry, absent, path

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
        name = name_in(reference)
        schema = schema_of(self.registry, reference)
        written = EXAMPLES.get(name, EXAMPLES.get(name.removesuffix(SENT_SUFFIX)))
        if schema and schema.get("properties", {}).keys() >= _PAGE:
            return self._page(schema["properties"]["results"], depth)
        if schema and isinstance(written, dict) and "properties" in schema:
            return self._directed(written, schema["properties"])
        if written is not None:
            return written
        return self.of(schema, depth + 1) if schema else None

    def _directed(self, written: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: value
            for name, value in written.items()
            if name in properties and not properties[name].get(self.absent)
        }

    def _page(self, results: Mapping[str, Any], depth: int) -> dict[str, Any]:
        following = f"{HOST}{self.path}?cursor={_CURSOR}"
        return {"next": following, "previous": None, "results": self.of(results, depth + 1)}

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

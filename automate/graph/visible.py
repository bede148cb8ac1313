"""What an expression sees: names, what stands below them, and of which type that is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from automate.graph.leaves import Leaf, QueryLeaf, RuleLeaf
from automate.graph.step_types import StepType
from automate.rules import Type

# The members of an object whose members are known; None where they are not, or where it has none.
Shape = dict[str, Any]

EVENT: Shape = {
    "id": Type.DYN,
    "type": Type.STRING,
    "source": Type.DYN,
    "payload": Type.DYN,
    "occurred_at": Type.STRING,
    "correlation_id": Type.DYN,
}
RUN: Shape = {"id": Type.STRING, "workflow": Type.DYN, "version": Type.INT, "depth": Type.INT}
ERROR: Shape = {"code": Type.DYN, "detail": Type.DYN}

_LONGEST_NAME = 40
_OF_SCHEMA = {
    "boolean": Type.BOOL,
    "integer": Type.INT,
    "string": Type.STRING,
    "array": Type.LIST,
    "object": Type.MAP,
    "null": Type.NULL,
}
# Keywords by which a schema may have members that it does not list.
_MORE = frozenset({"$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "if", "patternProperties", "dependentSchemas"})


class NameFault(NamedTuple):
    """Why an expression cannot refer to something."""

    code: str
    detail: str


@dataclass(frozen=True)
class Visible:
    """What an expression sees.

    Attributes:
        members: the top-level names, each with its type or with its members.
        steps: the steps that have ended by then, each with its type; None where nobody knows that type.
        others: the steps that may not have ended by then.
    """

    members: Mapping[str, Any]
    steps: Mapping[str, StepType | None] = field(default_factory=dict)
    others: frozenset[str] = frozenset()

    def with_steps(self, steps: Mapping[str, StepType | None], others: Iterable[str]) -> "Visible":
        """The same, and `steps` besides; `others` have not ended."""
        return Visible(self.members, {**self.steps, **steps}, self.others | frozenset(others))

    def with_names(self, names: Mapping[str, Type]) -> "Visible":
        """The same, and `names` besides."""
        return Visible({**self.members, **names}, self.steps, self.others)

    def fault_in(self, path: tuple[str, ...]) -> NameFault | None:
        """Why there can be nothing at this path of names, or None."""
        found = self._look(path)
        return found if isinstance(found, NameFault) else None

    def type_of(self, leaf: Leaf) -> Type:
        """The type of what an expression gives, as far as that is known.

        Raises:
            RuleError: it can give nothing.
        """
        if isinstance(leaf, QueryLeaf):
            whole = all(isinstance(segment, str) for segment in leaf.query.segments)
            return self._type_at(leaf.names[0]) if whole and leaf.names else Type.DYN
        types = {".".join(path): self._type_at(path) for path in leaf.names} if isinstance(leaf, RuleLeaf) else {}
        return leaf.type_of(types)

    def _type_at(self, path: tuple[str, ...]) -> Type:
        found = self._look(path)
        return found if isinstance(found, Type) else Type.DYN

    def _look(self, path: tuple[str, ...]) -> Type | NameFault:
        if path[0] == "steps" and "steps" in self.members:
            return self._look_at_step(path[1:])
        return _look_below(self.members, path)

    def _look_at_step(self, path: tuple[str, ...]) -> Type | NameFault:
        if not path:
            return Type.MAP
        name, *rest = path
        if name not in self.steps:
            if name in self.others:
                detail = _("The step %(name)s may not have ended by then: no way leads from it to here.")
                return NameFault("not_ended", detail % {"name": name})
            return NameFault("unknown_name", _("There is no step %(name)s here.") % {"name": _short(name)})
        members = {"output": Type.DYN, "status": Type.STRING, "error": ERROR}
        step_type = self.steps[name]
        if rest[:1] == ["output"] and len(rest) > 1 and step_type is not None:
            return _look_in_schema(step_type.output_schema, rest[1:])
        # Of a step that has not failed, `error` is null.
        return Type.DYN if rest == ["error"] else _look_below(members, rest) if rest else Type.MAP


def _look_below(shape: Any, path: Iterable[str]) -> Type | NameFault:
    for name in path:
        if isinstance(shape, Type) and shape not in {Type.DYN, Type.MAP}:
            return NameFault("unknown_name", _no_members(name))
        if isinstance(shape, Type):
            return Type.DYN
        if name not in shape:
            return NameFault("unknown_name", _("There is no %(name)s here.") % {"name": _short(name)})
        shape = shape[name]
    return shape if isinstance(shape, Type) else Type.MAP


def _look_in_schema(schema: Any, path: Iterable[str]) -> Type | NameFault:
    for name in path:
        if not isinstance(schema, dict) or schema.keys() & _MORE:
            return Type.DYN
        if "object" not in _kinds(schema):
            return NameFault("unknown_name", _no_members(name))
        properties = schema.get("properties", {})
        if name not in properties and schema.get("additionalProperties") is False:
            return NameFault("unknown_name", _("There is no %(name)s here.") % {"name": _short(name)})
        schema = properties.get(name, schema.get("additionalProperties", {}))
    kind = schema.get("type") if isinstance(schema, dict) and not schema.keys() & _MORE else None
    return _OF_SCHEMA.get(kind, Type.DYN) if isinstance(kind, str) else Type.DYN


def _kinds(schema: dict[str, Any]) -> list[str]:
    kinds = schema.get("type", ["object"])
    return [kinds] if isinstance(kinds, str) else kinds


def _no_members(name: str) -> str:
    return _("There is no %(name)s here: what it stands below has no members.") % {"name": _short(name)}


def _short(name: str) -> str:
    return name[:_LONGEST_NAME]

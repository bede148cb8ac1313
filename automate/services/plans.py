"""A version's definition, ready to be followed."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from automate.graph.definition import Node, parse
from automate.graph.values import Value, compile_value
from automate.models import WorkflowRun, WorkflowVersion
from automate.steps import Step, get_step_type
from automate_api.engine.json_schema import check_value, require_valid
from automate_api.exceptions import Conflict, NotConfigured

# Versions whose plans a process keeps.
_KEPT = 256


@dataclass(frozen=True, slots=True)
class Settings:
    """A step's `with`, its expressions resolved, and the members that are, or hold, expressions."""

    values: dict[str, Any]
    computed: frozenset[str]


class Plan:
    """The steps of one list: which come before and after which, and the plans of their bodies."""

    def __init__(self, steps: tuple[Node, ...], output: Value | None) -> None:
        self.nodes = {node.name: node for node in steps}
        self.output = output
        self.after = {node.name: _targets(node) for node in steps}
        self.before = {name: [other for other in self.nodes if name in self.after[other]] for name in self.nodes}
        self._bodies = {node.name: _body(node) for node in steps if type_of(node).body_fields}
        self._values = {node.name: _values(node) for node in steps}

    def within(self, scope: str) -> "Plan":
        """The plan of the steps of a scope: `each.3` is within the body of the step `each`."""
        plan = self
        for name in scope.split(".")[::2] if scope else ():
            plan = plan._bodies[name]  # noqa: SLF001 - of the same class
        return plan

    def settings_of(self, node: Node, seen: Mapping[str, Any]) -> Settings:
        """The settings of `node` where its expressions see `seen`.

        Raises:
            ExpressionFailed: one of them gives nothing.
            InvalidInput: what they give does not fit the step's type.
        """
        kind, compiled = type_of(node), self._values[node.name]
        values = {name: value.resolve(seen) for name, value in compiled.items()}
        known = {**node.settings, **values}
        checked = {name: value for name, value in known.items() if name not in kind.secret_fields}
        require_valid(check_value(checked, _narrowed(kind), field="with"))
        return Settings(known, frozenset(name for name, value in compiled.items() if value.is_computed))


def plan_of(run: WorkflowRun) -> tuple[Plan, int]:
    """The plan of the version that the run is pinned to, and the version's number.

    Raises:
        Conflict: it has been deleted with its workflow.
        NotConfigured: the app is gone that brought one of its steps, or the rules' parser is not installed.
    """
    if run.version_id is None:
        raise Conflict
    return _plan(run.version_id)


@lru_cache(maxsize=_KEPT)
def _plan(version_id: int) -> tuple[Plan, int]:
    # What it depends on never changes.
    version = WorkflowVersion.objects.get(pk=version_id)
    definition = parse(version.definition)
    return Plan(definition.steps, _value(definition.output)), version.version


def type_of(node: Node) -> Step:
    """The node's type.

    Raises:
        NotConfigured: the app that brought it is gone.
    """
    found = get_step_type(node.type)
    if found is None:
        raise NotConfigured
    return found


def _targets(node: Node) -> list[str]:
    named = [*node.next, *type_of(node).targets(node.settings), *([node.on_error] if node.on_error else [])]
    return list(dict.fromkeys(named))


def _values(node: Node) -> dict[str, Value]:
    kind = type_of(node)
    left = (*kind.literal_fields, *kind.body_values)
    return {
        name: compile_value(raw, secrets=name in kind.secret_fields)
        for name, raw in node.settings.items()
        if name not in left
    }


def _body(node: Node) -> Plan:
    kind = type_of(node)
    [field] = kind.body_fields
    [output] = kind.body_values
    return Plan(parse({"steps": node.settings[field]}).steps, _value(node.settings.get(output)))


def _value(raw: Any) -> Value | None:
    return None if raw is None else compile_value(raw)

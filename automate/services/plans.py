"""A version's definition, ready to be followed."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext_lazy as _

from automate.graph.definition import Graph, Node, parse, parse_steps
from automate.graph.leaves import Path, SecretLeaf
from automate.graph.values import Value, ValueFailed, compile_value
from automate.models import WorkflowRun, WorkflowVersion
from automate.steps import Step, get_step_type
from automate_api.engine.json_schema import Unknown, check_value, require_valid
from automate_api.exceptions import AutomateError, Conflict, ExpressionFailed, NotConfigured
from automate_api.security.redaction import redact_exception

logger = logging.getLogger(__name__)

# Versions whose plans a process keeps.
_KEPT = 256


@dataclass(frozen=True, slots=True)
class Settings:
    """A step's `with` whose turn has come.

    Attributes:
        values: the same, its expressions resolved; where secrets belong, only their names stand in it.
        computed: the members that are, or hold, expressions.
        secrets: where a secret belongs, and its name.
    """

    values: dict[str, Any]
    computed: frozenset[str]
    secrets: list[tuple[Path, str]]


class Plan:
    """The steps of one list: which come before and after which, and the plans of their bodies."""

    def __init__(self, steps: tuple[Node, ...], output: Any) -> None:
        graph = Graph(steps, get_step_type)
        self.nodes = graph.nodes
        self.after = {name: graph.edges_of(name) for name in graph.nodes}
        self.before = {name: graph.sources_of(name) for name in graph.nodes}
        self._output = None if output is None else compile_value(output)
        self._bodies = {node.name: _body(node) for node in steps if type_of(node).body_fields}
        self._values = {node.name: _values(node) for node in steps}

    def within(self, scope: str) -> "Plan":
        """The plan of the steps of a scope: `each.3` is within the body of the step `each`."""
        plan = self
        for name in scope.split(".")[::2] if scope else ():
            plan = plan._bodies[name]
        return plan

    def output(self, seen: Mapping[str, Any]) -> Any:
        """What the whole gives, where its expressions see `seen`; None where nothing is said of that.

        Raises:
            ExpressionFailed: one of them gives nothing.
        """
        return None if self._output is None else _resolved(self._output, seen)

    def settings_of(self, node: Node, seen: Mapping[str, Any]) -> Settings:
        """The settings of `node`, where its expressions see `seen`.

        Raises:
            ExpressionFailed: one of them gives nothing.
            InvalidInput: what they give does not fit the step's type.
        """
        kind, compiled = type_of(node), self._values[node.name]
        resolved = {name: _resolved(value, seen, name) for name, value in compiled.items()}
        values = {**node.settings, **resolved}
        # What belongs to a body is resolved when that has ended.
        known = {**values, **{name: Unknown() for name in kind.body_values if name in values}}
        require_valid(check_value(known, kind.schema, field="with", partial=True))
        leaves = {name: list(value.leaves()) for name, value in compiled.items()}
        return Settings(values, frozenset(name for name, found in leaves.items() if found), list(_secrets(leaves)))


def plan_of(run: WorkflowRun) -> tuple[Plan, int]:
    """The plan of the version that the run is pinned to, and the version's number.

    Raises:
        Conflict: it has been deleted with its workflow.
        NotConfigured: the app is gone that brought one of its steps, or takes other settings by now; a setting admits
            its rules no longer; or the parser of rules is not installed.
    """
    if run.version is None:
        raise Conflict
    return _plan(run.version.pk, run.version.created_at)


@lru_cache(maxsize=_KEPT)
def _plan(version_id: int, created_at: datetime) -> tuple[Plan, int]:
    # A version never changes; but where one was rolled back, the database gives its id to the next.
    version = WorkflowVersion.objects.filter(pk=version_id, created_at=created_at).first()
    if version is None:
        raise Conflict
    try:
        definition = parse(version.definition)
        return Plan(definition.steps, definition.output), version.version
    except AutomateError:
        raise
    except Exception as exc:
        # It was right when it was saved. Its runs end as failed: tried again and again, they would never end.
        logger.error("Version %s of workflow %s: %s", version.version, version.workflow_id, redact_exception(exc))
        raise NotConfigured(_("The server cannot follow this version any more.")) from exc


def type_of(node: Node) -> Step:
    """The node's type.

    Raises:
        NotConfigured: the app that brought it is gone.
    """
    found = get_step_type(node.type)
    if found is None:
        raise NotConfigured
    return found


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
    [steps], outputs = kind.body_fields, kind.body_values
    return Plan(parse_steps(node.settings[steps]), node.settings.get(outputs[0]) if outputs else None)


def _resolved(value: Value, seen: Mapping[str, Any], name: str = "output") -> Any:
    try:
        return value.resolve(seen)
    except ValueFailed as exc:
        place = ".".join(filter(None, (name, exc.place)))
        raise ExpressionFailed(f"{place}: {exc.detail}") from exc


def _secrets(leaves: Mapping[str, list[Any]]) -> Iterator[tuple[Path, str]]:
    for name, found in leaves.items():
        for path, leaf in found:
            if isinstance(leaf, SecretLeaf):
                yield (name, *path), leaf.name

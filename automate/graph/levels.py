"""Checking a list of steps: of a definition, or of the body of a step, and then those within."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _

from automate.graph.bounds import label
from automate.graph.definition import Graph, Node
from automate.graph.findings import Findings, below, is_name
from automate.graph.schema import STEP
from automate.graph.settings import check_settings
from automate.graph.step_types import Path, StepType, bodies_of, places
from automate.graph.visible import Visible
from automate_api.engine.json_schema import check_value

MOST_BODIES = 2
"""How deep bodies may stand within bodies."""

_MOST_NAMED = 8


class Level:
    """One list of steps.

    A step whose name is missing or taken still has its edges: in the graph it goes by its index, which is no name.
    """

    def __init__(
        self, steps: list[Any], findings: Findings, *, field: str, outer: Visible, taken: frozenset[str], depth: int = 0
    ) -> None:
        self._findings = findings
        self._field = field
        self._outer = outer
        self._taken = taken
        self._depth = depth
        self._fields: dict[str, str] = {}
        self.graph = Graph(list(self._read(steps)), findings.types)

    @cached_property
    def types(self) -> dict[str, StepType | None]:
        """The steps that can be named, each with its type."""
        return {name: self._type_of(node) for name, node in self.graph.nodes.items() if is_name(name)}

    def check(self) -> None:
        """Check the edges between the steps, and then each step's settings."""
        for name, node in self.graph.nodes.items():
            self._check_type(name, node)
            self._check_targets(name, node)
        self._check_ways()
        for name, node in self.graph.nodes.items():
            self._check_settings(name, node)

    def _read(self, steps: list[Any]) -> Iterator[Node]:
        for number, raw in enumerate(steps):
            name = label(raw, number)
            field = below(self._field, name)
            self._findings.count_step(field)
            self._findings.extend(check_value(raw, STEP, field=field))
            if not isinstance(raw, dict):
                continue
            if name in self._fields or name in self._taken:
                detail = _("Another step has this name.")
                self._findings.add(f"{field}.name", "duplicate_name", detail)
                name = str(number)
            self._fields[name] = field
            yield _loosely(name, raw)

    def _type_of(self, node: Node) -> StepType | None:
        return self._findings.types(node.type)

    def _check_type(self, name: str, node: Node) -> None:
        step_type = self._type_of(node)
        if node.type and step_type is None:
            self._findings.add(f"{self._fields[name]}.type", "unknown_type", _("There is no such type of step."))
        if step_type is not None and step_type.target_fields and node.next:
            detail = _("Its settings say which steps may come next; it has no `next`.")
            self._findings.add(f"{self._fields[name]}.next", "not_allowed", detail)

    def _check_targets(self, name: str, node: Node) -> None:
        step_type = self._type_of(node)
        targets: list[tuple[Path, Any]] = [(("next", number), target) for number, target in enumerate(node.next)]
        targets.append((("on_error",), node.on_error))
        for pattern in () if step_type is None else step_type.target_fields:
            targets += [(("with", *path), target) for path, target in places(node.settings, pattern)]
        for path, target in targets:
            if is_name(target) and target not in self.graph.nodes:
                detail = _("There is no step %(name)s beside this one.") % {"name": target}
                self._findings.add(below(self._fields[name], *path), "unknown_step", detail)

    def _check_ways(self) -> None:
        for name in self.graph.nodes:
            if self.graph.leads(name, name):
                self._findings.add(self._fields[name], "cycle", self._cycle_through(name))
        starts = self.graph.start_steps()
        for name in self.graph.nodes:
            if name not in starts and not any(self.graph.leads(start, name) for start in starts):
                detail = _("No way leads here from the first step.")
                self._findings.add(self._fields[name], "unreachable", detail)

    def _cycle_through(self, name: str) -> str:
        leads = self.graph.leads
        members = [other for other in self.graph.nodes if leads(name, other) and leads(other, name)]
        named = ", ".join(members[:_MOST_NAMED]) + (", …" if len(members) > _MOST_NAMED else "")
        return _("This step leads back to itself; on the way are: %(names)s.") % {"names": named}

    def _check_settings(self, name: str, node: Node) -> None:
        step_type = self._type_of(node)
        if step_type is None:
            return
        types = self.types
        ended = {other: types[other] for other in self.graph.ancestors(name) - {name} if other in types}
        visible = self._outer.with_steps(ended, types.keys() - ended.keys())
        inside = visible.with_names(step_type.body_names)
        field = f"{self._fields[name]}.with"
        levels = list(self._bodies(node, step_type, inside, field))
        for level in levels:
            level.check()
            inside = inside.with_steps(level.types, ())
        check_settings(node.settings, step_type, self._findings, visible=visible, inside=inside, field=field)

    def _bodies(self, node: Node, step_type: StepType, inside: Visible, field: str) -> Iterator["Level"]:
        taken = self._taken | self.types.keys()
        for member, body in bodies_of(step_type, node.settings).items():
            if self._depth >= MOST_BODIES:
                detail = _("Bodies stand at most %(most)d deep within each other.") % {"most": MOST_BODIES}
                self._findings.add(below(field, member), "too_deep", detail)
                continue
            place, depth = below(field, member), self._depth + 1
            yield Level(body, self._findings, field=place, outer=inside, taken=taken, depth=depth)


def _loosely(name: str, raw: Mapping[str, Any]) -> Node:
    """The step, without whatever in it does not fit."""
    following, on_error, settings, kind = (raw.get(member) for member in ("next", "on_error", "with", "type"))
    node = Node(name, kind if isinstance(kind, str) else "")
    if isinstance(following, list):
        node = replace(node, next=tuple(target for target in following if is_name(target)))
    if is_name(on_error):
        node = replace(node, on_error=on_error)
    return replace(node, settings=settings) if isinstance(settings, dict) else node

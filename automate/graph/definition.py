"""A definition as the running sees it: its steps, and the edges between them.

What is read here has been checked (`automate.graph.check`); nothing here looks for mistakes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from automate.graph.step_types import TypeLookup, bodies_of, targets_of

RETRIES = 2
"""How often a step is tried again that does not say so itself."""

TIMEOUT = 300
"""How many seconds an attempt may take of a step that does not say so itself."""


@dataclass(frozen=True, slots=True)
class Node:
    """One step.

    Attributes:
        name: unique among the steps that an expression of this one may name.
        type: the name of its type.
        settings: its `with`.
        next: the steps that come next once it has succeeded; empty where its type chooses among its `targets()`.
        on_error: the step that comes next once it has failed; where None, the run fails.
        retries: how often it is tried again.
        timeout: seconds for each attempt.
    """

    name: str
    type: str
    settings: dict[str, Any] = field(default_factory=dict)
    next: tuple[str, ...] = ()
    on_error: str | None = None
    retries: int = RETRIES
    timeout: int = TIMEOUT


@dataclass(frozen=True, slots=True)
class Definition:
    """A workflow's definition.

    Attributes:
        condition: the rule that decides whether a trigger starts a run; empty where it always does.
        input_schema: what the input of a manual run has to fit; `{}` where it may be anything.
        steps: a run begins with the first.
        output: what a run gives, to be compiled as a value; None where it gives nothing.
    """

    condition: str
    input_schema: dict[str, Any]
    steps: tuple[Node, ...]
    output: Any


def parse(definition: dict[str, Any]) -> Definition:
    """Read a definition that has been checked. Whoever wants it kept keeps it."""
    return Definition(
        condition=definition.get("condition", ""),
        input_schema=definition.get("input_schema", {}),
        steps=parse_steps(definition["steps"]),
        output=definition.get("output"),
    )


def parse_steps(steps: Sequence[dict[str, Any]]) -> tuple[Node, ...]:
    """Read a list of steps that has been checked: a definition's, or the body of a step."""
    return tuple(parse_step(step) for step in steps)


def parse_step(step: dict[str, Any]) -> Node:
    """Read a step that has been checked."""
    return Node(
        name=step["name"],
        type=step["type"],
        settings=step.get("with", {}),
        next=tuple(step.get("next", ())),
        on_error=step.get("on_error"),
        retries=step.get("retries", RETRIES),
        timeout=step.get("timeout", TIMEOUT),
    )


class Graph:
    """Steps and the edges between them: of a definition, or of one body. Edges to steps that are not there are none."""

    def __init__(self, steps: Sequence[Node], types: TypeLookup) -> None:
        self.nodes = {node.name: node for node in steps}
        self._first = steps[0].name if steps else None
        self._types = types

    def start_steps(self) -> tuple[str, ...]:
        """The names of the steps with which a run begins: the first in the list."""
        return () if self._first is None else (self._first,)

    def edges_of(self, name: str) -> tuple[str, ...]:
        """The steps that may come right after `name`, each once: its `next`, its type's targets, its `on_error`."""
        return self._edges[name]

    def sources_of(self, name: str) -> tuple[str, ...]:
        """The steps that `name` may come right after, each once."""
        return self._sources[name]

    def ancestors(self, name: str) -> frozenset[str]:
        """The steps that have ended or been skipped whenever `name` begins."""
        above = self._above[name]
        return frozenset(other for other, number in self._numbers.items() if above >> number & 1)

    def leads(self, name: str, other: str) -> bool:
        """Whether `other` may come after `name`, at once or later; after itself only where it stands on a cycle."""
        return bool(self._below[name] >> self._numbers[other] & 1)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.nodes)}

    @cached_property
    def _edges(self) -> dict[str, tuple[str, ...]]:
        return {name: tuple(dict.fromkeys(self._followers(node))) for name, node in self.nodes.items()}

    def _followers(self, node: Node) -> Iterator[str]:
        targets = targets_of(self._types(node.type), node.settings)
        for name in (*node.next, *targets, node.on_error):
            if name in self.nodes:
                yield str(name)

    @cached_property
    def _sources(self) -> dict[str, tuple[str, ...]]:
        sources: dict[str, list[str]] = {name: [] for name in self.nodes}
        for name, edges in self._edges.items():
            for other in edges:
                sources[other].append(name)
        return {name: tuple(others) for name, others in sources.items()}

    @cached_property
    def _below(self) -> dict[str, int]:
        """For each step, the set of those that may come after it, as bits in their order (Warshall's algorithm)."""
        below = [sum(1 << self._numbers[other] for other in edges) for edges in self._edges.values()]
        for middle in range(len(below)):
            for number, reached in enumerate(below):
                if reached >> middle & 1:
                    below[number] = reached | below[middle]
        return dict(zip(self.nodes, below, strict=True))

    @cached_property
    def _above(self) -> dict[str, int]:
        """The same in the other direction."""
        return {name: self._column(number) for name, number in self._numbers.items()}

    def _column(self, number: int) -> int:
        return sum(1 << row for row, below in enumerate(self._below.values()) if below >> number & 1)


def walk_steps(
    steps: Sequence[Node], types: TypeLookup, *, field: str = "definition.steps"
) -> Iterator[tuple[str, Node]]:
    """Each step of a checked definition, in bodies too, with the field under which errors name it."""
    for node in steps:
        place = f"{field}.{node.name}"
        yield place, node
        for member, body in bodies_of(types(node.type), node.settings).items():
            yield from walk_steps(parse_steps(body), types, field=f"{place}.with.{member}")

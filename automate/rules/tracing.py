"""An evaluation that remembers what each sub-expression was."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from automate.rules.budget import Budget
from automate.rules.errors import RuleFailed
from automate.rules.macros import All, Macro
from automate.rules.output import as_json
from automate.rules.tree import Node, Run
from automate.rules.values import admit, from_key

NOTHING: Any = object()
"""Stands for the value of what has none."""


class Trace:
    """What a sub-expression was.

    Attributes:
        node: the sub-expression.
        value: its value, or `NOTHING`.
        failure: why it has none, or None where it was not evaluated either.
        children: those of its own, as they are written.
        place: of the member that a body of a macro is shown for, counted from 0; None outside.
        member: that member, or `NOTHING`.
        passed, failed: of a macro, for how many members its first body was true, and had no value.
    """

    __slots__ = ("children", "failed", "failure", "member", "node", "passed", "place", "value")

    def __init__(self, node: Node) -> None:
        self.node = node
        self.value: Any = NOTHING
        self.failure: RuleFailed | None = None
        self.children: list[Trace] = []
        self.place: int | None = None
        self.member: Any = NOTHING
        self.passed = self.failed = 0

    def refuse_unless_json(self, budget: Budget) -> None:
        """Let the whole fail where its value has no form in JSON, or too large a one, as an evaluation does."""
        try:
            as_json(self.value, budget)
        except RuleFailed as failed:
            failed.node, self.value, self.failure = self.node, NOTHING, failed

    @property
    def evaluated(self) -> bool:
        """Whether it was evaluated."""
        return self.value is not NOTHING or self.failure is not None


class TracedRun(Run):
    """An evaluation whose `visited` becomes a trace for each visit of a node."""

    __slots__ = ("visited",)

    def __init__(self, context: Mapping[str, Any], budget: Budget) -> None:
        super().__init__(context, budget)
        self.visited: list[Trace] = []

    def visit(self, node: Node) -> Any:
        outer, trace = self.visited, Trace(node)
        outer.append(trace)
        trace.place = self.place
        self.visited = trace.children
        try:
            trace.value = super().visit(node)
        except RuleFailed as failed:
            trace.failure = failed
            raise
        finally:
            self.visited = outer
        return trace.value


def trace(root: Node, context: Mapping[str, Any], budget: Budget) -> Trace:
    """What `root` and everything below it was; never raises `RuleFailed`."""
    run = TracedRun(context, budget)
    with suppress(RuleFailed):  # which the trace has
        run.visit(root)
    found = run.visited[0]
    found.place = None
    return _shaped(found)


def _shaped(found: Trace) -> Trace:
    """`found` with a trace for each child of its node, in their order.

    Of a macro's bodies there is one for the member that counts.
    """
    node = found.node
    if isinstance(node, Macro):
        _choose_member(found, node)
    visited = {id(child.node): child for child in found.children}
    found.children = [_shaped(visited[id(child)]) if id(child) in visited else Trace(child) for child in node.children]
    if not isinstance(node, Macro):
        for child in found.children:
            child.place = None
    return found


def _choose_member(found: Trace, node: Macro) -> None:
    over, bodies = found.children[:1], found.children[1:]
    tests = [body for body in bodies if body.node is node.children[1]]
    found.passed = sum(test.value is True for test in tests)
    found.failed = sum(test.failure is not None for test in tests)
    for child in over:
        child.place = None
    place = _place_that_counts(found, node, tests)
    chosen = [body for body in bodies if body.place == place]
    for body in chosen:
        body.member = _member(over[0].value, place)
    found.children = [*over, *chosen]


def _place_that_counts(found: Trace, node: Macro, tests: list[Trace]) -> int | None:
    """The member that decided, failed, or holds; else the first."""
    wanted = not isinstance(node, All)
    for test in tests:
        if (found.failure is not None and test.failure is not None) or (found.failure is None and test.value is wanted):
            return test.place
    failing = [test.place for test in tests if found.failure is not None]
    return failing[-1] if failing else tests[0].place if tests else None


def _member(members: Any, place: int | None) -> Any:
    if place is None or type(members) not in {list, dict}:
        return NOTHING
    return admit(members[place]) if type(members) is list else from_key(list(members)[place])

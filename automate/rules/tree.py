"""The tree of a rule, and one walk over it.

A node evaluates its children through `run.visit`, which counts, and which explanations listen to. Failures are
`RuleFailed`; whoever visits a node names it in the failure that leaves it.
"""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from automate.rules.budget import Budget
from automate.rules.errors import Kind, Refused, RuleFailed, no_overload
from automate.rules.values import name_of

MOST_LEVELS = 64
"""How high a tree may be; a chain of `&&` or of `||` is one level."""


class Run:
    """One evaluation.

    Attributes:
        context: what names stand for.
        scope: what the variables of macros stand for.
        budget: what it may still cost.
        place: of the member that the innermost macro has last taken up, counted from 0.
    """

    __slots__ = ("budget", "context", "place", "scope")

    def __init__(self, context: Mapping[str, Any], budget: Budget) -> None:
        self.context = context
        self.budget = budget
        self.scope: dict[str, Any] = {}
        self.place = 0

    def visit(self, node: "Node") -> Any:
        """The value of `node`.

        Raises:
            RuleFailed: it has none.
        """
        budget = self.budget
        budget.steps -= 1
        try:
            if budget.steps < 0:
                budget.spend(0)
            return node.evaluate(self)
        except RuleFailed as failed:
            if failed.node is None:
                failed.node = node
            raise


class Node:
    """A sub-expression. Making one that is higher than `MOST_LEVELS` raises `Refused`.

    Attributes:
        children: what it is made of, in the order in which it is written.
        start, end: where it stands in the source, with parentheses around it.
        height: the levels of nodes from here down.
        parenthesised: whether it stands in parentheses.
    """

    __slots__ = ("children", "end", "height", "parenthesised", "start")

    def __init__(self, start: int, end: int, *children: "Node") -> None:
        self.start, self.end, self.children = start, end, children
        self.height: int = 1 + max((child.height for child in children), default=0)
        if self.height > MOST_LEVELS:
            raise Refused(_("The rule is nested too deeply."), start, end)
        self.parenthesised = False

    def evaluate(self, run: Run) -> Any:
        """The value in this run; `run.visit` calls it."""
        raise NotImplementedError


def boolean(operation: str, value: Any) -> bool:
    """`value`, which `operation` needs to be true or false.

    Raises:
        RuleFailed: it is neither.
    """
    if value is True or value is False:
        return bool(value)
    raise no_overload(operation, name_of(value))


def absorbed(failed: RuleFailed, before: RuleFailed | None, node: Node) -> RuleFailed:
    """The first failure of several that may yet not matter; what costs too much always does.

    Raises:
        RuleFailed: it costs too much.
    """
    if failed.kind is Kind.TOO_COSTLY:
        raise failed
    if failed.node is None:
        failed.node = node
    failed.__traceback__ = None  # it may be kept for long, with the frames of all calls
    return before or failed

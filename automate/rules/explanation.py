"""What a rule was in a context, sub-expression by sub-expression, and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from automate.rules.budget import Budget
from automate.rules.macros import Macro
from automate.rules.reasons import Reasons
from automate.rules.showing import failure, shown
from automate.rules.tracing import NOTHING, Trace, trace
from automate.rules.tree import Node


@dataclass(frozen=True)
class Explanation:
    """Why a rule is true, false, has another value, or none.

    Attributes:
        value: its value as JSON, cut where it is long; None where it has none.
        error: why it has none, `{kind, message, line, column}`; None where it has one.
        reason: a sentence that names the sub-expressions which decided.
        tree: the rule, `{text, start, end, evaluated, value | error, children}`, likewise its children. In the body of
            a macro there is `variables`: for which member it is shown.
    """

    value: Any
    error: dict[str, Any] | None
    reason: str
    tree: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """`{value | error, reason, tree}`."""
        outcome = {"value": self.value} if self.error is None else {"error": self.error}
        return {**outcome, "reason": self.reason, "tree": self.tree}


def explain(source: str, root: Node, context: Mapping[str, Any], budget: Budget) -> Explanation:
    """What the rule was in `context`; what fails, or costs too much, is explained too."""
    found = trace(root, context, budget)
    if found.failure is None:
        found.refuse_unless_json(budget)
    error = None
    if found.failure is not None:
        found.failure.locate(source)
        error = {**failure(found.failure), "line": found.failure.line, "column": found.failure.column}
    value = shown(found.value) if error is None else None
    return Explanation(value, error, Reasons(source).reason(found), _tree(source, found))


def _tree(source: str, found: Trace, variable: str = "") -> dict[str, Any]:
    node = found.node
    tree: dict[str, Any] = {"text": source[node.start : node.end], "start": node.start, "end": node.end}
    tree["evaluated"] = found.evaluated
    if found.failure is not None:
        tree["error"] = failure(found.failure)
    elif found.evaluated:
        tree["value"] = shown(found.value)
    if variable and found.member is not NOTHING:
        tree["variables"] = {variable: shown(found.member)}
    inner = node.variable if isinstance(node, Macro) else ""
    tree["children"] = [_tree(source, child, inner) for child in found.children]
    return tree

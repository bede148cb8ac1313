"""Rules: compiled once, evaluated often."""

from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import Any

from django.utils.translation import gettext as _

from automate.conf import settings
from automate.rules.budget import Budget
from automate.rules.errors import Kind, Refused, RuleError, RuleFailed
from automate.rules.explanation import Explanation, explain
from automate.rules.inference import infer
from automate.rules.names import names_of
from automate.rules.output import as_json
from automate.rules.parsing import parse
from automate.rules.tree import Node, Run
from automate.rules.types import Type

_KEPT = 16_384
"""How many rules a process keeps."""


class Rule:
    """An expression of the Common Expression Language; `compile_rule` makes it.

    Attributes:
        source: as it was written.
        root: its tree.
    """

    def __init__(self, source: str, root: Node) -> None:
        self.source, self.root = source, root

    def evaluate(self, context: Mapping[str, Any], *, budget: Budget | None = None) -> Any:
        """The value in `context`, as JSON has it.

        `budget` bounds what it costs; None is a new one of the settings' size.

        Raises:
            RuleFailed: it has none, or costs too much.
        """
        run = Run(context, Budget() if budget is None else budget)
        try:
            return as_json(run.visit(self.root), run.budget)
        except RuleFailed as failed:
            failed.node = failed.node or self.root  # the result as a whole
            failed.locate(self.source)
            raise

    def is_true(self, context: Mapping[str, Any], *, budget: Budget | None = None) -> bool:
        """Whether the rule holds in `context`.

        Raises:
            RuleFailed: it has no value, or one that is neither true nor false, or costs too much.
        """
        value = self.evaluate(context, budget=budget)
        if value is True or value is False:
            return bool(value)
        failed = RuleFailed(Kind.NOT_A_BOOL, _("The rule is neither true nor false."))
        failed.node = self.root
        failed.locate(self.source)
        raise failed

    def explain(self, context: Mapping[str, Any], *, budget: Budget | None = None) -> Explanation:
        """What each sub-expression is in `context`, and why the whole is what it is; a failure is explained too."""
        return explain(self.source, self.root, context, Budget() if budget is None else budget)

    @cached_property
    def names(self) -> frozenset[str]:
        """What it takes from the context: top-level names with what is reached for by name below them.

        `steps.ask.output == event.payload["kind"]` takes `steps.ask.output` and `event.payload.kind`.
        """
        return frozenset(names_of(self.root))

    def type_of(self, types: Mapping[str, Type]) -> Type:
        """The type of its value, given those of names (`n`) and of members (`steps.ask.output`); others are `DYN`.

        Raises:
            RuleError: no value of what is not given can make it right.
        """
        try:
            return infer(self.root, types)
        except Refused as refused:
            raise RuleError(refused.message, self.source, refused.start, refused.end) from None


def compile_rule(source: str) -> Rule:
    """The rule that is written so; the same object each time, as long as the process keeps it.

    Raises:
        RuleError: it does not parse, or is too long or too deep.
        NotConfigured: the extra `workflows` is not installed.
    """
    most = settings.rule_max_length
    if len(source) > most:
        raise RuleError(_("The rule is longer than %(most)s characters.") % {"most": most}, source, most)
    return _compiled(source)


@lru_cache(maxsize=_KEPT)
def _compiled(source: str) -> Rule:
    return Rule(source, parse(source))

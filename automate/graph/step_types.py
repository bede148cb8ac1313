"""What a graph has to know of a step's type to be checked and followed; `automate.steps.Step` is one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from automate.rules import Type


@dataclass(frozen=True, slots=True)
class RuleField:
    """A place in a step's settings that holds a rule, as a plain string.

    Attributes:
        path: the way to it from the settings, with dots; `*` stands for each item of a list: `cases.*.when`.
        wants: what the rule must give.
        names: what the rule sees besides what every expression of the step sees.
    """

    path: str
    wants: Type = Type.BOOL
    names: Mapping[str, Type] = field(default_factory=dict)


class StepType(Protocol):
    """A type of step, as the check and the walk of a graph see it.

    Attributes:
        type: its name in a definition.
        schema: the JSON Schema (draft 2020-12) of a step's `with`, as if every value stood there as itself.
        output_schema: the JSON Schema of what a step gives; `{}` where that may be anything.
        literal_fields: members of `with` in which nothing is an expression, such as those that decide the graph.
        secret_fields: members of `with` in which `{"secret": name}` may stand.
        rule_fields: where in `with` rules stand as plain strings; inside `literal_fields`.
        body_fields: members of `with` that are lists of steps; inside `literal_fields`.
        body_values: members of `with` that are resolved when a body has ended, and see what its steps saw.
        body_names: what the steps of a body see besides what the step itself sees.
        chooses: True where the step itself chooses among `targets()` what comes next; such a step has no `next`.
    """

    type: str
    schema: dict[str, Any]
    output_schema: dict[str, Any]
    literal_fields: Sequence[str]
    secret_fields: Sequence[str]
    rule_fields: Sequence[RuleField]
    body_fields: Sequence[str]
    body_values: Sequence[str]
    body_names: Mapping[str, Type]
    chooses: bool

    def targets(self, settings: Any) -> list[str]:
        """The steps that `settings` themselves name as what may come next; of any settings, also of wrong ones."""

    def bodies(self, settings: Any) -> dict[str, list[Any]]:
        """The lists of steps within `settings`, by the member they stand in; of any settings, also of wrong ones."""


TypeLookup = Callable[[str], StepType | None]
"""From a type's name to the type, or None where there is none."""

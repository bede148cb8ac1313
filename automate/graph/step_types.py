"""What a graph has to know of a step's type to be checked and followed; `automate.steps.Step` is one."""

from collections.abc import Callable, Iterator, Mapping, Sequence
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
        rule_fields: where rules stand in `with` as plain strings; inside `literal_fields`.
        target_fields: where names of steps stand in `with`, of which the step chooses what comes next; paths as those
            of rules, inside `literal_fields`. A type with such fields has no `next`.
        body_fields: members of `with` that are lists of steps; inside `literal_fields`.
        body_values: members of `with` that are resolved when a body has ended, and see what its steps saw.
        body_names: what the steps of a body see besides what the step itself sees.
    """

    @property
    def type(self) -> str: ...
    @property
    def schema(self) -> dict[str, Any]: ...
    @property
    def output_schema(self) -> dict[str, Any]: ...
    @property
    def literal_fields(self) -> Sequence[str]: ...
    @property
    def secret_fields(self) -> Sequence[str]: ...
    @property
    def rule_fields(self) -> Sequence[RuleField]: ...
    @property
    def target_fields(self) -> Sequence[str]: ...
    @property
    def body_fields(self) -> Sequence[str]: ...
    @property
    def body_values(self) -> Sequence[str]: ...
    @property
    def body_names(self) -> Mapping[str, Type]: ...


TypeLookup = Callable[[str], StepType | None]
"""From a type's name to the type, or None where there is none."""

Path = tuple[str | int, ...]


def places(settings: Any, pattern: str) -> Iterator[tuple[Path, Any]]:
    """What stands in `settings` where `pattern` leads, and where; settings may be wrong in any way."""
    found: list[tuple[Path, Any]] = [((), settings)]
    for part in pattern.split("."):
        found = [((*path, key), member) for path, value in found for key, member in _members(value, part)]
    yield from found


def _members(value: Any, part: str) -> list[tuple[str | int, Any]]:
    if part == "*":
        return list(enumerate(value)) if isinstance(value, list) else []
    return [(part, value[part])] if isinstance(value, dict) and part in value else []


def targets_of(step_type: StepType | None, settings: Any) -> list[str]:
    """The names of steps that `settings` themselves name as what may come next."""
    patterns = () if step_type is None else step_type.target_fields
    return [name for pattern in patterns for _path, name in places(settings, pattern) if isinstance(name, str)]


def bodies_of(step_type: StepType | None, settings: Any) -> dict[str, list[Any]]:
    """The lists of steps within `settings`, by the member they stand in."""
    if step_type is None or not isinstance(settings, dict):
        return {}
    return {name: settings[name] for name in step_type.body_fields if isinstance(settings.get(name), list)}

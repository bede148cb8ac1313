"""Step types: what a step of a workflow can do. Apps register theirs in `AppConfig.ready()`."""

from abc import ABC
from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.exceptions import ImproperlyConfigured

from automate.graph.step_types import RuleField, bodies_of, targets_of
from automate.rules import Type


class Step(ABC):
    """One type of step. A subclass names it and declares two JSON Schemas (draft 2020-12).

    `automate.graph.step_types.StepType` says what each attribute means.
    """

    type: ClassVar[str]
    label: ClassVar[Any] = ""
    schema: ClassVar[dict[str, Any]] = {"type": "object", "additionalProperties": False}
    output_schema: ClassVar[dict[str, Any]] = {}
    literal_fields: ClassVar[tuple[str, ...]] = ()
    secret_fields: ClassVar[tuple[str, ...]] = ()
    rule_fields: ClassVar[tuple[RuleField, ...]] = ()
    target_fields: ClassVar[tuple[str, ...]] = ()
    body_fields: ClassVar[tuple[str, ...]] = ()
    body_values: ClassVar[tuple[str, ...]] = ()
    body_names: ClassVar[Mapping[str, Type]] = {}

    def targets(self, settings: Any) -> list[str]:
        """The steps that `settings` themselves name as what may come next."""
        return targets_of(self, settings)

    def bodies(self, settings: Any) -> dict[str, list[Any]]:
        """The lists of steps within `settings`, by the member they stand in."""
        return bodies_of(self, settings)


_registry: dict[str, Step] = {}


def register_step(step: type[Step]) -> type[Step]:
    """Make `step` available to workflows; usable as a class decorator.

    Raises:
        ImproperlyConfigured: another class has registered this type.
    """
    known = _registry.get(step.type)
    if known is not None and type(known) is not step:
        raise ImproperlyConfigured(f"Two steps are registered for the type {step.type!r}.")
    _registry[step.type] = step()
    return step


def get_step_type(name: str) -> Step | None:
    """The step type of this name, or None."""
    return _registry.get(name)


def step_types() -> list[str]:
    """Every registered type of step, sorted."""
    return sorted(_registry)

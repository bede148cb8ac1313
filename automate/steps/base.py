"""Step types: what a step of a workflow can do. Apps register theirs in `AppConfig.ready()`."""

from abc import ABC
from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.exceptions import ImproperlyConfigured

from automate.graph.step_types import RuleField, bodies_of, targets_of
from automate.rules import Type
from automate.steps.context import StepContext, Turn
from automate.steps.outcomes import Outcome, Work


class Step(ABC):
    """One type of step. A subclass names it, declares the JSON Schema of its settings, and works in `run()`.

    What goes wrong is raised as a class of `automate_api.exceptions`; `StepFailed` is there for what no other class
    says. Those that are worth another try are tried again as often as the step's `retries` say. `StepType` in
    `automate.graph.step_types` says what each attribute means; where `is_decided`, staff may end its waiting, as
    they do that of `approval`.

    Override:
        run(ctx): do the work in a worker, and return the output, which must be JSON. It may be called again where a
            worker has died: what must happen once happens in `ctx.once()`, or is known elsewhere by `ctx.key`.
        begin(turn): decide what becomes of the step when its turn has come. It must neither wait nor write: it is
            called in the transaction in which the step before has ended.
        expire(): decide what it means that the step has waited in vain.
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
    is_decided: ClassVar[bool] = False

    def begin(self, turn: Turn) -> Outcome:
        """What becomes of the step: by default a worker calls `run()`."""
        return Work()

    async def run(self, ctx: StepContext) -> Any:
        """Do the work, and return the output."""
        raise NotImplementedError

    def expire(self) -> Any:
        """What a step gives that has waited for as long as its `Wait` said; raise, and it has failed."""
        return None

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

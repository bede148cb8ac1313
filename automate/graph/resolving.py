"""The settings of a step in a run: its `with`, compiled for its type and resolved in a scope."""

from collections.abc import Mapping
from typing import Any

from automate.graph.leaves import Scope, Secrets, ValueFailed
from automate.graph.step_types import StepType, bodies_of
from automate.graph.values import Value, compile_value
from automate_api.engine.json_schema import Unknown, check_value
from automate_api.exceptions import FieldError


class Settings:
    """A step's `with`, which has been checked."""

    def __init__(self, settings: Mapping[str, Any], step_type: StepType) -> None:
        """Compile `settings`.

        Raises:
            InvalidValue: an expression can never be right; nothing of this kind is accepted when a workflow is saved.
        """
        self._step_type = step_type
        self._literal = {name: raw for name, raw in settings.items() if name in step_type.literal_fields}
        self._values = {
            name: compile_value(raw, secrets=name in step_type.secret_fields)
            for name, raw in settings.items()
            if name not in step_type.literal_fields
        }

    def resolve(self, scope: Scope, *, secrets: Secrets | None = None) -> dict[str, Any]:
        """The settings in `scope`; what stands in `body_values` is left out, being of no use before a body has ended.

        Do not change what you get: parts of it are the definition's.

        Args:
            scope: what expressions see, by its names.
            secrets: what `{"secret": name}` gives. Where it is None, `[secret name]` stands in their place, so that
                the settings can be stored and shown.

        Raises:
            ValueFailed: an expression has no value; its `path` begins with the member.
        """
        own = {name: value for name, value in self._values.items() if name not in self._step_type.body_values}
        return {**self._literal, **{name: _resolved(name, value, scope, secrets) for name, value in own.items()}}

    def resolve_body_value(self, name: str, scope: Scope) -> Any:
        """The member `name`, one of `body_values`, in what the steps of a body saw; None where there is none.

        Raises:
            ValueFailed: an expression has no value.
        """
        return _resolved(name, self._values[name], scope, None) if name in self._values else None

    def check(self, resolved: Mapping[str, Any], *, field: str = "with") -> list[FieldError]:
        """What keeps resolved settings from fitting the type's schema, which could not be known before."""
        known = {**resolved, **{name: body[:1] for name, body in bodies_of(self._step_type, dict(resolved)).items()}}
        later = {name: Unknown() for name in self._values if name in self._step_type.body_values}
        return check_value({**known, **later}, self._step_type.schema, field=field, partial=True)


def _resolved(name: str, value: Value, scope: Scope, secrets: Secrets | None) -> Any:
    try:
        return value.resolve(scope, secrets=secrets)
    except ValueFailed as exc:
        exc.path = (name, *exc.path)
        raise

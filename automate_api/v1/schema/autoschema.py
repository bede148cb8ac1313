"""How the base views describe themselves."""

import inspect
import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from drf_spectacular import openapi
from drf_spectacular.drainage import has_override
from drf_spectacular.plumbing import (
    ComponentRegistry,
    ResolvedComponent,
    append_meta,
    build_array_type,
    build_choice_field,
)
from drf_spectacular.utils import PolymorphicProxySerializer
from rest_framework import serializers

from automate_api.v1.correlation import HEADER as CORRELATION_ID
from automate_api.v1.idempotency import HEADER as IDEMPOTENCY_KEY
from automate_api.v1.idempotency import REPLAYED
from automate_api.v1.permissions import READ, RUN
from automate_api.v1.schema import directions, headers, names, problems
from automate_api.v1.schema.sampling import Sampler

# What these say is about their own code.
_SILENT = re.compile(r"(?:automate_api\.v1\.base|builtins|django|rest_framework)\b")
_OUTCOMES = {
    "list": "A page of the list.",
    "retrieve": "The object.",
    "create": "The object that was made.",
    "update": "The object as it is now.",
    "partial_update": "The object as it is now.",
    "destroy": "The object is gone.",
}
_AFTER_PARAMETERS = frozenset({"tags", "requestBody", "security", "deprecated", "responses"})
# A route's part that is looked up whatever it is.
_ANYTHING = "[^/]+"
# From here on a docstring speaks to who reads the code.
_FOR_DEVELOPERS = re.compile(r"^(?:Args|Override|Raises|Returns)\b.*:\s*$", re.MULTILINE)


class AutoSchema(openapi.AutoSchema):
    """drf-spectacular's description, with names of our own, problems, and an example for each body.

    Operation ids come from the routes' names, the tag from the view's `scope_resource`. Components of our serializers
    begin with `Automate`, and so do those of their choices, which drf-spectacular's enum hook therefore leaves alone: a
    host's own `status` and `type` neither disturb ours nor are disturbed. What is sent and what is answered are two
    components, whatever the host's `COMPONENT_SPLIT_REQUEST` says.

    A view's `error_statuses`, statuses or `Answer`s by action or method in lower case, are those beside the usual;
    an action that is named there and runs something does not have the errors of runs unless it lists them. Its
    `error_form` says how they are written, where that is not as problems.
    """

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: ComponentRegistry
    ) -> dict[str, Any] | None:
        """The operation with its headers, error answers and examples."""
        operation = super().get_operation(path, path_regex, path_prefix, method, registry)
        if operation is None:
            return None
        for status, answer in operation["responses"].items():
            self._complete(status, answer)
        operation["parameters"] = [each for each in operation.get("parameters", ()) if _has_place(each, path)]
        self._add_headers(operation)
        self._add_examples(operation)
        self._add_problems(operation)
        return operation

    def get_operation_id(self) -> str:
        """From the route's name."""
        return names.operation_id(self.view, self.path_regex, self.method) or super().get_operation_id()

    def get_summary(self) -> str | None:
        """What is done to what, in two words."""
        return names.summary(self.view, self.method)

    def get_tags(self) -> list[str]:
        """The noun of the view's scopes."""
        resource = getattr(self.view, "scope_resource", None)
        return [resource] if resource else super().get_tags()

    def get_description(self) -> str:  # type: ignore[override]
        """The action's docstring, else the view's; not those of base classes, nor what they tell developers."""
        action = getattr(self.view, getattr(self.view, "action", None) or self.method.lower(), None)
        speakers = [action, *type(self.view).__mro__]
        documented = (speaker.__doc__ for speaker in speakers if not _SILENT.match(getattr(speaker, "__module__", "")))
        text = next((inspect.cleandoc(doc) for doc in documented if doc), "")
        return _FOR_DEVELOPERS.split(text)[0].strip()

    def get_serializer_name(self, serializer: Any, direction: Any) -> str:
        """The class' name, prefixed if it is ours."""
        name = super().get_serializer_name(serializer, direction)
        return names.prefixed(name) if names.is_ours(type(serializer)) else name

    def _get_serializer_name(self, serializer: Any, direction: Any, bypass_extensions: bool = False) -> str:
        # drf-spectacular puts "Patched" in front; ours begin with our prefix.
        name = super()._get_serializer_name(serializer, direction, bypass_extensions)
        patched = f"Patched{names.PREFIX}"
        name = f"{names.PREFIX}Patched{name.removeprefix(patched)}" if name.startswith(patched) else name
        return directions.named(name, direction) if name.startswith(names.PREFIX) else name

    def get_paginated_name(self, serializer_name: str) -> str:
        """`AutomateXPage` for ours."""
        ours = serializer_name.startswith(names.PREFIX)
        return f"{serializer_name}Page" if ours else super().get_paginated_name(serializer_name)

    def _map_serializer_field(self, field: Any, direction: Any, bypass_extensions: bool = False) -> Any:
        ours = names.is_ours(type(field.parent))
        if ours and directions.is_absent(field, direction):
            return None
        # Only here are choices known to be choices; later they are like anybody's.
        name = names.choices_name(field) if isinstance(field, serializers.ChoiceField) else None
        if name is None or has_override(field, "field"):
            return super()._map_serializer_field(field, direction, bypass_extensions)  # type: ignore[no-untyped-call]
        reference = self._register_choices(name, field)
        if isinstance(field, serializers.MultipleChoiceField):
            reference = build_array_type(reference)
        meta: dict[str, Any] = self._get_serializer_field_meta(field, direction)
        return append_meta(reference, meta)

    def _map_serializer(self, serializer: Any, direction: Any, bypass_extensions: bool = False) -> Any:
        schema = super()._map_serializer(serializer, direction, bypass_extensions)  # type: ignore[no-untyped-call]
        if names.is_ours(type(serializer)) and directions.is_object(schema, serializer):
            schema = directions.directed(schema, serializer, direction)
        if isinstance(serializer, PolymorphicProxySerializer) and "discriminator" not in schema and "oneOf" in schema:
            # Nothing tells the alternatives apart, so an answer may fit several.
            schema["anyOf"] = schema.pop("oneOf")
        return schema

    def _register_choices(self, name: str, field: Any) -> dict[str, Any]:
        schema = build_choice_field(field)
        schema.pop("x-spec-enum-id", None)
        # Whether null is admitted is each field's own matter.
        schema["enum"] = [value for value in schema["enum"] if value is not None]
        component = ResolvedComponent(name, ResolvedComponent.SCHEMA, schema, name)  # type: ignore[no-untyped-call]
        self.registry.register_on_missing(component)
        return dict(component.ref)

    def _get_serializer_field_meta(self, field: Any, direction: Any) -> dict[str, Any]:
        meta: dict[str, Any] = super()._get_serializer_field_meta(field, direction)  # type: ignore[no-untyped-call]
        if names.is_ours(type(names.member(field).parent)):
            return directions.told(meta, field, direction)
        return meta

    def _resolve_path_parameters(self, variables: list[str]) -> list[dict[str, Any]]:
        path_regex = self.path_regex
        # Only REST framework's own pattern of anything has the model's column say what it is.
        self.path_regex = path_regex.replace(_ANYTHING, "[^/.]+")
        try:
            resolved: list[dict[str, Any]] = super()._resolve_path_parameters(variables)  # type: ignore[no-untyped-call]
        finally:
            self.path_regex = path_regex
        return resolved

    def _get_format_parameters(self) -> list[dict[str, Any]]:
        # The package's negotiation goes by `Accept` alone.
        return []

    def _complete(self, status: str, answer: dict[str, Any]) -> None:
        outcome = _OUTCOMES.get(getattr(self.view, "action", None) or "") if status.startswith("2") else None
        answer["description"] = outcome or answer.get("description") or HTTPStatus(int(status)).phrase
        replayed = [REPLAYED] if self._takes_idempotency_key else []
        received = headers.received(self.registry, CORRELATION_ID, *headers.LIMITS, *replayed)
        answer["headers"] = {**received, **answer.get("headers", {})}

    def _add_headers(self, operation: dict[str, Any]) -> None:
        sent = [CORRELATION_ID, *([IDEMPOTENCY_KEY] if self._takes_idempotency_key else [])]
        references = [headers.sent(self.registry, name) for name in sent]
        parameters = [*operation.pop("parameters", ()), *references]
        # They stand before what is sent and answered, as elsewhere.
        following = {name: operation.pop(name) for name in list(operation) if name in _AFTER_PARAMETERS}
        operation.update(parameters=parameters, **following)

    @property
    def _takes_idempotency_key(self) -> bool:
        # A key belongs to whoever is signed in.
        return self.method == "POST" and not self._only_reads and self._signs_in

    @property
    def _signs_in(self) -> bool:
        """Whether the view looks at credentials."""
        return bool(getattr(self.view, "authentication_classes", ()))

    @property
    def _only_reads(self) -> bool:
        return self.method == "POST" and getattr(self.view, "scope_access", None) == READ

    def _add_problems(self, operation: dict[str, Any]) -> None:
        answers = operation["responses"]
        form: problems.Form = getattr(self.view, "error_form", problems.PROBLEMS)
        for answer in self._problems(operation):
            answers.setdefault(str(answer.status), answer.reference(self.registry, form))

    def _problems(self, operation: dict[str, Any]) -> Iterator[problems.Answer]:
        view: Any = self.view
        declared = getattr(view, "error_statuses", {}).get(getattr(view, "action", None) or self.method.lower())
        required: str = (view.get_required_scope() if hasattr(view, "get_required_scope") else None) or ""
        is_run = declared is None and required.endswith(f":{RUN}")
        answers = problems.answers(operation, self._method_of_problems, is_run=is_run, further=declared or ())
        return (answer for answer in answers if self._signs_in or answer.status not in {401, 403})

    @property
    def _method_of_problems(self) -> str:
        """The method whose usual problems the operation has: without an idempotency key, a POST's are a GET's."""
        return "GET" if self.method == "POST" and not self._takes_idempotency_key else self.method

    def _add_examples(self, operation: dict[str, Any]) -> None:
        bodies = [("readOnly", operation.get("requestBody", {}))]
        bodies += [("writeOnly", answer) for answer in operation["responses"].values()]
        for absent, body in bodies:
            for content in body.get("content", {}).values():
                if "schema" in content and not content.keys() & {"example", "examples"}:
                    content["example"] = Sampler(self.registry, absent, self.path).of(content["schema"])


def _has_place(parameter: dict[str, Any], path: str) -> bool:
    """Whether a parameter belongs to this of the view's routes: in its path where it names it, elsewhere where not."""
    return (f"{{{parameter.get('name')}}}" in path) == (parameter.get("in") == "path")

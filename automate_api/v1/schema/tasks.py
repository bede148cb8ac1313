"""What runs take, in the OpenAPI description: a component for each task type's input, and one for its parameters."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.functional import lazy
from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.plumbing import ComponentRegistry, is_jsonschema_compliant

from automate_api.engine.capability import Capability, get_capability, task_types
from automate_api.v1.schema.components import SCHEMA, component
from automate_api.v1.schema.older import as_30
from automate_api.v1.schema.parts import Names, Schema, joined, parts_of


def forms_of(
    registry: ComponentRegistry, member: str, schema_of: Callable[[Capability], Mapping[str, Any]]
) -> dict[str, Any]:
    """The schema of a run's `member`: any of the forms it has, one for each task type that endpoints may offer."""
    names = Names()
    # First all of these, so that no part of one takes the name of another.
    forms = {name: names.take(joined(f"Automate{member.title()}", name)) for name in task_types()}
    for task_type, form in forms.items():
        for name, part in parts_of(_schema(task_type, schema_of), form, names).items():
            said = f"What `{task_type}` takes as `{member}`" + ("." if name == form else ", a part of it.")
            _register(registry, name, {"description": said, **part})
    references = [{"$ref": f"#/components/schemas/{name}"} for name in forms.values()]
    return {"anyOf": references} if references else {}


def _schema(task_type: str, schema_of: Callable[[Capability], Mapping[str, Any]]) -> Mapping[str, Any]:
    capability = get_capability(task_type)
    return schema_of(capability) if capability else {}


def _register(registry: ComponentRegistry, name: str, part: Schema) -> None:
    is_31 = is_jsonschema_compliant()  # type: ignore[no-untyped-call]
    component(registry, SCHEMA, name, lambda: part if is_31 else as_30(part))


def _known() -> str:
    return ", ".join(f"`{task_type}`" for task_type in task_types())


#: The task types of this host, read when the description is made.
known_task_types = lazy(_known, str)


class RunInputExtension(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Describes `RunInputField`."""

    target_class = "automate_api.v1.serializers.fields.RunInputField"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """Any of the task types' inputs."""
        return forms_of(auto_schema.registry, "input", lambda capability: capability.input_schema)


class RunParamsExtension(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Describes `RunParamsField`."""

    target_class = "automate_api.v1.serializers.fields.RunParamsField"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """Any of the task types' parameters."""
        return forms_of(auto_schema.registry, "params", lambda capability: capability.params_schema)

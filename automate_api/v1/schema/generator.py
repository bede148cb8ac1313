"""The generator behind `schema/`."""

from typing import Any

from django.urls import get_script_prefix
from django.utils.translation import gettext_lazy as _
from drf_spectacular.generators import EndpointEnumerator
from drf_spectacular.generators import SchemaGenerator as SpectacularGenerator
from drf_spectacular.openapi import AutoSchema as SpectacularSchema
from drf_spectacular.plumbing import get_class
from rest_framework.settings import api_settings

from automate_api.v1.schema.autoschema import AutoSchema

#: What the tags of the package's operations stand for. An app above adds its own.
TAGS = {
    "api-keys": _("Credentials for programs: a user's, narrowed to scopes."),
    "chat": _("Conversations with models, as the OpenAI protocol has them."),
    "embeddings": _("Vectors for texts, as the OpenAI protocol has them."),
    "artifacts": _("Files that callers bring and runs make."),
    "endpoints": _("What may be run: a task on a model, with the form of its input and who may run it."),
    "executions": _("Runs: what went in, how they ended, what they cost."),
    "index": _("Where everything is."),
    "llm-clients": _("Models with their prompts and parameters."),
    "models": _("The models that can be reached."),
    "jobs": _("Runs that outlive their request, and the process that works on them."),
    "events": _("What happened elsewhere, as it was sent."),
    "organization": _("What clients of the organization admin API call."),
    "prompt-logs": _("What was said to models, and what they said."),
    "providers": _("Model servers: where they are, and how patiently they are called."),
    "schema": _("This description."),
    "workbench": _("What front ends of the workbench call."),
}


class _DescribableEndpoints(EndpointEnumerator):
    """Views that drf-spectacular can describe: a host that does not use it has others, which would make it fail."""

    def should_include_endpoint(self, path: str, callback: Any) -> bool:
        if not super().should_include_endpoint(path, callback):
            return False
        return issubclass(get_class(callback.cls.schema), SpectacularSchema)


class SchemaGenerator(SpectacularGenerator):
    """drf-spectacular's generator, for hosts whose `DEFAULT_SCHEMA_CLASS` is another one's as well.

    For `manage.py spectacular` in such a host: `--generator-class automate_api.v1.schema.SchemaGenerator`.
    """

    endpoint_inspector_cls = _DescribableEndpoints

    def get_schema(self, request: Any = None, public: bool = False) -> dict[str, Any]:
        """drf-spectacular's description, with our tags explained, and with a title and a server where the host names
        none.
        """
        schema: dict[str, Any] = super().get_schema(request, public)  # type: ignore[no-untyped-call]
        schema["info"]["title"] = schema["info"]["title"] or "API"
        schema.setdefault("servers", [{"url": get_script_prefix().rstrip("/") or "/"}])
        schema["tags"] = [*schema.get("tags", ()), *_tags(schema)]
        return schema

    def create_view(self, callback: Any, method: str, request: Any = None) -> Any:
        """drf-spectacular's view, described by `AutoSchema` also where `@extend_schema` knew nothing of it.

        That decorator extends `DEFAULT_SCHEMA_CLASS`, which then stands before the view's own class in the order of
        bases. A class derived from both puts the view's first again.
        """
        view = super().create_view(callback, method, request)  # type: ignore[no-untyped-call]
        described: type = get_class(callback.cls.schema)
        default: Any = api_settings.DEFAULT_SCHEMA_CLASS
        action = getattr(view, getattr(view, "action", None) or method.lower(), None)
        extended: type = get_class(getattr(action, "kwargs", {}).get("schema") or described)
        if issubclass(described, AutoSchema) and not issubclass(extended, described) and issubclass(extended, default):
            bridge = described if issubclass(described, default) else type("Bridge", (described, default), {})
            schema = type("ExtendedSchema", (extended, bridge), {})()
            self._set_schema_to_view(view, schema)  # type: ignore[no-untyped-call]
        return view


def _tags(schema: dict[str, Any]) -> list[dict[str, str]]:
    explained = {tag["name"] for tag in schema.get("tags", ())}
    used = {tag for path in schema["paths"].values() for found in path.values() for tag in found.get("tags", ())}
    return [{"name": name, "description": str(text)} for name, text in TAGS.items() if name in used - explained]

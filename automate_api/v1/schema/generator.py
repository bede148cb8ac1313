"""The generator behind `schema/`."""

from typing import Any

from drf_spectacular.generators import EndpointEnumerator
from drf_spectacular.generators import SchemaGenerator as SpectacularGenerator
from drf_spectacular.openapi import AutoSchema as SpectacularSchema
from drf_spectacular.plumbing import get_class
from rest_framework.settings import api_settings

from automate_api.v1.schema.autoschema import AutoSchema


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

"""The generator behind `schema/`."""

from typing import Any

from drf_spectacular.generators import EndpointEnumerator
from drf_spectacular.generators import SchemaGenerator as SpectacularGenerator
from drf_spectacular.openapi import AutoSchema


class _DescribableEndpoints(EndpointEnumerator):
    """Views that drf-spectacular can describe: a host that does not use it has others, which would make it fail."""

    def should_include_endpoint(self, path: str, callback: Any) -> bool:
        if not super().should_include_endpoint(path, callback):
            return False
        return isinstance(callback.initkwargs.get("schema", callback.cls.schema), AutoSchema | type(AutoSchema))


class SchemaGenerator(SpectacularGenerator):
    """drf-spectacular's generator, that also works in a host whose `DEFAULT_SCHEMA_CLASS` is another."""

    endpoint_inspector_cls = _DescribableEndpoints

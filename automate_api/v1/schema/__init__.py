"""The OpenAPI description of the package's routes, by drf-spectacular."""

from automate_api.v1.schema.autoschema import AutoSchema, extend_schema
from automate_api.v1.schema.events import RunEventSerializer
from automate_api.v1.schema.generator import SchemaGenerator

__all__ = ["AutoSchema", "RunEventSerializer", "SchemaGenerator", "extend_schema"]

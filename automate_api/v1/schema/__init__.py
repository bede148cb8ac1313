"""The OpenAPI description of the package's routes, by drf-spectacular."""

from automate_api.v1.schema.autoschema import AutoSchema
from automate_api.v1.schema.generator import SchemaGenerator

__all__ = ["AutoSchema", "SchemaGenerator"]

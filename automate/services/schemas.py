"""The JSON Schemas that are published, by their names."""

from typing import Any

from automate.graph.schema import definition_schema
from automate.services.transfer import document_schema
from automate_api.exceptions import NotFound

_SCHEMAS = {"definition": definition_schema, "document": document_schema}


def published_schema(name: str) -> dict[str, Any]:
    """The JSON Schema of `definition` or `document`.

    Raises:
        NotFound: there is none of this name.
    """
    make = _SCHEMAS.get(name)
    if make is None:
        raise NotFound
    return make()

"""The JSON Schemas that are published, by their names."""

from typing import Any

from automate.graph.schema import definition_schema
from automate.services.transfer import document_schema
from automate.steps.base import get_step_type, step_types
from automate_api.exceptions import NotFound


def published_schema(name: str) -> dict[str, Any]:
    """The JSON Schema of `definition` or `document`.

    Raises:
        NotFound: there is none of this name.
    """
    if name not in {"definition", "document"}:
        raise NotFound
    definition = definition_schema(filter(None, map(get_step_type, step_types())))
    return definition if name == "definition" else document_schema(definition)

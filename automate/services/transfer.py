"""Workflows as documents: written in one place, read in another, or kept in a repository."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction

from automate.models import Trigger, Workflow
from automate.services.endpoints import name_by_slug
from automate.services.triggers import create_trigger
from automate_api.engine.json_schema import check_value, require_valid
from automate_api.exceptions import FieldError, InvalidInput
from automate_api.models import Actor

#: What a document says it is.
FORMAT = "automate.workflow/1"

#: How many triggers a document may have.
MOST_TRIGGERS = 50

# What of a trigger is neither secret nor of one place: of each, and of each kind.
_OF_EACH = ("name", "kind", "enabled")
_OF_KIND: Mapping[str, tuple[str, ...]] = {
    Trigger.Kind.EVENT: ("pattern",),
    Trigger.Kind.MODEL: ("pattern",),
    Trigger.Kind.SCHEDULE: ("schedule", "time_zone", "catch_up"),
    Trigger.Kind.HOOK: ("signature",),
}


def _text(description: Any, length: int, **more: Any) -> dict[str, Any]:
    return {"type": "string", "maxLength": length, "description": description, **more}


TRIGGER_SCHEMA: dict[str, Any] = {
    "type": "object",
    "title": "Trigger",
    "description": "What starts the workflow. Its token and its signing secret are made anew where it is imported.",
    "properties": {
        "name": _text("What people call it.", 200, minLength=1),
        "kind": {"enum": list(Trigger.Kind.values), "description": "What starts it."},
        "enabled": {"type": "boolean", "default": True, "description": "Whether it starts anything."},
        "pattern": _text("Of an event its type, or the beginning of types and a `*`; of a model its label.", 200),
        "schedule": _text("Five fields, as cron has them.", 200),
        "time_zone": _text("Of the schedule, as the IANA database names it.", 64),
        "catch_up": {"enum": list(Trigger.CatchUp.values), "description": "What becomes of missed times."},
        "signature": {
            "enum": ["", *Trigger.Signature.values],
            "description": "How a hook's sender proves who it is.",
        },
    },
    "required": ["name", "kind"],
    "additionalProperties": False,
}

DOCUMENT_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "urn:automate:schema:workflow:1",
    "title": "Workflow",
    "description": "A workflow with its triggers, to be kept or to be imported elsewhere. It holds no secrets.",
    "type": "object",
    "properties": {
        "format": {"const": FORMAT, "description": "What this document is."},
        "name": _text("What people call it.", 200, minLength=1),
        "slug": _text("Unique in the tenant; made of `name` if absent.", 64, pattern="^[-a-zA-Z0-9_]+$"),
        "description": _text("What it is for.", 10_000),
        "definition": {"type": "object", "description": "Its condition and its steps; endpoints stand by their slugs."},
        "triggers": {"type": "array", "maxItems": MOST_TRIGGERS, "items": TRIGGER_SCHEMA},
    },
    "required": ["format", "name", "definition"],
    "additionalProperties": False,
}


def document_schema(definition: dict[str, Any]) -> dict[str, Any]:
    """The published JSON Schema (draft 2020-12) of a document, with that of a `definition` inside."""
    return {**DOCUMENT_SCHEMA, "properties": {**DOCUMENT_SCHEMA["properties"], "definition": definition}}


def export_workflow(workflow: Workflow, *, actor: Actor) -> dict[str, Any]:
    """`workflow` as a document: the same one as often as it is written, as long as nothing changes."""
    definition = copy.deepcopy(workflow.definition)
    name_by_slug(definition, actor=actor)
    return {
        "format": FORMAT,
        "name": workflow.name,
        "slug": workflow.slug,
        "description": workflow.description,
        "definition": definition,
        "triggers": [_exported(trigger) for trigger in workflow.triggers.order_by("pk")],
    }


def import_workflow(document: Any, *, actor: Actor, create: Callable[..., Workflow]) -> Workflow:
    """A new workflow, switched off, with the triggers of `document`; all of it or nothing.

    Args:
        document: any JSON.
        actor: who imports it, and owns it then.
        create: makes the workflow of its columns.

    Raises:
        InvalidInput: something does not fit; the errors of a trigger name it, as in `triggers.0.schedule`.
        Conflict: the slug is taken.
    """
    require_valid(check_value(document, DOCUMENT_SCHEMA, field=""))
    fields = {name: document[name] for name in ("name", "slug", "description", "definition") if name in document}
    with transaction.atomic():
        workflow = create(**fields, enabled=False)
        for number, trigger in enumerate(document.get("triggers", ())):
            _import_trigger(workflow, trigger, f"triggers.{number}", actor)
    return workflow


def _exported(trigger: Trigger) -> dict[str, Any]:
    return {name: getattr(trigger, name) for name in (*_OF_EACH, *_OF_KIND[trigger.kind])}


def _import_trigger(workflow: Workflow, trigger: dict[str, Any], field: str, actor: Actor) -> None:
    try:
        create_trigger(actor=actor, workflow=workflow, **trigger)
    except InvalidInput as exc:
        errors = [FieldError(f"{field}.{error.field}".rstrip("."), error.code, error.detail) for error in exc.errors]
        raise InvalidInput(errors) from exc

"""LLM clients: make, change, delete."""

from typing import Any

from django.db.models import F
from django.utils.translation import gettext_lazy as _

from automate_api.engine.capability import get_capability
from automate_api.engine.json_schema import check_value, require_valid
from automate_api.exceptions import FieldError, PermissionDenied
from automate_api.models import Actor, LLMClient
from automate_api.services.rows import assign, create_named, delete, locked, storing, tenant_of

_TOOLS = {
    "type": "array",
    "maxItems": 128,
    "items": {
        "type": "object",
        "properties": {
            "type": {"const": "function"},
            "function": {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
                    "description": {"type": "string"},
                    "parameters": {"type": "object"},
                    "strict": {"type": "boolean"},
                },
                "required": ["name"],
                "additionalProperties": False,
            },
        },
        "required": ["type", "function"],
        "additionalProperties": False,
    },
}


def create_llm_client(*, actor: Actor, **fields: Any) -> LLMClient:
    """A new LLM client that belongs to the actor.

    Raises:
        InvalidInput: a field does not fit, or no model is named by it or its provider.
        Conflict: the actor has one of that name, or the slug is taken.
    """
    tenant_id = tenant_of(actor)

    def create(columns: dict[str, Any]) -> LLMClient:
        client = LLMClient(tenant_id=tenant_id, owner=actor.user)
        assign(client, columns)
        _check(client)
        client.save(force_insert=True)
        # A new one is shared with nobody, and nobody needs to look.
        client.loaded_shares = []  # type: ignore[attr-defined]
        return client

    return create_named(LLMClient.objects.of_tenant(tenant_id), fields, create)


def update_llm_client(client: LLMClient, *, actor: Actor, **fields: Any) -> LLMClient:
    """Change `fields` and count the version up.

    Raises:
        PermissionDenied: the actor is neither its owner nor staff of the tenant.
        InvalidInput, Conflict: as for `create_llm_client`.
    """
    require_writable(client, actor=actor)
    with storing():
        current = locked(client)
        assign(current, fields)
        _check(current)
        current.version = F("version") + 1
        current.save()
        current.refresh_from_db(fields=["version"])
    return current


def delete_llm_client(client: LLMClient, *, actor: Actor) -> None:
    """Delete it.

    Raises:
        PermissionDenied: the actor is neither its owner nor staff of the tenant.
        Conflict: an endpoint uses it.
    """
    require_writable(client, actor=actor)
    delete(client, in_use=_("An endpoint uses this LLM client."))


def require_writable(client: LLMClient, *, actor: Actor) -> None:
    """Refuse whoever may only read.

    Raises:
        PermissionDenied: the actor is neither the owner nor staff of the tenant.
    """
    if not actor.is_staff and client.owner_id != actor.user.pk:
        raise PermissionDenied


def _check(client: LLMClient) -> None:
    chat = get_capability("llm.chat")
    parameters = chat.params_schema if chat else {}
    errors = check_value(client.parameters, parameters, field="parameters")
    errors += check_value(client.tools, _TOOLS, field="tools")
    if not client.effective_model:
        detail = str(_("Name a model: the provider has no default."))
        errors.append(FieldError("model", "required", detail))
    require_valid(errors)

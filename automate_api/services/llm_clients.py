"""LLM clients: make, copy, change, share, delete, restore. Who may, `rights` says."""

import re
from typing import Any

from django.db.models import F, QuerySet
from django.utils.translation import gettext_lazy as _

from automate_api.conf import settings
from automate_api.engine.capability import get_capability
from automate_api.engine.json_schema import check_value, require_valid
from automate_api.exceptions import Conflict, FieldError, NotFound
from automate_api.models import Actor, LLMClient, LLMClientVersion, Provider
from automate_api.models.now import Now
from automate_api.models.prepared import PreparedSelect
from automate_api.services.client_changes import announce, scope_of_tenant
from automate_api.services.leases import from_now
from automate_api.services.rights import require_right
from automate_api.services.rows import assign, create_named, locked, set_grants, storing, tenant_of

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

# What shapes its answers is what a version keeps; the slug is one of its own.
_COPIED = ("description", *(name for name in LLMClientVersion.columns if name != "slug"))


def _alive(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.filter(deleted_at__isnull=True)


_by_id = PreparedSelect(LLMClient, by=("tenant_id", "id"), related=("provider",), rows=_alive)
_by_slug = PreparedSelect(LLMClient, by=("tenant_id", "slug"), related=("provider",), rows=_alive)

# An id has one spelling.
_ID = re.compile(r"0|[1-9][0-9]{0,17}")
_SLUG = re.compile(r"[-a-zA-Z0-9_]{1,64}")


def create_llm_client(*, actor: Actor, **fields: Any) -> LLMClient:
    """A new LLM client that belongs to the actor.

    Raises:
        InvalidInput: a field does not fit, or no model is named by it or its provider.
        Conflict: the actor has one of that name, or the slug is taken.
    """
    tenant_id = tenant_of(actor)

    def create(columns: dict[str, Any]) -> LLMClient:
        announce(scope_of_tenant(tenant_id))
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
        NotFound, PermissionDenied: the actor may not.
        InvalidInput, Conflict: as for `create_llm_client`.
    """
    with storing():
        current = _locked(client, "change", actor=actor)
        assign(current, fields)
        _check(current)
        _save_next_version(current)
    return current


def clone_llm_client(client: LLMClient, *, actor: Actor, name: str) -> LLMClient:
    """A copy that belongs to the actor: with the configuration, and without shares, history or logs.

    Raises:
        NotFound: the actor may not read the client.
        InvalidInput: the name does not fit.
        Conflict: the actor has one of that name, or the client's provider is none that it may still call.
    """
    tenant_id = tenant_of(actor)

    def create(columns: dict[str, Any]) -> LLMClient:
        announce(scope_of_tenant(tenant_id))
        original = _locked(client, "clone", actor=actor)
        _require_callable(original, actor=actor)
        copied = {name: getattr(original, name) for name in _COPIED}
        copy = LLMClient(tenant_id=tenant_id, owner=actor.user, **copied)
        assign(copy, columns)
        copy.save(force_insert=True)
        copy.loaded_shares = []  # type: ignore[attr-defined]
        return copy

    return create_named(LLMClient.objects.of_tenant(tenant_id), {"name": name}, create)


def rename_llm_client(client: LLMClient, *, actor: Actor, name: str) -> LLMClient:
    """Call it something else, and count its version up; its slug stays.

    Raises:
        NotFound, PermissionDenied: the actor may not.
        InvalidInput: the name does not fit.
        Conflict: its owner has another of that name.
    """
    with storing():
        current = _locked(client, "rename", actor=actor)
        assign(current, {"name": name})
        _save_next_version(current)
    return current


def share_llm_client(
    client: LLMClient,
    *,
    actor: Actor,
    tenant: bool | None = None,
    users: list[Any] | None = None,
    groups: list[Any] | None = None,
) -> LLMClient:
    """Share it with the whole tenant or not, and with exactly these users and groups; what is None stays as it is.

    Its version stays: that says what a run does, not who may ask for it.

    Args:
        client: as the caller knows it; what else of it was changed meanwhile stays so.
        actor: who shares it.
        tenant: whether every member of the tenant may use it.
        users: members of the tenant.
        groups: groups that have a member in the tenant.

    Raises:
        NotFound, PermissionDenied: the actor may not.
    """
    with storing():
        current = _locked(client, "share", actor=actor)
        current.shared_with_tenant = current.shared_with_tenant if tenant is None else tenant
        current.save(update_fields=["shared_with_tenant", "updated_at"])
        given = {"user": users, "group": groups}
        set_grants(current.shares, **{kind: chosen for kind, chosen in given.items() if chosen is not None})
    return current


def delete_llm_client(client: LLMClient, *, actor: Actor) -> None:
    """Delete it, until it is restored or expires. Its name and its slug are free.

    Raises:
        NotFound, PermissionDenied: the actor may not.
        Conflict: an endpoint uses it.
    """
    with storing():
        # Who gives it to an endpoint locks it too, so that one of the two comes first.
        current = _locked(client, "delete", actor=actor)
        if current.endpoints.exists():
            raise Conflict(_("An endpoint uses this LLM client."))
        current.deleted_at = Now()
        current.save(update_fields=["deleted_at", "updated_at"])
    client.refresh_from_db(fields=["deleted_at", "updated_at"])


def restorable_llm_clients(*, actor: Actor, among: Any = None) -> QuerySet[Any]:
    """The deleted ones that `actor` may restore: it owned them, or is staff, and they have not expired.

    Args:
        actor: who asks.
        among: a queryset of LLM clients; all where None.
    """
    rows: QuerySet[Any] = (LLMClient.objects.all() if among is None else among).deleted_for(actor)
    retention = settings.llm_client_retention
    return rows if retention is None else rows.filter(deleted_at__gt=from_now(-float(retention)))


def restore_llm_client(client: LLMClient, *, actor: Actor) -> LLMClient:
    """Undo its deletion; it is shared with whom it was shared with.

    Raises:
        NotFound: it is not deleted, it has expired, or the actor may not restore it.
        Conflict: its owner has another of that name by now, or the slug is taken.
    """
    with storing():
        announce(scope_of_tenant(client.tenant_id))
        current: LLMClient | None = restorable_llm_clients(actor=actor).select_for_update().filter(pk=client.pk).first()
        if current is None:
            raise NotFound
        require_right(current, "restore", actor=actor)
        current.deleted_at = None
        current.save(update_fields=["deleted_at", "updated_at"])
    return current


def find_llm_client(key: str, *, actor: Actor) -> LLMClient:
    """The LLM client with this id that `actor` may read, with its provider. One query, mostly.

    Raises:
        NotFound: there is none, or none that `actor` may read.
    """
    return _found(_by_id.get(actor.tenant_id, int(key)) if _ID.fullmatch(key) else None, actor=actor)


def find_llm_client_by_slug(slug: str, *, actor: Actor) -> LLMClient:
    """The same by its slug, which may be all digits.

    Raises:
        NotFound: as for `find_llm_client`.
    """
    return _found(_by_slug.get(actor.tenant_id, slug) if _SLUG.fullmatch(slug) else None, actor=actor)


def _found(client: LLMClient | None, *, actor: Actor) -> LLMClient:
    if client is None:
        raise NotFound
    require_right(client, "read", actor=actor)
    return client


def _locked(client: LLMClient, verb: str, *, actor: Actor) -> LLMClient:
    """The same row as it is now, locked, where `actor` may still do `verb` to it. That it changes is announced."""
    announce(scope_of_tenant(client.tenant_id))
    current = locked(client)
    require_right(current, verb, actor=actor)
    return current


def _save_next_version(client: LLMClient) -> None:
    client.version = F("version") + 1
    client.save()
    client.refresh_from_db(fields=["version"])


def _require_callable(client: LLMClient, *, actor: Actor) -> None:
    if not Provider.objects.readable_by(actor).filter(pk=client.provider_id, enabled=True).exists():
        raise Conflict(_("The LLM client's provider is switched off."))


def _check(client: LLMClient) -> None:
    chat = get_capability("llm.chat")
    parameters = chat.params_schema if chat else {}
    errors = check_value(client.parameters, parameters, field="parameters")
    errors += check_value(client.tools, _TOOLS, field="tools")
    if not client.effective_model:
        detail = str(_("Name a model: the provider has no default."))
        errors.append(FieldError("model", "required", detail))
    require_valid(errors)

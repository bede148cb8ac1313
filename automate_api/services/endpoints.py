"""Endpoints: make, change, delete."""

import re
from typing import Any, cast

from django.db.models import F, QuerySet
from django.utils.translation import gettext_lazy as _

from automate_api.engine.capability import Capability, get_capability
from automate_api.engine.json_schema import check_schema, check_value, require_valid
from automate_api.exceptions import FieldError, InvalidInput, NotFound
from automate_api.models import Actor, Endpoint, LLMClient
from automate_api.models.prepared import PreparedSelect
from automate_api.security.limits import is_rate
from automate_api.services.rows import assign, create_named, delete, locked, set_grants, storing, tenant_of


def create_endpoint(*, actor: Actor, access: dict[str, Any] | None = None, **fields: Any) -> Endpoint:
    """A new endpoint in the actor's tenant.

    Args:
        actor: who makes it.
        access: `{"members": bool, "users": [User], "groups": [Group]}`, each member optional.
        fields: the endpoint's columns.

    Raises:
        InvalidInput: a field does not fit.
        Conflict: the slug is taken.
    """
    tenant_id = tenant_of(actor)

    def create(columns: dict[str, Any]) -> Endpoint:
        endpoint = Endpoint(tenant_id=tenant_id)
        _hold_client(columns)
        _fill(endpoint, columns, access)
        endpoint.save(force_insert=True)
        _grant(endpoint, access)
        return endpoint

    return create_named(Endpoint.objects.of_tenant(tenant_id), fields, create)


def update_endpoint(endpoint: Endpoint, *, access: dict[str, Any] | None = None, **fields: Any) -> Endpoint:
    """Change `fields` and count the version up; `access` as for `create_endpoint`, unchanged where None.

    Raises:
        InvalidInput, Conflict: as for `create_endpoint`.
    """
    with storing():
        current = locked(endpoint)
        _hold_client(fields)
        _fill(current, fields, access)
        current.version = F("version") + 1
        current.save()
        current.refresh_from_db(fields=["version"])
        _grant(current, access)
    return current


def find_endpoint(endpoints: QuerySet[Any], key: str) -> Endpoint:
    """The one of `endpoints` with this id or slug; no slug is all digits, so the two cannot be confused.

    Raises:
        NotFound: there is none.
    """
    found = endpoints.none()
    if _ID.fullmatch(key):
        found = endpoints.filter(pk=int(key))
    elif _SLUG.fullmatch(key):
        found = endpoints.filter(slug=key)
    # Not `first()`: it would have one row sorted.
    for endpoint in found.order_by()[:1]:
        return cast("Endpoint", endpoint)
    raise NotFound


def find_runnable(key: str, *, actor: Actor) -> Endpoint:
    """The endpoint with this id or slug that `actor` may run, with its LLM client and provider. One query, mostly.

    Raises:
        NotFound: there is none, or none that `actor` may run.
    """
    found = None
    if _ID.fullmatch(key):
        found = _by_id.get(actor.tenant_id, int(key))
    elif _SLUG.fullmatch(key):
        found = _by_slug.get(actor.tenant_id, key)
    if found is None or not found.admits(actor):
        raise NotFound
    return found


def delete_endpoint(endpoint: Endpoint) -> None:
    """Delete it. Its executions stay."""
    delete(endpoint, in_use=_("Something uses this endpoint."))


def _hold_client(fields: dict[str, Any]) -> None:
    """Lock the LLM client among `fields` until the transaction ends: it is not deleted meanwhile.

    Raises:
        InvalidInput: it has been.
    """
    client = fields.get("llm_client")
    if client is not None and not LLMClient.objects.select_for_update().filter(pk=client.pk, deleted_at=None).exists():
        raise InvalidInput([FieldError("llm_client", "does_not_exist", str(_("There is no such object.")))])


def _fill(endpoint: Endpoint, fields: dict[str, Any], access: dict[str, Any] | None) -> None:
    assign(endpoint, fields)
    if access is not None:
        endpoint.open_to_members = access.get("members", endpoint.open_to_members)
    require_valid(_errors(endpoint))


def _grant(endpoint: Endpoint, access: dict[str, Any] | None) -> None:
    given = access or {}
    set_grants(endpoint.grants, **{kind: given[f"{kind}s"] for kind in ("user", "group") if f"{kind}s" in given})


def _errors(endpoint: Endpoint) -> list[FieldError]:
    errors = check_schema(endpoint.input_schema, field="input_schema")
    if endpoint.slug.isdigit():
        errors.append(FieldError("slug", "invalid", str(_("A slug has at least one letter."))))
    if endpoint.rate_limit and not is_rate(endpoint.rate_limit):
        errors.append(FieldError("rate_limit", "invalid", str(_("A limit is written as 100/hour, 10/m or 5/30s."))))
    errors += check_value(endpoint.task_types, _TASK_TYPES, field="task_types")
    if errors:
        return errors
    for task_type in endpoint.task_types:
        capability = get_capability(task_type)
        offered = capability if capability and capability.for_endpoints else None
        errors += [_unknown_task_type()] if offered is None else _misfits(endpoint, offered)
    return list(dict.fromkeys(errors))


_USED_BY_A_RUN = ("llm_client", "provider")
_by_id = PreparedSelect(Endpoint, by=("tenant_id", "id"), related=_USED_BY_A_RUN)
_by_slug = PreparedSelect(Endpoint, by=("tenant_id", "slug"), related=_USED_BY_A_RUN)

# An id has one spelling.
_ID = re.compile(r"0|[1-9][0-9]{0,17}")
_SLUG = re.compile(r"[-a-zA-Z0-9_]{1,64}")
_TASK_TYPES = {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 50, "uniqueItems": True}


def _unknown_task_type() -> FieldError:
    return FieldError("task_types", "unknown_task_type", str(_("No installed app offers this task type.")))


def _misfits(endpoint: Endpoint, capability: Capability) -> list[FieldError]:
    errors = check_value(endpoint.config, capability.config_schema, field="config")
    errors += check_value(endpoint.default_params, capability.params_schema, field="default_params")
    if schema := endpoint.config.get("response_schema"):
        errors += check_schema(schema, field="config.response_schema")
    if capability.needs_llm_client and endpoint.llm_client is None:
        errors.append(FieldError("llm_client", "required", str(_("This task type needs an LLM client."))))
    return errors

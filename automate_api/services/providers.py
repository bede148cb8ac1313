"""Providers: make, change, delete, and call once to see whether they answer."""

import time
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from automate_api.engine.portal import portal
from automate_api.exceptions import AutomateError, FieldError, InvalidInput, NotConfigured, OutboundBlocked
from automate_api.llm import openai
from automate_api.llm.types import LLMTarget
from automate_api.models import Actor, Execution, LLMClient, Provider
from automate_api.security.outbound import validate_url
from automate_api.services.client_changes import announce, scope_of_tenant
from automate_api.services.rows import assign, create_named, delete, locked, storing, tenant_of
from automate_api.services.secrets import encrypting

_KEY_CHARACTERS = range(0x21, 0x7F)


@dataclass(frozen=True, slots=True)
class ProviderTest:
    """What came of calling a provider: how long it took in milliseconds and which models it names, or the error."""

    ok: bool
    latency_ms: int
    models: list[str] = field(default_factory=list)
    error: dict[str, str] | None = None


def create_provider(*, actor: Actor, **fields: Any) -> Provider:
    """A new provider in the actor's tenant.

    Raises:
        InvalidInput: a field does not fit, or the address is one this server may not call.
        Conflict: the slug is taken.
        NotConfigured: the host has no encryption key to store a provider's key under.
    """
    _check(fields)
    tenant_id = tenant_of(actor)

    def create(columns: dict[str, Any]) -> Provider:
        announce(scope_of_tenant(tenant_id))
        provider = Provider(tenant_id=tenant_id)
        assign(provider, columns)
        provider.save(force_insert=True)
        return provider

    with encrypting():
        return create_named(Provider.objects.of_tenant(tenant_id), fields, create)


def update_provider(provider: Provider, **fields: Any) -> Provider:
    """Change `fields`. A changed `base_url` drops the stored key unless a new one comes with it.

    Raises:
        InvalidInput, Conflict, NotConfigured: as for `create_provider`.
    """
    _check(fields)
    with storing(), encrypting():
        announce(scope_of_tenant(provider.tenant_id))
        current = locked(provider)
        if fields.get("base_url", current.base_url) != current.base_url:
            # A key goes only to the host it was given for.
            fields.setdefault("api_key", "")
        assign(current, fields)
        current.save()
    return current


def delete_provider(provider: Provider) -> None:
    """Delete it, and for good the deleted LLM clients that used it: without it they could not be restored.

    Raises:
        Conflict: an LLM client uses it.
    """
    in_use = _("An LLM client uses this provider.")
    with storing(in_use):
        announce(scope_of_tenant(provider.tenant_id))
        # Of one that is being restored just now, the deletion waits for the end, and then leaves it.
        gone = provider.llm_clients.select_for_update().filter(deleted_at__isnull=False)
        LLMClient.objects.filter(pk__in=list(gone.values_list("pk", flat=True))).delete()
        delete(provider, in_use=in_use)


def enabled_providers(*, actor: Actor) -> QuerySet[Provider]:
    """The providers that `actor` may read and that are switched on, by name."""
    rows: QuerySet[Provider] = Provider.objects.readable_by(actor).filter(enabled=True).order_by("name", "pk")
    return rows


def probe_provider(provider: Provider) -> ProviderTest:
    """Ask the provider for its models, really, once and without retries."""
    started = time.monotonic()
    try:
        models = portal.submit(openai.list_models(target_of(provider, model=""))).result()
    except AutomateError as exc:
        error = {"code": str(exc.code), "detail": exc.detail}
        return ProviderTest(ok=False, latency_ms=_milliseconds_since(started), error=error)
    return ProviderTest(ok=True, latency_ms=_milliseconds_since(started), models=models)


def target_of(provider: Provider, *, model: str) -> LLMTarget:
    """Where a call of `model` at `provider` goes, with the key in clear: keep it out of anything stored or logged.

    Raises:
        NotConfigured: none of the host's encryption keys decrypts the provider's key.
    """
    with encrypting():
        api_key = provider.api_key.reveal()
    return LLMTarget(
        base_url=provider.base_url.rstrip("/"),
        api_key=api_key,
        model=model,
        provider=provider.slug,
        timeout=float(provider.timeout_seconds),
        max_retries=provider.max_retries,
    )


def secrets_of(execution: Execution) -> tuple[str, ...]:
    """What must not be stored of `execution`: the key of the provider it calls, if it calls one."""
    if execution.llm_client is None:
        return ()
    try:
        return target_of(execution.llm_client.provider, model="").secrets
    except NotConfigured:
        # What cannot be read is not sent either: the run will say so.
        return ()


def _check(fields: dict[str, Any]) -> None:
    if "base_url" in fields:
        try:
            url = validate_url(fields["base_url"])
        except OutboundBlocked as exc:
            raise InvalidInput([FieldError("base_url", exc.code, exc.detail)]) from exc
        if url.query_string or url.fragment:
            detail = str(_("A base URL has neither query nor fragment."))
            raise InvalidInput([FieldError("base_url", "invalid", detail)])
    if any(ord(character) not in _KEY_CHARACTERS for character in fields.get("api_key") or ""):
        # It becomes a header's value, and one with a line break in it would be two headers.
        raise InvalidInput([FieldError("api_key", "invalid", str(_("A key is printable ASCII without spaces.")))])


def _milliseconds_since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)

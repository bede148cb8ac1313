"""Endpoints as they were: what a job or a replay runs."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from automate_api.exceptions import Conflict
from automate_api.models import Endpoint, EndpointVersion, Execution, LLMClient, LLMClientVersion, Provider
from automate_api.models.prepared import PreparedSelect

_endpoints = PreparedSelect(EndpointVersion, by=("endpoint", "version"), related=("endpoint",))
_clients = PreparedSelect(LLMClientVersion, by=("llm_client", "version"), related=("llm_client", "provider"))


def pinned_endpoint(execution: Execution) -> Endpoint:
    """The execution's endpoint and LLM client as they were at its versions, with the provider as it is now.

    The provider's address and key are today's: it may have moved, and its key have been rotated.

    Raises:
        Conflict: the endpoint, its LLM client or its provider is gone, or there never was an endpoint.
    """
    then = _endpoints.get(execution.endpoint_id, execution.endpoint_version)
    if then is None:
        raise Conflict(_("The endpoint, as it was then, is gone."))
    endpoint = then.endpoint
    _restore(endpoint, then.snapshot, version=then.version)
    # One of before versions were kept names a client and no version of it.
    has_client = execution.llm_client_id is not None or execution.llm_client_version is not None
    endpoint.llm_client = pinned_client(execution) if has_client else None
    return endpoint


def pinned_client(execution: Execution) -> LLMClient:
    """The execution's LLM client as it was at its version, with its owner and shares, and the provider, as now.

    Raises:
        Conflict: it has been deleted, if only for the time being, or its provider is gone, or there never was one.
    """
    then = _clients.get(execution.llm_client_id, execution.llm_client_version)
    if then is None or then.llm_client.deleted_at is not None:
        raise Conflict(_("The LLM client, as it was then, is gone."))
    client: LLMClient = then.llm_client
    provider = _provider_of(client, then.snapshot["provider_id"])
    _restore(client, then.snapshot, version=then.version)
    client.provider = provider
    return client


def provider_then(execution: Execution) -> Provider:
    """The provider of an execution that called it without an LLM client, as it is now.

    Raises:
        Conflict: it has been deleted.
    """
    provider: Provider | None = execution.provider
    if provider is None:
        raise Conflict(_("The provider is gone."))
    return provider


def _provider_of(client: LLMClient, pk: Any) -> Provider:
    """The provider it had then, which most often is the one it has."""
    found = client.provider if client.provider_id == pk else Provider.objects.filter(pk=pk).first()
    if found is None:
        raise Conflict(_("The LLM client, as it was then, is gone."))
    return found


def _restore(row: Any, snapshot: dict[str, Any], *, version: int) -> None:
    # Never saved: it is what it was only in this process's memory.
    for name, value in {**snapshot, "version": version}.items():
        setattr(row, name, value)

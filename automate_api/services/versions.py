"""Endpoints as they were: what a job or a replay runs."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from automate_api.exceptions import Conflict
from automate_api.models import Endpoint, EndpointVersion, Execution, LLMClient, LLMClientVersion, Provider


def pinned_endpoint(execution: Execution) -> Endpoint:
    """The execution's endpoint and LLM client as they were at its versions, with the provider as it is now.

    The provider's address and key are today's: it may have moved, and its key have been rotated.

    Raises:
        Conflict: the endpoint, its LLM client or its provider is gone.
    """
    endpoints: Any = Endpoint.objects
    endpoint: Endpoint | None = endpoints.filter(pk=execution.endpoint_id).first()
    versions: Any = EndpointVersion.objects
    then = versions.filter(endpoint=endpoint, version=execution.endpoint_version).first()
    if endpoint is None or then is None:
        raise Conflict(_("The endpoint, as it was then, is gone."))
    _restore(endpoint, then.snapshot, version=then.version)
    # One of before versions were kept names a client and no version of it.
    has_client = execution.llm_client_id is not None or execution.llm_client_version is not None
    endpoint.llm_client = _pinned_client(execution) if has_client else None
    return endpoint


def _pinned_client(execution: Execution) -> LLMClient:
    clients: Any = LLMClient.objects
    client: LLMClient | None = clients.filter(pk=execution.llm_client_id).first()
    versions: Any = LLMClientVersion.objects
    then = versions.filter(llm_client=client, version=execution.llm_client_version).first()
    provider = Provider.objects.filter(pk=then.snapshot["provider_id"]).first() if then else None
    if client is None or then is None or provider is None:
        raise Conflict(_("The LLM client, as it was then, is gone."))
    _restore(client, then.snapshot, version=then.version)
    client.provider = provider
    return client


def _restore(row: Any, snapshot: dict[str, Any], *, version: int) -> None:
    # Never saved: it is what it was only in this process's memory.
    for name, value in {**snapshot, "version": version}.items():
        setattr(row, name, value)

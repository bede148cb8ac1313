"""Running an endpoint: check what the caller sent, then hand the run to a transport."""

from typing import Any, cast

from django.utils.translation import gettext_lazy as _

from automate_api.conf import settings
from automate_api.engine.capability import Capability, RunContext, get_capability
from automate_api.engine.driver import Run
from automate_api.engine.events import EventType
from automate_api.engine.json_schema import check_value, require_valid
from automate_api.engine.transports import collect
from automate_api.exceptions import Conflict, FieldError, InvalidInput, NotConfigured, RunCancelled
from automate_api.ids import uuid7
from automate_api.models import Actor, Endpoint, Execution, LLMClient
from automate_api.security import limits
from automate_api.services.providers import target_of
from automate_api.services.recording import Recorder
from automate_api.services.rows import tenant_of


def prepare_run(
    endpoint: Endpoint,
    *,
    actor: Actor,
    correlation_id: str,
    input: Any,  # noqa: A002 - the field's public name
    params: dict[str, Any] | None = None,
    task_type: str | None = None,
    stream: bool = False,
) -> tuple[Run, Execution]:
    """A run that is ready to start, and the execution it will store; nothing is stored or called yet.

    Args:
        endpoint: one the actor may read, with its LLM client and provider.
        actor: who runs it.
        correlation_id: stored with the execution.
        input: checked against the endpoint's and the capability's input schemas.
        params: the caller's parameters, checked against the capability's; they win over the endpoint's.
        task_type: one of the endpoint's; its first where None.
        stream: whether tokens are wanted as they come.

    Raises:
        InvalidInput: the input, the parameters or the task type do not fit.
        Conflict: the endpoint, its LLM client's provider, or its capability is switched off.
        RateLimited: the caller is over the endpoint's limit.
    """
    params = params or {}
    capability = _capability(endpoint, task_type)
    require_valid(_misfits(endpoint, capability, input, params))
    client = _client(endpoint)
    if endpoint.rate_limit:
        caller = f"{actor.tenant_id}|{actor.user.pk}"
        limits.count(f"automate_api.endpoint.{endpoint.pk}", caller, endpoint.rate_limit, name="endpoint")
    execution = Execution(
        id=uuid7(),
        tenant_id=tenant_of(actor),
        user_id=actor.user.pk,
        endpoint=endpoint,
        endpoint_version=endpoint.version,
        llm_client=client,
        task_type=capability.task_type,
        input=input,
        params=params,
        correlation_id=correlation_id,
    )
    recorder = Recorder(execution, log_prefix=client.slug if client else endpoint.slug)
    context = _context(execution, capability, stream=stream)
    run = Run(capability, context, begin=recorder.begin, finish=recorder.finish, timeout=settings.run_timeout)
    return run, execution


def run_endpoint(endpoint: Endpoint, **arguments: Any) -> Execution:
    """Run to the end and return the stored execution; the arguments are `prepare_run`'s.

    Raises:
        AutomateError: what `prepare_run` raises, or what ended the run; then its `extensions` name the execution.
    """
    run, execution = prepare_run(endpoint, **arguments)
    end = collect(run)
    if end.type is EventType.FINAL:
        return execution
    error = run.error or RunCancelled()
    error.extensions["execution"] = str(execution.pk)
    raise error


def _capability(endpoint: Endpoint, task_type: str | None) -> Capability:
    if not endpoint.enabled:
        raise Conflict(_("The endpoint is switched off."))
    chosen = task_type or endpoint.task_types[0]
    if chosen not in endpoint.task_types:
        detail = str(_("The endpoint does not offer this task type."))
        raise InvalidInput([FieldError("task_type", "invalid_choice", detail)])
    capability = get_capability(chosen)
    if capability is None:
        raise NotConfigured(_("The app that offered this task type is not installed."))
    return capability


def _misfits(endpoint: Endpoint, capability: Capability, given: Any, params: dict[str, Any]) -> list[FieldError]:
    errors = check_value(given, endpoint.input_schema, field="input")
    errors = errors or check_value(given, capability.input_schema, field="input")
    return errors + check_value(params, capability.params_schema, field="params")


def _client(endpoint: Endpoint) -> LLMClient | None:
    client: LLMClient | None = endpoint.llm_client
    if client is not None and not client.provider.enabled:
        raise Conflict(_("The endpoint's provider is switched off."))
    return client


def _context(execution: Execution, capability: Capability, *, stream: bool) -> RunContext:
    endpoint, client = cast("Endpoint", execution.endpoint), execution.llm_client
    return RunContext(
        run_id=execution.pk,
        tenant_id=execution.tenant_id,
        user_id=execution.user_id,
        correlation_id=execution.correlation_id,
        input=execution.input,
        params=_merged(capability, client, endpoint.default_params, execution.params),
        config=endpoint.config,
        llm=target_of(client.provider, model=client.effective_model) if client else None,
        system_prompt=client.system_prompt if client else "",
        tools=client.tools if client else [],
        stream=stream,
    )


def _merged(
    capability: Capability, client: LLMClient | None, default: dict[str, Any], given: dict[str, Any]
) -> dict[str, Any]:
    """The client's, the endpoint's and the caller's parameters, the last winning; of the client's those that apply."""
    own: dict[str, Any] = {}
    if client is not None:
        own = {"temperature": client.temperature, "max_tokens": client.max_tokens, **client.parameters}
    known = capability.params_schema.get("properties", {})
    applying = {name: value for name, value in own.items() if value is not None and name in known}
    return {**applying, **default, **given}

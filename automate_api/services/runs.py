"""Running an endpoint, an LLM client or a provider's model: check what was sent, then hand the run to a transport."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from automate_api.conf import settings
from automate_api.engine.capability import Capability, RunContext, get_capability
from automate_api.engine.driver import Run, Store
from automate_api.engine.events import EventType
from automate_api.engine.json_schema import check_value, require_valid
from automate_api.engine.transports import collect
from automate_api.exceptions import Conflict, FieldError, InvalidInput, NotConfigured, NotFound, RunCancelled
from automate_api.ids import uuid7
from automate_api.llm.types import LLMTarget
from automate_api.models import Actor, Endpoint, Execution, LLMClient, Provider
from automate_api.security import limits
from automate_api.services.artifacts import RunArtifacts, require_artifacts
from automate_api.services.providers import target_of
from automate_api.services.recording import Recorder
from automate_api.services.rights import require_right
from automate_api.services.rows import tenant_of
from automate_api.services.versions import pinned_client, pinned_endpoint, provider_then


def prepare_execution(
    endpoint: Endpoint,
    *,
    actor: Actor,
    correlation_id: str,
    input: Any,  # noqa: A002 - the field's public name
    params: dict[str, Any] | None = None,
    task_type: str | None = None,
) -> Execution:
    """An execution of what the caller asks for, checked and counted, but not stored.

    Args:
        endpoint: one the actor may read, with its LLM client and provider.
        actor: who runs it.
        correlation_id: stored with the execution.
        input: checked against the endpoint's and the capability's input schemas.
        params: the caller's parameters, checked against the capability's; they win over the endpoint's.
        task_type: one of the endpoint's; its first where None.

    Raises:
        InvalidInput: the input, the parameters or the task type do not fit.
        Conflict: the endpoint, its LLM client's provider, or its capability is switched off.
        RateLimited: the caller is over the endpoint's limit.
    """
    params = params or {}
    capability = capability_of(endpoint, task_type)
    require_valid(_misfits(capability, input, params, own=endpoint.input_schema))
    if files := named_artifacts(capability, input):
        require_artifacts(files, actor=actor)
    client = _client(endpoint)
    if endpoint.rate_limit:
        caller = f"{actor.tenant_id}|{actor.user.pk}"
        limits.count(f"automate_api.endpoint.{endpoint.pk}", caller, endpoint.rate_limit, name="endpoint")
    asked = {"task_type": capability.task_type, "input": input, "params": params, "correlation_id": correlation_id}
    called = {"llm_client": client, "llm_client_version": client.version if client else None}
    return _execution(actor, endpoint=endpoint, endpoint_version=endpoint.version, **called, **asked)


def prepare_chat(
    client: LLMClient,
    *,
    actor: Actor,
    correlation_id: str,
    input: Any,  # noqa: A002 - the field's public name
    params: dict[str, Any] | None = None,
    task_type: str = "llm.chat",
) -> Execution:
    """An execution on an LLM client without an endpoint, checked but not stored; it is pinned to the client's version.

    Args:
        client: with its provider.
        actor: who runs it.
        correlation_id: stored with the execution.
        input: checked against the capability's input schema.
        params: the caller's parameters, checked against the capability's; they win over the client's.
        task_type: the capability; never the caller's choice. One that admits more than `llm.chat` does is an app's own.

    Raises:
        NotFound: the actor may not read the client.
        InvalidInput: the input or the parameters do not fit.
        Conflict: the client's provider is switched off.
        NotConfigured: no installed app offers the task type.
    """
    require_right(client, "chat", actor=actor)
    params, capability = params or {}, _registered(task_type)
    require_valid(_misfits(capability, input, params))
    if files := named_artifacts(capability, input):
        require_artifacts(files, actor=actor)
    if not client.provider.enabled:
        raise Conflict(_("The LLM client's provider is switched off."))
    asked = {"task_type": task_type, "input": input, "params": params, "correlation_id": correlation_id}
    return _execution(actor, llm_client=client, llm_client_version=client.version, **asked)


def prepare_call(
    provider: Provider,
    model: str,
    *,
    actor: Actor,
    correlation_id: str,
    input: Any,  # noqa: A002 - the field's public name
    params: dict[str, Any] | None = None,
    task_type: str = "llm.chat",
) -> Execution:
    """An execution on a model of a provider, without an endpoint and an LLM client; checked but not stored.

    Args:
        provider: whose model.
        model: what it is called there.
        actor: who runs it.
        correlation_id: stored with the execution.
        input: checked against the capability's input schema.
        params: the caller's parameters, checked against the capability's.
        task_type: the capability; never the caller's choice.

    Raises:
        NotFound: the actor may not read the provider.
        InvalidInput: the input or the parameters do not fit.
        Conflict: the provider is switched off.
        NotConfigured: no installed app offers the task type.
    """
    if actor.tenant_id is None or provider.tenant_id != actor.tenant_id:
        raise NotFound
    params, capability = params or {}, _registered(task_type)
    require_valid(_misfits(capability, input, params))
    if not provider.enabled:
        raise Conflict(_("The provider is switched off."))
    asked = {"task_type": task_type, "input": input, "params": params, "correlation_id": correlation_id}
    return _execution(actor, provider=provider, model=model, **asked)


def _execution(actor: Actor, **columns: Any) -> Execution:
    """One of the actor's, with an id and not stored."""
    return Execution(id=uuid7(), tenant_id=tenant_of(actor), user_id=actor.user.pk, **columns)


def named_artifacts(capability: Capability, given: Any) -> dict[str, Any]:
    """The ids of artifacts, or lists of them, that an input names, by the paths of their fields."""
    if not isinstance(given, dict):
        return {}
    return {f"input.{name}": given[name] for name in capability.artifact_inputs if name in given}


def prepare_task(
    task_type: str,
    *,
    tenant_id: str,
    user_id: Any,
    correlation_id: str,
    input: Any,  # noqa: A002 - the field's name
) -> Execution:
    """An execution of a task type that an app runs itself, without an endpoint; neither checked nor stored."""
    return Execution(
        id=uuid7(),
        tenant_id=tenant_id,
        user_id=user_id,
        task_type=task_type,
        input=input,
        params={},
        correlation_id=correlation_id,
    )


def run_of(
    execution: Execution,
    *,
    begin: Store,
    finish: Store,
    stream: bool = False,
    timeout: float | None = None,
    **more: Any,
) -> Run:
    """The run of `execution`, whose endpoint, if any, has its LLM client and provider; `more` goes into its context.

    `timeout` is in seconds; `AUTOMATE_API_RUN_TIMEOUT` where None.

    Raises:
        NotConfigured: the app that offered its task type is gone, or the provider's key cannot be read.
    """
    capability = _registered(execution.task_type)
    context = _context(execution, capability, stream=stream, **more)
    return Run(capability, context, begin=begin, finish=finish, timeout=timeout or settings.run_timeout)


def prepare_replay(execution: Execution, *, actor: Actor, correlation_id: str) -> Execution:
    """An execution of the same input on the same version of what it ran, which points to the old one; not stored.

    That is the endpoint, or the LLM client where it ran without an endpoint, or without both the model of the provider.
    The input is what was stored, with whatever was redacted then.

    Raises:
        NotFound: the actor may not run the endpoint, or read the LLM client or the provider.
        Conflict: what it ran, as it was then, is gone, or it is switched off, or it ran neither.
        InvalidInput, RateLimited: as for `prepare_execution`.
    """
    asked: dict[str, Any] = {"actor": actor, "correlation_id": correlation_id, "task_type": execution.task_type}
    asked |= {"input": execution.input, "params": execution.params}
    if execution.runs_client:
        again = prepare_chat(pinned_client(execution), **asked)
    elif execution.runs_provider:
        again = prepare_call(provider_then(execution), execution.model, **asked)
    else:
        endpoint = pinned_endpoint(execution)
        if not endpoint.admits(actor):
            raise NotFound
        again = prepare_execution(endpoint, **asked)
    again.replay_of = execution
    return again


def prepare_run(execution: Execution, *, stream: bool = False) -> Run:
    """The run of an execution that is not stored yet, ready for a transport; `stream`: tokens are wanted as they come.

    Raises:
        NotConfigured: as for `run_of`.
    """
    recorder = Recorder(execution)
    files = RunArtifacts(execution)
    return run_of(execution, stream=stream, begin=recorder.begin, finish=recorder.finish, artifacts=files)


def run_to_end(execution: Execution) -> Execution:
    """Run an execution that is not stored yet to its end, and return it as it was stored.

    Raises:
        AutomateError: what ended the run; its `extensions` name the execution.
    """
    result_of(execution)
    return execution


def result_of(execution: Execution) -> dict[str, Any]:
    """The same, but return `{output, usage, cost}` as it was said: what is stored was redacted.

    Raises:
        AutomateError: as for `run_to_end`.
    """
    run = prepare_run(execution)
    end = collect(run)
    if end.type is EventType.FINAL:
        return end.data
    error = run.error or RunCancelled()
    error.extensions["execution"] = str(execution.pk)
    raise error


def capability_of(endpoint: Endpoint, task_type: str | None = None) -> Capability:
    """What the endpoint does: `task_type`, which must be one of its own, or its first.

    Raises:
        InvalidInput: the task type is not one of the endpoint's.
        Conflict: the endpoint is switched off.
        NotConfigured: the app that offered the task type is gone.
    """
    if not endpoint.enabled:
        raise Conflict(_("The endpoint is switched off."))
    chosen = task_type or endpoint.task_types[0]
    if chosen not in endpoint.task_types:
        detail = str(_("The endpoint does not offer this task type."))
        raise InvalidInput([FieldError("task_type", "invalid_choice", detail)])
    return _registered(chosen, for_endpoints=True)


def _registered(task_type: str, *, for_endpoints: bool = False) -> Capability:
    capability = get_capability(task_type)
    if capability is None or (for_endpoints and not capability.for_endpoints):
        raise NotConfigured(_("The app that offered this task type is not installed."))
    return capability


def _misfits(
    capability: Capability, given: Any, params: dict[str, Any], *, own: dict[str, Any] | None = None
) -> list[FieldError]:
    """What does not fit the schema of the endpoint's own, if there is one, and the capability's."""
    errors = check_value(given, own or {}, field="input")
    errors = errors or check_value(given, capability.input_schema, field="input")
    return errors + check_value(params, capability.params_schema, field="params")


def _client(endpoint: Endpoint) -> LLMClient | None:
    client: LLMClient | None = endpoint.llm_client
    if client is not None and client.deleted_at is not None:
        # Nothing of ours leaves an endpoint with one; a host's own code may have.
        raise Conflict(_("The endpoint's LLM client has been deleted."))
    if client is not None and not client.provider.enabled:
        raise Conflict(_("The endpoint's provider is switched off."))
    return client


def _context(execution: Execution, capability: Capability, **more: Any) -> RunContext:
    endpoint, client = execution.endpoint, execution.llm_client
    default_params, config = (endpoint.default_params, endpoint.config) if endpoint else ({}, {})
    return RunContext(
        run_id=execution.pk,
        tenant_id=execution.tenant_id,
        user_id=execution.user_id,
        correlation_id=execution.correlation_id,
        input=execution.input,
        params=_merged(capability, client, default_params, execution.params),
        config=config,
        llm=_target(execution),
        system_prompt=client.system_prompt if client else "",
        tools=client.tools if client else [],
        **more,
    )


def _target(execution: Execution) -> LLMTarget | None:
    """What to call: the LLM client's model, or that of the provider where there is no client."""
    client = execution.llm_client
    if client is not None:
        return target_of(client.provider, model=client.effective_model)
    if execution.runs_provider:
        return target_of(provider_then(execution), model=execution.model)
    return None


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

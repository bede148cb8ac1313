"""Rows for tests, one function each, with everything defaulted."""

import itertools
from typing import Any

from django.contrib.auth import get_user_model

from automate.models import Workflow, WorkflowVersion
from automate_api.models import Actor, Endpoint, Execution, LLMClient, PromptLog, Provider

_number = itertools.count(1)


def make_user(*, is_staff: bool = False, **fields: Any) -> Any:
    """A user with a name of its own."""
    fields.setdefault("username", f"user-{next(_number)}")
    return get_user_model().objects.create(is_staff=is_staff, **fields)


def make_actor(*, tenant_id: str = "default", is_staff: bool = False) -> Actor:
    """Somebody in a tenant."""
    return Actor(user=make_user(is_staff=is_staff), tenant_id=tenant_id)


def make_provider(*, tenant_id: str = "default", base_url: str = "https://model.example/v1", **fields: Any) -> Provider:
    """A provider."""
    fields.setdefault("slug", f"provider-{next(_number)}")
    fields = {"name": fields["slug"], "default_model": "chat", "max_retries": 0, **fields}
    return Provider.objects.create(tenant_id=tenant_id, base_url=base_url, **fields)


def make_llm_client(*, tenant_id: str = "default", owner: Any = None, provider: Any = None, **fields: Any) -> LLMClient:
    """An LLM client, with an owner and a provider of its own unless given."""
    fields.setdefault("slug", f"client-{next(_number)}")
    fields = {"name": fields["slug"], **fields}
    provider = provider or make_provider(tenant_id=tenant_id)
    return LLMClient.objects.create(tenant_id=tenant_id, owner=owner or make_user(), provider=provider, **fields)


def make_endpoint(*, tenant_id: str = "default", llm_client: Any = None, **fields: Any) -> Endpoint:
    """An endpoint for `llm.chat`, with an LLM client of its own unless given."""
    fields.setdefault("slug", f"endpoint-{next(_number)}")
    fields = {"name": fields["slug"], "task_types": ["llm.chat"], **fields}
    llm_client = llm_client or make_llm_client(tenant_id=tenant_id)
    return Endpoint.objects.create(tenant_id=tenant_id, llm_client=llm_client, **fields)


def make_workflow(*, tenant_id: str = "default", owner: Any = None, steps: Any = None, **fields: Any) -> Workflow:
    """A workflow at one version, of one step that sets a value unless `steps` are given, owned by staff of its own."""
    fields.setdefault("slug", f"workflow-{next(_number)}")
    definition = {"steps": steps or [{"name": "note", "type": "set", "with": {"values": {"a": 1}}}]}
    fields = {"name": fields["slug"], "definition": definition, **fields}
    owner = owner or make_user(is_staff=True)
    workflow = Workflow.objects.create(tenant_id=tenant_id, owner=owner, **fields)
    WorkflowVersion.objects.create(
        workflow=workflow, version=workflow.version, definition=workflow.definition, user=owner
    )
    return workflow


def make_prompt_log(
    *, tenant_id: str = "default", user: Any = None, created_at: Any = None, **fields: Any
) -> PromptLog:
    """A prompt log of an execution of its own."""
    fields.setdefault("log_key", f"log-{next(_number)}")
    execution = Execution.objects.create(
        tenant_id=tenant_id, user=user, task_type="llm.chat", input="x", status="succeeded", correlation_id="c"
    )
    log = PromptLog.objects.create(tenant_id=tenant_id, user=user, execution=execution, **fields)
    if created_at is not None:
        PromptLog.objects.filter(pk=log.pk).update(created_at=created_at)
    return log

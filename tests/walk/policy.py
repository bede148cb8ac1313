"""The policy of every operation of the packages: who may do it, and where in it an id may stand.

One entry an operation, under the route's URL name and the method. `test_walk.py` fails for an operation without an
entry and for an entry without an operation, and proves each entry.
"""

import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from django.core.files.uploadedfile import SimpleUploadedFile

from automate_api.services.tokens import sign_in
from tests.walk.world import HOOK_SECRET, HOOK_TOKEN, Caller, World

Body = Callable[[World, Caller], dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What is promised of one operation.

    A *place* is a kind of row in `world.py` and, after a dot, which of its values names it; the id if there is none.
    """

    #: The noun of the scope a key needs; None: a key with any scope will do.
    resource: str | None
    access: Literal["read", "write", "run"] = "read"
    #: Who may do it. Members only to rows they may see.
    role: Literal["member", "staff"] = "member"
    #: The status of success.
    status: int = 200
    #: What somebody gets who may see the row but not do this to it; None: whoever sees it may do this.
    reader: int | None = None
    #: The places of each keyword of the route. Of several the last is the child of those before it.
    path: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: What the route's other keywords are given: texts that name no row.
    given: Mapping[str, str] = field(default_factory=dict)
    #: A body that succeeds.
    body: Body | None = None
    #: Whether the body is a form with files, and not JSON.
    is_form: bool = False
    #: Whether a form does as well as JSON.
    takes_forms: bool = False
    #: Whether the answer has one form, whatever the caller accepts.
    has_one_form: bool = False
    #: The places of ids in the body: dotted, and with `[]` at the end where it is a list of ids.
    body_ids: Mapping[str, str] = field(default_factory=dict)
    #: What an id in the body gets that is none: a field error, unless the protocol says otherwise.
    absent: Literal[400, 404] = 400
    #: The places of ids in the query.
    filters: Mapping[str, str] = field(default_factory=dict)
    #: The places of what must stand in the query.
    query: Mapping[str, str] = field(default_factory=dict)
    #: What stands in the query besides: texts that name no row.
    asked: Mapping[str, str] = field(default_factory=dict)
    #: The kind of the rows it lists.
    lists: str | None = None
    #: Where in the answer they stand.
    rows: str = "results"
    #: Which headers tell who a caller is, where it is neither its API key nor its session.
    sign: Callable[[Caller], dict[str, str]] | None = None
    #: Whether anybody may ask, whoever it is; the place's own tests say what keeps others out.
    is_public: bool = False
    #: The status of what its caller may not know of.
    hidden: int = 404
    #: Which id a listed row shows.
    listed_id: Callable[[Any], Any] = field(default=lambda row: row["id"])

    @property
    def scope(self) -> str | None:
        return f"{self.resource}:{self.access}" if self.resource else None

    @property
    def keywords(self) -> set[str]:
        """The route's keywords."""
        return {*self.path, *self.given}

    @property
    def is_usual(self) -> bool:
        """Whether it takes API keys and sessions, as all do that speak no protocol of their own."""
        return self.sign is None

    @property
    def takes_keys(self) -> bool:
        """Whether it takes idempotency keys where it is a POST: one that only reads is answered anew."""
        return self.is_usual and self.access != "read"

    def other_names(self) -> list[tuple[str, str]]:
        """Each keyword of the route with each of its places but the first, by which most checks go."""
        return [(keyword, place) for keyword, places in self.path.items() for place in places[1:]]


def _provider(world: World, caller: Caller) -> dict[str, Any]:
    return {"name": "New", "base_url": world.model_url, "api_key": "sk-new", "default_model": "m"}


def _client(world: World, caller: Caller) -> dict[str, Any]:
    return {"name": "New", "provider": world.own("provider", caller), "model": "chat"}


def _endpoint(world: World, caller: Caller) -> dict[str, Any]:
    access = {"members": False, "users": [world.own("user", caller)], "groups": [world.own("group", caller)]}
    return {
        "name": "New",
        "task_types": ["llm.chat"],
        "llm_client": world.own("llm_client", caller),
        "access": access,
    }


def _run(world: World, caller: Caller) -> dict[str, Any]:
    return {"input": "Hello"}


def _key(world: World, caller: Caller) -> dict[str, Any]:
    return {"name": "New", "scopes": ["endpoints:run"], "user": world.own("user", caller)}


def _file(world: World, caller: Caller) -> dict[str, Any]:
    return {"file": SimpleUploadedFile("new.txt", b"New", "text/plain")}


def _event(world: World, caller: Caller) -> dict[str, Any]:
    return {"type": "order.paid", "source": "shop", "payload": {"order": 7}, "occurred_at": "2026-01-31T12:00:00Z"}


def _sharing(world: World, caller: Caller) -> dict[str, Any]:
    return {"tenant": False, "users": [world.own("user", caller)], "groups": [world.own("group", caller)]}


def _name(world: World, caller: Caller) -> dict[str, Any]:
    return {"name": "Changed"}


def _claims(caller: Caller) -> dict[str, str]:
    key = caller.headers["Authorization"].partition(" ")[2]
    return {"x-api-key": key, "x-api-key-id": str(caller.key.pk), "x-user-id": str(caller.user.pk)}


def _token(caller: Caller) -> dict[str, str]:
    key, key_id, user_id = _claims(caller).values()
    issued = sign_in(organization=caller.tenant_id, api_key=key, key_id=key_id, user_id=user_id)
    assert issued is not None
    return {"Authorization": f"Bearer {issued.text}"}


def _completion(world: World, caller: Caller) -> dict[str, Any]:
    return {"model": world.own("served", caller), "messages": [{"role": "user", "content": "Hello"}]}


def _texts(world: World, caller: Caller) -> dict[str, Any]:
    return {"model": world.own("served", caller), "input": ["Hello"]}


def _passed_on(world: World, caller: Caller) -> dict[str, Any]:
    return {"model": "chat", "messages": [{"role": "user", "content": "Hello"}]}


def _workflow(world: World, caller: Caller) -> dict[str, Any]:
    return {"name": "New", "definition": _DEFINITION, "secrets": {"shop": "secret"}}


def _definition(world: World, caller: Caller) -> dict[str, Any]:
    return {"definition": _DEFINITION}


def _document(world: World, caller: Caller) -> dict[str, Any]:
    triggers = [{"name": "Paid", "kind": "event", "pattern": "order.paid"}, {"name": "Hook", "kind": "hook"}]
    return {"format": "automate.workflow/1", "name": "New", "definition": _DEFINITION, "triggers": triggers}


def _trigger(world: World, caller: Caller) -> dict[str, Any]:
    return {"name": "New", "kind": "event", "workflow": world.own("workflow", caller), "pattern": "order.paid"}


def _decision(world: World, caller: Caller) -> dict[str, Any]:
    return {"comment": "Fine"}


def _sent(world: World, caller: Caller) -> dict[str, Any]:
    return {"order": 7}


def _signed(caller: Caller) -> dict[str, str]:
    digest = hmac.digest(HOOK_SECRET.encode(), json.dumps({"order": 7}).encode(), "sha256")
    return {"X-Hub-Signature-256": f"sha256={digest.hex()}"}


def _rule(world: World, caller: Caller) -> dict[str, Any]:
    return {"rule": "event.total > 1", "context": {"event": {"total": 2}}}


_DEFINITION = {"steps": [{"name": "note", "type": "set", "with": {"values": {"a": {"cel": "event.payload"}}}}]}
_ENDPOINT_IDS = {"llm_client": "llm_client", "access.users[]": "user", "access.groups[]": "group"}
_PROVIDER = {"pk": ("provider",)}
_CLIENT = {"pk": ("llm_client",)}
_CLIENT_ID = {"llm_client_id": ("llm_client",)}
_NEW_NAME = {"new_name": "Changed"}
_ENDPOINT = {"pk": ("endpoint", "endpoint.slug")}
_ARTIFACT = {"pk": ("artifact",)}
_API_KEY = {"pk": ("api_key",)}
_ORGANIZATION = {"organization": ("organization",)}
_WORKFLOW = {"pk": ("workflow",)}
_WORKFLOW_RUN = {"pk": ("workflow_run", "waiting_run")}
_STEP = {"run_pk": ("waiting_run",), "step": ("workflow_step",)}
_TRIGGER = {"pk": ("trigger", "hook")}

POLICIES: Mapping[str, Policy] = {
    "automate_api:index GET": Policy(resource="index"),
    "automate_api:schema GET": Policy(resource=None),
    "automate_api:docs GET": Policy(resource=None),
    "automate_api:redoc GET": Policy(resource=None),
    "automate_api:model-list GET": Policy(
        resource="models", lists="model", listed_id=lambda row: f"{row['provider']}/{row['name']}"
    ),
    # providers
    "automate_api:provider-list GET": Policy(resource="providers", lists="provider", filters={"slug": "provider.slug"}),
    "automate_api:provider-list POST": Policy(
        resource="providers", access="write", role="staff", status=201, body=_provider
    ),
    "automate_api:provider-detail GET": Policy(resource="providers", path=_PROVIDER),
    "automate_api:provider-detail PUT": Policy(
        resource="providers", access="write", role="staff", path=_PROVIDER, body=_provider
    ),
    "automate_api:provider-detail PATCH": Policy(
        resource="providers", access="write", role="staff", path=_PROVIDER, body=_name
    ),
    "automate_api:provider-detail DELETE": Policy(
        resource="providers", access="write", role="staff", status=204, path=_PROVIDER
    ),
    "automate_api:provider-test POST": Policy(resource="providers", access="run", role="staff", path=_PROVIDER),
    "automate_api:provider-passthrough POST": Policy(
        resource="providers", access="run", path=_PROVIDER, body=_passed_on
    ),
    # the façade
    "automate_openai:model-list GET": Policy(resource="models", lists="served", rows="data"),
    "automate_openai:model-detail GET": Policy(resource="models", path={"pk": ("served",)}),
    "automate_openai:chat-completion POST": Policy(
        resource="chat", access="run", body=_completion, body_ids={"model": "served"}, absent=404
    ),
    "automate_openai:embedding POST": Policy(
        resource="embeddings", access="run", body=_texts, body_ids={"model": "served"}, absent=404
    ),
    # LLM clients
    "automate_api:llm-client-list GET": Policy(
        resource="llm-clients",
        lists="llm_client",
        filters={"slug": "llm_client.slug", "provider": "provider"},
    ),
    "automate_api:llm-client-list POST": Policy(
        resource="llm-clients", access="write", status=201, body=_client, body_ids={"provider": "provider"}
    ),
    "automate_api:llm-client-detail GET": Policy(resource="llm-clients", path=_CLIENT),
    "automate_api:llm-client-detail PUT": Policy(
        resource="llm-clients",
        access="write",
        reader=403,
        path=_CLIENT,
        body=_client,
        body_ids={"provider": "provider"},
    ),
    "automate_api:llm-client-detail PATCH": Policy(
        resource="llm-clients", access="write", reader=403, path=_CLIENT, body=_name, body_ids={"provider": "provider"}
    ),
    "automate_api:llm-client-detail DELETE": Policy(
        resource="llm-clients", access="write", reader=403, status=204, path=_CLIENT
    ),
    "automate_api:llm-client-clone POST": Policy(
        resource="llm-clients", access="write", status=201, path=_CLIENT, body=_name
    ),
    "automate_api:llm-client-rename POST": Policy(
        resource="llm-clients", access="write", reader=403, path=_CLIENT, body=_name
    ),
    "automate_api:llm-client-sharing PUT": Policy(
        resource="llm-clients",
        access="write",
        reader=403,
        path=_CLIENT,
        body=_sharing,
        body_ids={"users[]": "user", "groups[]": "group"},
    ),
    "automate_api:llm-client-restore POST": Policy(
        resource="llm-clients", access="write", path={"pk": ("deleted_llm_client",)}
    ),
    "automate_api:llm-client-chat POST": Policy(resource="llm-clients", access="run", path=_CLIENT, body=_run),
    # endpoints
    "automate_api:endpoint-list GET": Policy(
        resource="endpoints",
        lists="endpoint",
        filters={"slug": "endpoint.slug", "llm_client": "llm_client"},
    ),
    "automate_api:endpoint-list POST": Policy(
        resource="endpoints", access="write", role="staff", status=201, body=_endpoint, body_ids=_ENDPOINT_IDS
    ),
    "automate_api:endpoint-detail GET": Policy(resource="endpoints", path=_ENDPOINT),
    "automate_api:endpoint-detail PUT": Policy(
        resource="endpoints", access="write", role="staff", path=_ENDPOINT, body=_endpoint, body_ids=_ENDPOINT_IDS
    ),
    "automate_api:endpoint-detail PATCH": Policy(
        resource="endpoints", access="write", role="staff", path=_ENDPOINT, body=_name, body_ids=_ENDPOINT_IDS
    ),
    "automate_api:endpoint-detail DELETE": Policy(
        resource="endpoints", access="write", role="staff", status=204, path=_ENDPOINT
    ),
    "automate_api:endpoint-run POST": Policy(resource="endpoints", access="run", path=_ENDPOINT, body=_run),
    "automate_modal:endpoint-run POST": Policy(
        resource="endpoints", access="run", path=_ENDPOINT, body=_run, takes_forms=True
    ),
    "automate_modal:endpoint-stream POST": Policy(
        resource="endpoints", access="run", path=_ENDPOINT, body=_run, takes_forms=True
    ),
    "automate_modal:endpoint-job POST": Policy(
        resource="endpoints", access="run", status=202, path=_ENDPOINT, body=_run, takes_forms=True
    ),
    # executions and prompt logs
    "automate_api:execution-list GET": Policy(
        resource="executions",
        lists="execution",
        filters={
            "endpoint": "endpoint",
            "provider": "provider",
            "model": "execution.model",
            "user": "user",
            "correlation_id": "execution.correlation_id",
        },
    ),
    "automate_api:execution-detail GET": Policy(resource="executions", path={"pk": ("execution",)}),
    "automate_api:execution-replay POST": Policy(resource="executions", access="run", path={"pk": ("execution",)}),
    # events
    "automate_api:event-list GET": Policy(
        resource="events",
        lists="event",
        filters={
            "type": "event.type",
            "source": "event.source",
            "idempotency_key": "event.idempotency_key",
            "user": "user",
            "correlation_id": "event.correlation_id",
        },
    ),
    "automate_api:event-list POST": Policy(resource="events", access="write", status=201, body=_event),
    "automate_api:prompt-log-list GET": Policy(
        resource="prompt-logs",
        lists="prompt_log",
        filters={
            "execution": "execution",
            "user": "user",
            "log_key": "prompt_log.log_key",
            "model": "prompt_log.model",
            "provider": "prompt_log.provider",
        },
    ),
    "automate_api:prompt-log-download GET": Policy(
        resource="prompt-logs", query={"prefix": "prompt_log.log_key"}, has_one_form=True
    ),
    "automate_api:prompt-log-detail GET": Policy(resource="prompt-logs", path={"pk": ("prompt_log",)}),
    # jobs
    "automate_api:job-list GET": Policy(
        resource="jobs", lists="job", filters={"execution": "job.execution", "user": "user"}
    ),
    "automate_api:job-detail GET": Policy(resource="jobs", path={"pk": ("job", "waiting_job")}),
    "automate_api:job-cancel POST": Policy(resource="jobs", access="write", path={"pk": ("waiting_job",)}),
    "automate_api:job-events GET": Policy(resource="jobs", path={"pk": ("job",)}),
    "automate_modal:job-status GET": Policy(resource="jobs", path={"pk": ("job", "waiting_job")}),
    "automate_modal:job-events GET": Policy(resource="jobs", path={"pk": ("job",)}),
    # artifacts
    "automate_api:artifact-list GET": Policy(
        resource="artifacts",
        lists="artifact",
        filters={
            "execution": "artifact.execution",
            "job": "artifact.job",
            "user": "user",
            "sha256": "artifact.sha256",
        },
    ),
    "automate_api:artifact-list POST": Policy(
        resource="artifacts", access="write", status=201, body=_file, is_form=True
    ),
    "automate_api:artifact-detail GET": Policy(resource="artifacts", path=_ARTIFACT),
    "automate_api:artifact-detail DELETE": Policy(resource="artifacts", access="write", status=204, path=_ARTIFACT),
    "automate_api:artifact-download GET": Policy(resource="artifacts", path=_ARTIFACT, has_one_form=True),
    "automate_modal:artifact-download GET": Policy(resource="artifacts", path=_ARTIFACT, has_one_form=True),
    # API keys
    "automate_api:api-key-list GET": Policy(
        resource="api-keys", role="staff", lists="api_key", filters={"name": "api_key.name"}
    ),
    "automate_api:api-key-list POST": Policy(
        resource="api-keys", access="write", role="staff", status=201, body=_key, body_ids={"user": "user"}
    ),
    "automate_api:api-key-detail GET": Policy(resource="api-keys", role="staff", path=_API_KEY),
    "automate_api:api-key-rotate POST": Policy(resource="api-keys", access="write", role="staff", path=_API_KEY),
    "automate_api:api-key-revoke POST": Policy(resource="api-keys", access="write", role="staff", path=_API_KEY),
    # workflows
    "automate:workflow-list GET": Policy(
        resource="workflows", role="staff", lists="workflow", filters={"slug": "workflow.slug"}
    ),
    "automate:workflow-list POST": Policy(
        resource="workflows", access="write", role="staff", status=201, body=_workflow
    ),
    "automate:workflow-detail GET": Policy(resource="workflows", role="staff", path=_WORKFLOW),
    "automate:workflow-detail PUT": Policy(
        resource="workflows", access="write", role="staff", path=_WORKFLOW, body=_workflow
    ),
    "automate:workflow-detail PATCH": Policy(
        resource="workflows", access="write", role="staff", path=_WORKFLOW, body=_name
    ),
    "automate:workflow-detail DELETE": Policy(
        resource="workflows", access="write", role="staff", status=204, path=_WORKFLOW
    ),
    "automate:workflow-run POST": Policy(
        resource="workflows", access="run", role="staff", status=202, path=_WORKFLOW, body=_run
    ),
    "automate:workflow-validate POST": Policy(
        resource="workflows", access="write", role="staff", path=_WORKFLOW, body=_definition
    ),
    "automate:workflow-validate-definition POST": Policy(
        resource="workflows", access="write", role="staff", body=_definition
    ),
    "automate:workflow-export GET": Policy(resource="workflows", role="staff", path=_WORKFLOW),
    "automate:workflow-import POST": Policy(
        resource="workflows", access="write", role="staff", status=201, body=_document
    ),
    "automate:workflow-schema GET": Policy(resource="workflows", role="staff", given={"schema": "definition"}),
    "automate:workflow-version-list GET": Policy(
        resource="workflows", role="staff", path={"workflow_pk": ("workflow",)}
    ),
    "automate:workflow-version-detail GET": Policy(
        resource="workflows", role="staff", path={"workflow_pk": ("workflow",), "version": ("workflow_version",)}
    ),
    # runs of workflows
    "automate:workflow-run-list GET": Policy(
        resource="workflow-runs",
        lists="workflow_run",
        filters={
            "workflow": "workflow_run.workflow",
            "trigger": "workflow_run.trigger",
            "event": "workflow_run.event",
            "user": "user",
            "correlation_id": "workflow_run.correlation_id",
        },
    ),
    "automate:workflow-run-detail GET": Policy(resource="workflow-runs", path=_WORKFLOW_RUN),
    "automate:workflow-run-cancel POST": Policy(
        resource="workflow-runs", access="write", role="staff", path={"pk": ("waiting_run",)}
    ),
    "automate:workflow-run-replay POST": Policy(
        resource="workflow-runs", access="run", role="staff", status=202, path={"pk": ("workflow_run",)}
    ),
    "automate:workflow-step-list GET": Policy(resource="workflow-runs", path={"run_pk": ("waiting_run",)}),
    "automate:workflow-step-detail GET": Policy(resource="workflow-runs", path=_STEP),
    "automate:workflow-step-approve POST": Policy(
        resource="workflow-runs", access="write", role="staff", path=_STEP, body=_decision
    ),
    "automate:workflow-step-reject POST": Policy(
        resource="workflow-runs", access="write", role="staff", path=_STEP, body=_decision
    ),
    # what starts them
    "automate:trigger-list GET": Policy(
        resource="triggers",
        role="staff",
        lists="trigger",
        filters={"workflow": "workflow", "pattern": "trigger.pattern"},
    ),
    "automate:trigger-list POST": Policy(
        resource="triggers",
        access="write",
        role="staff",
        status=201,
        body=_trigger,
        body_ids={"workflow": "workflow"},
    ),
    "automate:trigger-detail GET": Policy(resource="triggers", role="staff", path=_TRIGGER),
    "automate:trigger-detail PUT": Policy(
        resource="triggers",
        access="write",
        role="staff",
        path={"pk": ("trigger",)},
        body=_trigger,
        body_ids={"workflow": "workflow"},
    ),
    "automate:trigger-detail PATCH": Policy(
        resource="triggers", access="write", role="staff", path=_TRIGGER, body=_name
    ),
    "automate:trigger-detail DELETE": Policy(
        resource="triggers", access="write", role="staff", status=204, path=_TRIGGER
    ),
    "automate:trigger-rotate POST": Policy(resource="triggers", access="write", role="staff", path={"pk": ("hook",)}),
    "automate:trigger-rotate-secret POST": Policy(
        resource="triggers", access="write", role="staff", path={"pk": ("hook",)}
    ),
    "automate:hook POST": Policy(
        resource=None, status=202, given={"token": HOOK_TOKEN}, body=_sent, sign=_signed, is_public=True
    ),
    "automate:rule-explain POST": Policy(resource="rules", role="staff", body=_rule),
    # the workbench
    "workbench_list POST": Policy(resource="llm-clients", lists="llm_client", rows="objects"),
    "workbench_list_filtered POST": Policy(
        resource="llm-clients", given={"ownership_filter": "all"}, lists="llm_client", rows="objects"
    ),
    "workbench_clone POST": Policy(resource="llm-clients", access="write", path=_CLIENT_ID, given=_NEW_NAME),
    "workbench_clone_by_query POST": Policy(resource="llm-clients", access="write", path=_CLIENT_ID, asked=_NEW_NAME),
    "workbench_rename POST": Policy(
        resource="llm-clients", access="write", reader=403, path=_CLIENT_ID, given=_NEW_NAME
    ),
    "workbench_rename_by_query POST": Policy(
        resource="llm-clients", access="write", reader=403, path=_CLIENT_ID, asked=_NEW_NAME
    ),
    "workbench_delete POST": Policy(resource="llm-clients", access="write", reader=403, path=_CLIENT_ID),
    "api_providers POST": Policy(resource="providers", lists="provider", rows="providers"),
    # what clients of the organization admin API call
    "automate_organization:signin-with-api-key POST": Policy(
        resource=None, path=_ORGANIZATION, sign=_claims, hidden=401
    ),
    "automate_organization:get-models GET": Policy(
        resource=None, role="staff", path=_ORGANIZATION, sign=_token, hidden=403
    ),
    "automate_organization:get-prompt-logs GET": Policy(
        resource=None,
        path=_ORGANIZATION,
        query={"prompt_log_prefix": "prompt_log.log_key"},
        has_one_form=True,
        sign=_token,
        hidden=403,
    ),
}

"""Two tenants with people and rows in them, such that every row is somebody's and hidden from somebody."""

import io
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.files.base import File
from django.db import transaction
from django.db.models import QuerySet
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.utils import timezone

from automate.models import Trigger, Workflow, WorkflowRun
from automate.services.hooks import digest_of
from automate.services.runs import start_run
from automate.services.triggers import create_trigger
from automate_api.engine.events import EventType, RunEvent
from automate_api.ids import uuid7
from automate_api.models import Actor, Artifact, Event, Execution, Job, PromptLog
from automate_api.services.api_keys import issue_key
from automate_api.services.artifacts import upload_artifact
from automate_api.services.job_log import end_without_run
from automate_api.services.jobs import create_job
from automate_api.services.llm_clients import delete_llm_client
from tests.factories import make_endpoint, make_llm_client, make_provider, make_user, make_workflow
from tests.walk.forms import is_error

HOME, AWAY = "acme", "globex"
#: What the hook at home is called with, and signed by.
HOOK_TOKEN, HOOK_SECRET = "h" * 43, "a-secret-of-the-walk"

_NOTHING: Any = object()
#: The columns that name a row besides its id.
_NAMES = (
    "slug", "log_key", "correlation_id", "name", "model", "provider", "type", "source", "idempotency_key", "pattern",
)  # fmt: skip
_number = count(1)


def members_of_tenant(tenant_id: str) -> QuerySet[Any]:
    """A host's `AUTOMATE_API_TENANT_MEMBERS`: people are named after their tenant."""
    return get_user_model().objects.filter(is_active=True, username__startswith=f"{tenant_id}.")


class Caller:
    """Somebody of a tenant, with an API key or, without `scopes`, a session; without a user nobody."""

    def __init__(self, name: str, tenant_id: str, user: Any = None, scopes: Iterable[str] | None = ("*",)) -> None:
        self.name, self.tenant_id, self.user = name, tenant_id, user
        self.client = Client()
        self.headers: dict[str, str] = {}
        self.key: Any = None
        if user is not None and scopes is None:
            self.client.force_login(user)
            self.headers["X-Tenant"] = tenant_id
        elif user is not None:
            self.key, text = issue_key(tenant_id=tenant_id, user=user, name=f"{tenant_id} {name}", scopes=scopes or ())
            self.headers["Authorization"] = f"Bearer {text}"

    @property
    def is_staff(self) -> bool:
        return bool(self.user is not None and self.user.is_staff)

    def narrowed(self, *scopes: str) -> "Caller":
        """The same person by a key with these scopes."""
        return Caller(f"{self.name} by {scopes}", self.tenant_id, self.user, scopes)

    def in_session(self) -> "Caller":
        """The same person, signed in."""
        return Caller(f"{self.name} in a session", self.tenant_id, self.user, None)

    def signing(self, headers: dict[str, str]) -> "Caller":
        """The same person, who is told by these headers."""
        other = copy(self)
        other.headers = headers
        return other

    def send(
        self,
        method: str,
        path: str,
        body: Any = _NOTHING,
        *,
        content_type: str = "application/json",
        headers: dict[str, str] | None = None,
    ) -> "Answer":
        """Ask. `body` is sent as it is where it is bytes, as a form where it has a file, else as JSON."""
        given = {**self.headers, **(headers or {})}
        if body is _NOTHING:
            response: Any = self.client.generic(method, path, headers=given)
        elif isinstance(body, dict) and any(isinstance(value, File) for value in body.values()):
            response = self.client.generic(method, path, form(body), content_type=MULTIPART_CONTENT, headers=given)
        else:
            data = body if isinstance(body, bytes) else self.client._encode_json(body, "application/json")
            response = self.client.generic(method, path, data, content_type=content_type, headers=given)
        return Answer.of(response, path)


def form(body: dict[str, Any]) -> bytes:
    """`body` as `multipart/form-data`; its files may be sent again."""
    for value in body.values():
        if isinstance(value, File):
            value.seek(0)
    return encode_multipart(BOUNDARY, body)


#: What differs from one answer to the next even where they say the same.
_PASSING = frozenset({"x-correlation-id", "date"})


@dataclass(frozen=True)
class Answer:
    """One answer, read to its end."""

    status: int
    headers: dict[str, str]
    content: bytes
    data: Any = field(compare=False, default=None)
    path: str = field(compare=False, default="")

    @classmethod
    def of(cls, response: Any, path: str = "") -> "Answer":
        content = b"".join(response.streaming_content) if response.streaming else response.content
        is_json = "json" in response.headers.get("Content-Type", "") and content
        data = response.json() if is_json else None
        return cls(response.status_code, dict(response.headers), content, data, path)

    @property
    def is_error(self) -> bool:
        """Whether it says what is wrong, in the form that is promised there."""
        return is_error(self.path, self.status, self.headers.get("Content-Type", ""), self.data)

    @property
    def told(self) -> tuple[int, dict[str, str], bytes]:
        """All that a caller could tell two answers apart by, in bytes."""
        headers = {name.lower(): value for name, value in self.headers.items() if name.lower() not in _PASSING}
        return self.status, headers, self.content

    def __str__(self) -> str:
        return f"{self.status} {self.headers.get('Content-Type')} {self.content[:600]!r}"


@dataclass(frozen=True)
class Row:
    """A row by its id, and who may see it: staff of its tenant, its owner, and if it is shared all of its tenant."""

    kind: str
    id: Any
    tenant_id: str
    owner: Any = None
    shared: bool = False
    #: Other values that name the row, as a slug does.
    names: dict[str, Any] = field(default_factory=dict, compare=False)

    def is_visible(self, caller: Caller) -> bool:
        """Whether `caller` may know that it is there."""
        mine = self.owner is not None and self.owner == caller.user
        return self.tenant_id == caller.tenant_id and (self.shared or caller.is_staff or mine)


def _digits_of(number: int) -> range:
    return range(10 ** (len(str(number)) - 1), 10 ** len(str(number)))


class World:
    """Everybody and everything. `ann` and `bob` are members and `staff` is staff of one tenant, `guest` and `stranger`
    are a member and staff of another. What is private at home belongs to `ann`, or to `staff` where members own none.
    """

    def __init__(self, model_url: str = "https://model.example/v1") -> None:
        self.model_url = model_url
        self.staff, self.ann, self.bob = (
            self._person(name, HOME, is_staff=name == "staff") for name in ("staff", "ann", "bob")
        )
        self.stranger, self.guest = (
            self._person(name, AWAY, is_staff=name == "stranger") for name in ("stranger", "guest")
        )
        self.nobody = Caller("nobody", HOME)
        self.rows: list[Row] = []
        self._settle(HOME, self.staff, self.ann)
        self._settle(AWAY, self.stranger, self.guest)

    @property
    def everybody(self) -> list[Caller]:
        """All who can prove who they are."""
        return [self.staff, self.ann, self.bob, self.stranger, self.guest]

    def of(self, kind: str) -> list[Row]:
        """All rows of a kind."""
        found = [row for row in self.rows if row.kind == kind]
        assert found, f"The world has no {kind}: add it in tests/walk/world.py."
        return found

    def own(self, place: str, caller: Caller) -> Any:
        """A value that names a row which `caller` may use: its own rather than a shared one."""
        kind, attribute = _split(place)
        rows = [row for row in self.of(kind) if row.is_visible(caller)]
        return _value(min(rows, key=lambda row: row.shared), attribute)

    def hidden(self, place: str, caller: Caller) -> list[Any]:
        """Values that name rows of which `caller` may not know."""
        kind, attribute = _split(place)
        return [_value(row, attribute) for row in self.of(kind) if not row.is_visible(caller)]

    def absent(self, place: str, like: Any) -> Any:
        """A value of the shape of `like` that names nothing anywhere."""
        kind, attribute = _split(place)
        taken = {_value(row, attribute) for row in self.of(kind)} | {_value(row, "id") for row in self.of(kind)}
        if isinstance(like, UUID):
            return uuid7()
        if isinstance(like, int):
            # From above: keys are given from below.
            return next(number for number in reversed(_digits_of(like)) if number not in taken)
        return next(text for text in (like[:-1] + end for end in "zyxw") if text not in taken)

    def _person(self, name: str, tenant_id: str, *, is_staff: bool) -> Caller:
        return Caller(name, tenant_id, make_user(is_staff=is_staff, username=f"{tenant_id}.{name}"))

    def _settle(self, tenant_id: str, staff: Caller, member: Caller) -> None:
        """Rows of every kind: private ones of `member`, or of `staff` where only staff owns, and shared ones."""
        spare, used = (self._provider(tenant_id) for _ in range(2))
        chat = {"tenant_id": tenant_id, "provider": used, "model": "chat"}
        own = make_llm_client(owner=member.user, **chat)
        open_client = make_llm_client(owner=staff.user, shared_with_tenant=True, **chat)
        deleted = make_llm_client(owner=member.user, **chat)
        delete_llm_client(deleted, actor=Actor(member.user, tenant_id))
        closed = make_endpoint(tenant_id=tenant_id, llm_client=open_client, open_to_members=False)
        opened = make_endpoint(tenant_id=tenant_id, llm_client=open_client)
        execution = Execution.objects.create(
            tenant_id=tenant_id, user=member.user, endpoint=opened, llm_client=open_client, endpoint_version=1,
            llm_client_version=1, task_type="llm.chat", input="x", status="succeeded",
            correlation_id=f"{tenant_id}-{next(_number)}", provider=used, model=f"{tenant_id}-chat",
        )  # fmt: skip
        log = PromptLog.objects.create(
            tenant_id=tenant_id, user=member.user, execution=execution, log_key=f"{tenant_id}-{next(_number)}",
            model=f"{tenant_id}-chat", provider=used.slug,
        )  # fmt: skip
        event = Event.objects.create(
            tenant_id=tenant_id, user=member.user, type=f"{tenant_id}.paid", source=f"{tenant_id}-shop",
            idempotency_key=f"{tenant_id}-{next(_number)}", occurred_at=timezone.now(),
            correlation_id=f"{tenant_id}-{next(_number)}",
        )  # fmt: skip
        job, waiting_job = (_job(execution, ended=ended) for ended in (True, False))
        artifact = _artifact(job, member)
        key, _text = issue_key(tenant_id=tenant_id, user=member.user, name=f"{tenant_id} key", scopes=["endpoints:run"])
        group = Group.objects.create(name=f"{tenant_id} group")
        group.user_set.add(member.user)
        self._add(tenant_id, True, provider=[spare, used], llm_client=[open_client], endpoint=[opened])
        self._add(tenant_id, True, user=[member.user, staff.user], group=[group])
        self._add(tenant_id, False, endpoint=[closed], api_key=[key, member.key, staff.key])
        self._add(tenant_id, False, member.user, llm_client=[own], deleted_llm_client=[deleted])
        self._add(tenant_id, False, member.user, execution=[execution], prompt_log=[log])
        self._add(tenant_id, False, member.user, job=[job], waiting_job=[waiting_job])
        self._add(tenant_id, False, member.user, artifact=[artifact], event=[event])
        self._automate(tenant_id, staff, member, event)
        self.rows.append(Row("organization", tenant_id, tenant_id, shared=True))
        models = {f"{row.slug}/{row.default_model}" for row in (spare, used)}
        models |= {f"{used.slug}/chat"}
        self.rows += [Row(kind, name, tenant_id, shared=True) for name in models for kind in ("model", "served")]
        self.rows += [
            Row("served", own.slug, tenant_id, member.user),
            Row("served", open_client.slug, tenant_id, shared=True),
        ]

    def _automate(self, tenant_id: str, staff: Caller, member: Caller, event: Event) -> None:
        """Workflows of `staff`, and runs that `member` caused: one has ended, one waits for staff, one for an event."""
        kinds = (("set", {"values": {"a": 1}}), ("approval", {}), ("wait", {"event": {"type": "never"}}))
        workflows = [
            make_workflow(
                tenant_id=tenant_id, owner=staff.user, version=next(_number) + 100, steps=[
                    {"name": f"{tenant_id}_{kind}", "type": kind, "with": settings}
                ],
            )
            for kind, settings in kinds
        ]  # fmt: skip
        actor = Actor(user=staff.user, tenant_id=tenant_id)
        about = {"actor": actor, "workflow": workflows[0]}
        told, _token = create_trigger(**about, name=f"{tenant_id} told", kind="event", pattern=f"{tenant_id}.paid")
        signing = {"signature": "github", "signing_secret": HOOK_SECRET}
        hook, _token = create_trigger(**about, name=f"{tenant_id} hook", kind="hook", **signing)
        if tenant_id == HOME:
            Trigger.objects.filter(pk=hook.pk).update(token_hash=digest_of(HOOK_TOKEN))
        ended, approved, waiting = (self._workflow_run(workflow, member, told, event) for workflow in workflows)
        self._add(tenant_id, False, workflow=workflows, trigger=[told], hook=[hook])
        self._add(tenant_id, False, member.user, workflow_run=[ended], waiting_run=[approved, waiting])
        self.rows += [Row("workflow_version", workflow.version, tenant_id) for workflow in workflows]
        self.rows.append(Row("workflow_step", f"{tenant_id}_approval", tenant_id, member.user))

    def _workflow_run(self, workflow: Workflow, member: Caller, trigger: Trigger, event: Event) -> WorkflowRun:
        """A run of what happened to the member, of which each trigger starts but one."""
        about = {"trigger": trigger, "event": event} if workflow == trigger.workflow else {}
        correlation_id = f"{workflow.tenant_id}-{next(_number)}"
        context = {"type": "order.paid", "payload": {}}
        return start_run(workflow, context=context, user_id=member.user.pk, correlation_id=correlation_id, **about)

    def _provider(self, tenant_id: str) -> Any:
        number = next(_number)
        return make_provider(
            tenant_id=tenant_id, base_url=self.model_url, default_model=f"model-{number}", slug=f"{tenant_id}-{number}"
        )

    def _add(self, tenant_id: str, shared: bool, owner: Any = None, **kinds: list[Any]) -> None:
        for kind, made in kinds.items():
            for row in made:
                names: dict[str, Any] = {
                    name: getattr(row, name) for name in _NAMES if isinstance(getattr(row, name, None), str)
                }
                if kind in {"job", "artifact"}:
                    names["execution"] = row.execution_id
                if kind == "workflow_run":
                    names |= {"workflow": row.workflow_id, "trigger": row.trigger_id, "event": row.event_id}
                if kind == "artifact":
                    names |= {"job": row.job_id, "sha256": row.sha256}
                self.rows.append(Row(kind, row.pk, tenant_id, owner, shared, names))


def _job(like: Execution, *, ended: bool) -> Job:
    """A job with an execution of its own, which has ended or waits for a worker; a stream of it ends at once or not."""
    execution = Execution.objects.get(pk=like.pk)
    execution.pk, execution._state.adding = uuid7(), True
    job = create_job(execution)
    if ended:
        with transaction.atomic():
            end_without_run(
                Job.objects.filter(pk=job.pk),
                job,
                RunEvent(EventType.FINAL, {"output": "x", "usage": None, "cost": None}),
            )
    return job


def _artifact(job: Job, owner: Caller) -> Artifact:
    """A file that nobody else has, as if the job had made it."""
    actor = Actor(user=owner.user, tenant_id=owner.tenant_id)
    content = io.BytesIO(f"file {next(_number)}".encode())
    artifact = upload_artifact(content, actor=actor, name="a.txt", content_type="text/plain")
    artifact.job, artifact.execution = job, job.execution
    artifact.save()
    return artifact


def _split(place: str) -> tuple[str, str]:
    kind, _dot, attribute = place.partition(".")
    return kind, attribute or "id"


def _value(row: Row, attribute: str) -> Any:
    return row.id if attribute == "id" else row.names[attribute]

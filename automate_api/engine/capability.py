"""Capabilities: what an endpoint can do. Apps register theirs in `AppConfig.ready()`."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterable, Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from asgiref.sync import sync_to_async
from django.core.exceptions import ImproperlyConfigured
from django.db import close_old_connections

from automate_api.conf import settings
from automate_api.engine.artifacts import ArtifactStore, ReadArtifact, Spool
from automate_api.engine.events import EventType, RunEvent
from automate_api.engine.storage import in_file_thread
from automate_api.exceptions import NotConfigured, PayloadTooLarge
from automate_api.llm.types import LLMTarget

T = TypeVar("T")

#: Calls a function once for a key, and remembers what it returned.
Remember = Callable[[str, Callable[[], Any]], Any]


@dataclass(slots=True)
class Exchange:
    """What a capability said to a model, for the prompt log; `response` where the answer is not the run's text."""

    system: str = ""
    history: list[Any] = field(default_factory=list)
    response: str = ""


@dataclass(slots=True, kw_only=True)
class RunContext:
    """Everything a capability may know of its run. The tenant travels here, never in a thread local.

    Attributes:
        run_id: the execution's id.
        tenant_id: whose run it is.
        user_id: who runs it; None where nobody is signed in.
        correlation_id: what ties the run to the request that caused it.
        input: the caller's input, valid under the endpoint's and the capability's schemas.
        params: the LLM client's, the endpoint's and the caller's parameters, in rising precedence.
        config: the endpoint's configuration, valid under the capability's `config_schema`.
        llm: which model to call; None for a capability that needs none.
        system_prompt: the LLM client's.
        tools: the LLM client's.
        stream: whether somebody reads tokens as they come.
        exchange: set by the capability before it calls a model.
        attempt: which attempt of a job this is, from 1.
        remember: how `once()` keeps what is done; None where nothing outlives the run.
        artifacts: where `read_artifact()` and `save_artifact()` find and leave files.
        secrets: what the capability has in clear besides the provider's key, and what nothing that is said, stored or
            logged of the run may show; the capability adds to it before it uses them.
    """

    run_id: UUID
    tenant_id: str
    correlation_id: str
    input: Any
    user_id: Any = None
    params: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    llm: LLMTarget | None = None
    system_prompt: str = ""
    tools: list[dict[str, Any]] = field(default_factory=list)
    stream: bool = False
    exchange: Exchange | None = None
    attempt: int = 1
    remember: Remember | None = None
    artifacts: ArtifactStore | None = None
    secrets: list[str] = field(default_factory=list, repr=False)

    async def db(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Call `function`, which uses the ORM, in a worker thread, and leave no stale connection behind."""

        def call() -> T:
            close_old_connections()
            try:
                return function(*args, **kwargs)
            finally:
                close_old_connections()

        return await sync_to_async(call, thread_sensitive=False)()

    async def once(self, key: str, function: Callable[[], Any]) -> Any:
        """Call `function`, which uses the ORM, once for all attempts of a job, and return what it returned.

        That the step `key` is done is noted in the transaction `function` runs in: both are stored or neither. A later
        attempt gets the noted result, which must be JSON. Outside a job this is `db()`.

        Raises:
            RunCancelled: another process has taken the job over.
        """
        if self.remember is None:
            return await self.db(function)
        return await self.db(self.remember, key, function)

    async def read_artifact(self, artifact_id: str, *, max_bytes: int) -> ReadArtifact:
        """The artifact with this id, in memory, so that `max_bytes` must be few.

        Raises:
            InvalidInput: there is none that whoever runs this may read, or it is longer.
            StorageUnavailable: the storage cannot give it.
        """
        return await in_file_thread(self._artifacts.read, artifact_id, max_bytes=max_bytes)

    async def save_artifact(self, content: bytes | AsyncIterable[bytes], *, name: str, content_type: str) -> RunEvent:
        """Store a file, and return the `artifact` event that says so, for the capability to yield.

        The file is listed once it is whole. A later attempt of a job stores it again: what an attempt that failed has
        stored stays until it expires, and the run's output says which files count.

        Args:
            content: the bytes, or what yields them piece by piece; an error in that is let through.
            name: what it is called when downloaded; whatever stands before the last slash is dropped.
            content_type: a media type without parameters; anything else becomes `application/octet-stream`.

        Raises:
            PayloadTooLarge: it is longer than `AUTOMATE_API_ARTIFACT_MAX_BYTES`.
            StorageUnavailable: the storage did not take it; nothing of it is left.
            RunCancelled: another process has taken the job over.
        """
        spool = Spool(refuse_over=settings.artifact_max_bytes, refusal=PayloadTooLarge)
        try:
            await spool.fill(content)
            data = await in_file_thread(self._artifacts.write, spool.file, name=name, content_type=content_type)
        finally:
            spool.close()
        return RunEvent(EventType.ARTIFACT, data)

    @property
    def _artifacts(self) -> ArtifactStore:
        if self.artifacts is None:
            raise NotConfigured
        return self.artifacts


class Capability(ABC):
    """One task type. A subclass names it, declares three JSON Schemas (draft 2020-12), and yields the run's events.

    `run()` yields any events but terminal ones, and last a `final` event with `{output, usage, cost}`. What goes wrong
    it raises, as a class of `automate_api.exceptions`; the driver decides how the run ended.

    `for_endpoints` is False for what apps run themselves: no endpoint may offer it, and only staff cancel its jobs.
    `resumes` is True for what does all its work in `once()`, and goes on in a job's next attempt where an attempt took
    too long. `artifact_inputs` names the members of an input object that hold the id of an artifact, or a list of ids;
    whoever runs it must be able to read them, and a caller may send a file in the id's place.
    """

    task_type: ClassVar[str]
    label: ClassVar[Any] = ""
    needs_llm_client: ClassVar[bool] = False
    for_endpoints: ClassVar[bool] = True
    resumes: ClassVar[bool] = False
    artifact_inputs: ClassVar[tuple[str, ...]] = ()
    input_schema: ClassVar[dict[str, Any]] = {}
    params_schema: ClassVar[dict[str, Any]] = {"type": "object", "additionalProperties": False}
    config_schema: ClassVar[dict[str, Any]] = {"type": "object", "additionalProperties": False}

    @abstractmethod
    def run(self, ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        """Do the work; an asynchronous generator."""


_registry: dict[str, Capability] = {}


def register(capability: type[Capability]) -> type[Capability]:
    """Make `capability` available to endpoints; usable as a class decorator.

    Raises:
        ImproperlyConfigured: another class has registered this task type.
    """
    known = _registry.get(capability.task_type)
    if known is not None and type(known) is not capability:
        raise ImproperlyConfigured(f"Two capabilities are registered for the task type {capability.task_type!r}.")
    _registry[capability.task_type] = capability()
    return capability


def get_capability(task_type: str) -> Capability | None:
    """The capability of `task_type`, or None."""
    return _registry.get(task_type)


def task_types() -> list[str]:
    """Every registered task type that an endpoint may offer, sorted."""
    return sorted(task_type for task_type, capability in _registry.items() if capability.for_endpoints)

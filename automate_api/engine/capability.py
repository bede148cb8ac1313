"""Capabilities: what an endpoint can do. Apps register theirs in `AppConfig.ready()`."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from asgiref.sync import sync_to_async
from django.core.exceptions import ImproperlyConfigured
from django.db import close_old_connections

from automate_api.engine.events import RunEvent
from automate_api.llm.types import LLMTarget

T = TypeVar("T")

#: Calls a function once for a key, and remembers what it returned.
Remember = Callable[[str, Callable[[], Any]], Any]


@dataclass(slots=True)
class Exchange:
    """What a capability said to a model, for the prompt log; the answer is the run's text."""

    system: str = ""
    history: list[Any] = field(default_factory=list)


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


class Capability(ABC):
    """One task type. A subclass names it, declares three JSON Schemas (draft 2020-12), and yields the run's events.

    `run()` yields any events but terminal ones, and last a `final` event with `{output, usage, cost}`. What goes wrong
    it raises, as a class of `automate_api.exceptions`; the driver decides how the run ended.
    """

    task_type: ClassVar[str]
    label: ClassVar[Any] = ""
    needs_llm_client: ClassVar[bool] = False
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
    """Every registered task type, sorted."""
    return sorted(_registry)

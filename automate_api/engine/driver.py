"""The driver: runs a capability and alone decides how the run ended. It never touches the ORM."""

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing
from typing import Any

from automate_api.engine.capability import Capability, RunContext
from automate_api.engine.events import EventType, RunEvent, checked
from automate_api.exceptions import AutomateError, InternalError, RunCancelled, RunTimeout, StorageUnavailable
from automate_api.security.echo import EchoFilter, mask
from automate_api.security.redaction import redact_exception

logger = logging.getLogger("automate_api.engine")

Emit = Callable[[RunEvent], Awaitable[None]]
Store = Callable[["Run"], None]


class Run:
    """One run: its capability, what came of it so far, and how it is stored.

    `begin` and `finish` are synchronous functions that use the ORM. They are called at most once each with success, by
    whichever thread comes first, and `finish` only after `begin`.

    Attributes:
        text: the pieces of text that came, in order.
        steps: one entry an attempt: `{name, attempt, status, started_ms, duration_ms, code}`.
        end: the terminal event, once there is one.
        error: the exception behind an `error` event.
        first_token_ms, duration_ms: milliseconds from the start of `drive()`.
    """

    def __init__(self, capability: Capability, context: RunContext, *, begin: Store, finish: Store, timeout: float):
        self.capability, self.context, self.timeout = capability, context, timeout
        self.text: list[str] = []
        self.steps: list[dict[str, Any]] = []
        self.end: RunEvent | None = None
        self.error: AutomateError | None = None
        self.first_token_ms: int | None = None
        self.duration_ms: int | None = None
        self._begin, self._finish = begin, finish
        self._echo = EchoFilter(self.secrets)
        self._lock = threading.Lock()
        self._begun = self._finished = False
        self._started = time.monotonic()

    # -- storage, called from the caller's threads ------------------------------------------------------------------

    def begin(self) -> None:
        """Store that the run is under way. Does nothing when the caller has already gone.

        Raises:
            RunCancelled: `finish()` was called first.
            StorageUnavailable: it could not be stored.
        """
        with self._lock:
            if self._finished:
                raise RunCancelled
            self._call(self._begin)
            self._begun = True

    def finish(self) -> None:
        """Store how the run ended; a run that has not ended was cancelled. Idempotent.

        Raises:
            StorageUnavailable: it could not be stored; from then on that is how the run ended.
        """
        with self._lock:
            if self._finished:
                return
            if self._begun:
                if self.end is None:
                    self._settle(self._cancelled())
                self._call(self._finish)
            self._finished = True

    def _call(self, store: Store) -> None:
        try:
            store(self)
        except Exception as exc:
            logger.error("A run could not be stored: %s", self.describe(exc), extra=self._log_context)
            self.error = StorageUnavailable()
            self.end = RunEvent(EventType.ERROR, {"code": self.error.code, "detail": self.error.detail, "partial": ""})
            raise self.error from exc

    # -- the run itself, on an event loop ---------------------------------------------------------------------------

    async def drive(self, emit: Emit) -> None:
        """Run the capability to its end and hand every event to `emit`, whose waiting is the backpressure.

        Cancelled, or ended by what is no `Exception`, it emits no terminal event; `end` has it all the same.
        """
        self._started = time.monotonic()
        try:
            end = await self._run(emit)
        except asyncio.CancelledError as exc:
            if _told_to_stop():
                self._settle(self._cancelled())
                raise
            # Nobody cancelled this run: the capability let somebody else's cancellation out.
            end = self._failed(exc)
        except (Exception, SystemExit) as exc:  # noqa: BLE001 - whatever it is, it is how the run ended
            end = self._failed(exc)
        except BaseException as exc:
            self._settle(self._failed(exc))
            raise
        self._settle(end)
        await emit(end)

    async def _run(self, emit: Emit) -> RunEvent:
        deadline = asyncio.timeout(self.timeout)
        try:
            async with deadline, aclosing(self.capability.run(self.context)) as events:
                self._open_step(1)
                await emit(RunEvent(EventType.STARTED, {"attempt": self.context.attempt}))
                async for event in events:
                    _require_wanted(deadline)
                    for cleared in self._cleared(checked(event)):
                        if cleared.is_terminal:
                            return cleared
                        self._note(cleared)
                        await emit(cleared)
                _require_wanted(deadline)
        except TimeoutError as exc:
            if deadline.expired():
                raise RunTimeout from exc
            raise
        raise InternalError

    def _cleared(self, event: RunEvent) -> Iterator[RunEvent]:
        """`event` without this run's secrets, after or without text that is held back meanwhile."""
        text = self._echo.feed(event.data["text"]) if event.type is EventType.TOKEN else self._echo.flush()
        if text:
            yield RunEvent(EventType.TOKEN, {"text": text})
        if event.type is not EventType.TOKEN:
            yield RunEvent(event.type, mask(event.data, self.secrets))

    def _note(self, event: RunEvent) -> None:
        if event.type is EventType.TOKEN:
            if self.first_token_ms is None:
                self.first_token_ms = self._elapsed()
            self.text.append(event.data["text"])
        elif event.type is EventType.RETRY:
            self._close_step("failed", event.data["code"])
            self._open_step(event.data["attempt"])

    def _settle(self, end: RunEvent) -> None:
        self.duration_ms = self._elapsed()
        status = {EventType.FINAL: "succeeded", EventType.ERROR: "failed"}.get(end.type, "cancelled")
        self._close_step(status, end.data.get("code"))
        self.end = end

    def _failed(self, exc: BaseException) -> RunEvent:
        if not isinstance(exc, AutomateError):
            logger.error("A run failed: %s", self.describe(exc), extra=self._log_context)
            exc = InternalError()
        self.error = exc
        return RunEvent(EventType.ERROR, {"code": exc.code, "detail": exc.detail, "partial": "".join(self.text)})

    def _cancelled(self) -> RunEvent:
        return RunEvent(EventType.CANCELLED, {"partial": "".join(self.text)})

    def describe(self, exc: BaseException) -> str:
        """The traceback of `exc` without this run's secrets."""
        return redact_exception(exc, self.secrets)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must appear in nothing this run says, stores or logs.

        The provider's key, unless it is just a word, and what the capability has come to know.
        """
        return (*(self.context.llm.secrets if self.context.llm else ()), *self.context.secrets)

    @property
    def _log_context(self) -> dict[str, str]:
        return {"correlation_id": self.context.correlation_id}

    def _elapsed(self) -> int:
        return round((time.monotonic() - self._started) * 1000)

    def _open_step(self, attempt: int) -> None:
        name = self.capability.task_type
        self.steps.append({"name": name, "attempt": attempt, "status": "running", "started_ms": self._elapsed()})

    def _close_step(self, status: str, code: str | None) -> None:
        if self.steps and self.steps[-1]["status"] == "running":
            step = self.steps[-1]
            step.update(status=status, duration_ms=self._elapsed() - step["started_ms"])
            if code:
                step["code"] = code


def _told_to_stop() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _require_wanted(deadline: asyncio.Timeout) -> None:
    """Stop a run whose capability was told to stop, by the clock or by its client leaving, and went on."""
    if deadline.expired():
        raise RunTimeout
    if _told_to_stop():
        raise asyncio.CancelledError

"""Storing runs: one execution and one prompt log each, redacted, in as few transactions as can be."""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, connections, router, transaction
from django.utils import timezone

from automate_api.engine.driver import Run
from automate_api.engine.events import EventType
from automate_api.models import Execution, PromptLog
from automate_api.models.prepared import PreparedInsert, PreparedUpdate
from automate_api.security.redaction import redact
from automate_api.services import leases
from automate_api.services.leases import lease_end

_STATUS = {EventType.FINAL: Execution.Status.SUCCEEDED, EventType.ERROR: Execution.Status.FAILED}

_OUTCOME = (
    "status",
    "output",
    "error",
    "usage",
    "cost",
    "steps",
    "first_token_ms",
    "duration_ms",
    "finished_at",
)
# Of a correlation id and of a model's name, which grow where a short secret is taken out of them.
_LONGEST_ID = 128
_LONGEST_MODEL = 200

_executions, _prompt_logs = PreparedInsert(Execution), PreparedInsert(PromptLog)
_endings = PreparedUpdate(
    Execution, by=("id",), columns=_OUTCOME, rows=lambda rows: rows.filter(status__in=Execution.UNFINISHED)
)

_write_lock = threading.RLock()
# How often this thread has it.
_holds = threading.local()


class Recorder:
    """Stores one run; its two methods are the run's `begin` and `finish`. In between it holds a lease."""

    def __init__(self, execution: Execution) -> None:
        self.execution = execution

    def begin(self, run: Run) -> None:
        """Insert the execution."""
        redact_asked(self.execution, run.secrets)
        with writing():
            _executions.insert(self.execution)
        leases.keeper.keep(self)

    @classmethod
    def renew_all(cls, leases: Sequence["Recorder"]) -> None:
        """Hold these executions for longer. A run shorter than a heartbeat never gets here."""
        held = Execution.objects.filter(pk__in=[recorder.execution.pk for recorder in leases])
        held.filter(status__in=Execution.UNFINISHED).update(leased_until=lease_end())

    def finish(self, run: Run) -> None:
        """Store how the run ended, and its prompt log; a no-op where another process has ended it already."""
        leases.keeper.drop(self)
        self.store(run)

    def store(self, run: Run) -> None:
        """Store the same in a transaction of its own."""
        with writing():
            try:
                with transaction.atomic():
                    self.store_end(run)
            except IntegrityError:
                # Whoever started the run may have been deleted meanwhile; its execution says so already.
                self.execution.refresh_from_db(fields=["user"])
                with transaction.atomic():
                    self.store_end(run)

    def store_end(self, run: Run, *, steps: Sequence[dict[str, Any]] = ()) -> None:
        """Store how the run ended, after the `steps` of attempts before, in the caller's transaction."""
        execution, outcome = self.execution, _outcome(run, steps)
        for name, value in outcome.items():
            setattr(execution, name, value)
        log = None if run.context.exchange is None else self._prompt_log(run)
        if _endings.update(execution.pk, **outcome) and log is not None:
            _prompt_logs.insert(log)

    def _prompt_log(self, run: Run) -> PromptLog:
        execution, exchange, target = self.execution, run.context.exchange, run.context.llm
        system, history, said = (
            ("", [], "") if exchange is None else (exchange.system, exchange.history, exchange.response)
        )
        return PromptLog(
            tenant_id=execution.tenant_id,
            user_id=execution.user_id,
            execution=execution,
            log_key=f"{_log_prefix(execution)}-{execution.created_at.astimezone(UTC):%Y%m%dT%H%M%S}-{execution.pk.hex[-12:]}",
            system=storable(redact(system, run.secrets)),
            history=storable(redact(history, run.secrets)),
            response=storable(redact(said or "".join(run.text), run.secrets)),
            model=_model(target.model, run.secrets) if target else "",
            provider=target.provider if target else "",
            usage=execution.usage,
        )


def redact_asked(execution: Execution, secrets: Sequence[str]) -> None:
    """Make of what was asked what may be stored."""
    execution.input = redact(execution.input, secrets, also=storable)
    execution.params = redact(execution.params, secrets, also=storable)
    execution.correlation_id = redact(execution.correlation_id, secrets)[:_LONGEST_ID]
    execution.model = _model(execution.model, secrets)


def _model(name: str, secrets: Sequence[str]) -> str:
    """A model's name, which callers may say themselves."""
    return storable(redact(name, secrets))[:_LONGEST_MODEL] if name else ""


def _log_prefix(execution: Execution) -> str:
    named: Any = execution.llm_client or execution.endpoint or execution.provider
    return str(named.slug if named else execution.task_type)


def _outcome(run: Run, steps: Sequence[dict[str, Any]]) -> dict[str, Any]:
    end = run.end
    data = {} if end is None else end.data
    error = {key: str(data[key]) for key in ("code", "detail") if key in data}
    partial = data.get("partial", "")
    output = data.get("output", {"partial": partial} if partial else None)
    return {
        "status": _STATUS.get(end.type, Execution.Status.CANCELLED) if end else Execution.Status.CANCELLED,
        "output": redact(output, run.secrets, also=storable),
        "error": redact(error, run.secrets, also=storable) or None,
        "usage": redact(data["usage"], run.secrets, also=storable) if "usage" in data else _estimate(run),
        "cost": Decimal(data["cost"]) if data.get("cost") is not None else None,
        "steps": [*steps, *redact(run.steps, run.secrets, also=storable)],
        "first_token_ms": run.first_token_ms,
        "duration_ms": run.duration_ms,
        "finished_at": timezone.now(),
    }


def _estimate(run: Run) -> dict[str, Any] | None:
    """Tokens of an answer that broke off, which nobody counted: one for each piece that came."""
    return {"completion_tokens": len(run.text), "estimated": True} if run.text else None


def storable(value: Any) -> Any:
    """`value`, a JSON value, without what a database cannot hold: NUL and lone surrogates become U+FFFD."""
    if isinstance(value, str):
        text = value.replace("\x00", "\ufffd")
        return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, (list, tuple)):
        return [storable(item) for item in value]
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}
    return value


@contextmanager
def writing() -> Iterator[None]:
    """On SQLite, one writer at a time in this process: waiting here is fair and cheap, polling its lock neither.

    Whoever is in a transaction has SQLite's own lock, and would wait here for those who wait for that.
    """
    connection = connections[router.db_for_write(Execution)]
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    with _write_lock:
        _holds.times = getattr(_holds, "times", 0) + 1
        try:
            yield
        finally:
            _holds.times -= 1


@contextmanager
def letting_write() -> Iterator[None]:
    """Let others of this process write where this thread, inside `writing()`, waits for them.

    What is called when a transaction has committed may do so: Django's immediate backend works on the job there, and
    what a job does it does in other threads.
    """
    times, _holds.times = getattr(_holds, "times", 0), 0
    for _time in range(times):
        _write_lock.release()
    try:
        yield
    finally:
        for _time in range(times):
            _write_lock.acquire()
        _holds.times = times


def _forget_lock() -> None:
    # Another thread of the parent may have held it at the fork.
    global _write_lock, _holds
    _write_lock, _holds = threading.RLock(), threading.local()


os.register_at_fork(after_in_child=_forget_lock)

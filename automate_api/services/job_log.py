"""The event log of a job: one sequence, appended in batches by whoever holds the job."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F

from automate_api.engine.events import EventType, RunEvent
from automate_api.exceptions import AutomateError
from automate_api.models import Execution, Job, JobEvent
from automate_api.models.now import Now
from automate_api.models.prepared import PreparedInsert
from automate_api.security.redaction import redact
from automate_api.security.streams import StreamRedactor
from automate_api.services import job_feed
from automate_api.services.recording import storable

_STATUS = {EventType.FINAL: Job.Status.SUCCEEDED, EventType.ERROR: Job.Status.FAILED}


_rows = PreparedInsert(JobEvent)


class LogRedactor:
    """One attempt's events as they may be stored, its text as a whole although it comes in pieces.

    The end of the text is held back while a secret may begin there. Other events go before it: were it let through
    for their sake, so would be a secret that goes on after them.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets, self._text = tuple(secrets), StreamRedactor(secrets, also=storable)

    def redacted(self, events: Sequence[RunEvent]) -> list[RunEvent]:
        """What may be stored now that `events` have come; a `retry` ends the text before it."""
        shown: list[RunEvent] = []
        for event in events:
            if event.type is EventType.TOKEN:
                shown += _token(self._text.feed(event.data["text"]))
                continue
            if event.type is EventType.RETRY:
                shown += self.rest()
            shown.append(redacted_event(event, self._secrets))
        return shown

    def rest(self) -> list[RunEvent]:
        """The text that was held back, at its end."""
        return _token(self._text.flush())


def _token(text: str) -> list[RunEvent]:
    return [RunEvent(EventType.TOKEN, {"text": text})] if text else []


def redacted_event(event: RunEvent, secrets: Sequence[str] = ()) -> RunEvent:
    """`event` as it may be stored, where no part of a secret stands in another."""
    return RunEvent(event.type, redact(event.data, secrets, also=storable))


def append_events(
    held: Any,
    job: Job,
    events: Sequence[RunEvent],
    columns: Mapping[str, Any],
    *,
    secrets: Sequence[str] | None = (),
    last: int | None = None,
) -> bool:
    """Append `events` and set `columns` of the job, inside the caller's transaction; False where it is not held.

    Args:
        held: the job's row as a queryset, narrowed to what must still be true of it.
        job: the job.
        events: in their order.
        columns: as `QuerySet.update()` takes them.
        secrets: what must not be stored; None: the events have been redacted.
        last: the log's last event, for who holds the job and so knows it; it is read where None.
    """
    if last is not None:
        last += len(events)
    if not held.update(last_event=F("last_event") + len(events) if last is None else last, **columns):
        return False
    if last is None:
        last = Job.objects.values_list("last_event", flat=True).get(pk=job.pk)
    append_rows(job, events, last=last, secrets=secrets)
    return True


def append_rows(job: Job, events: Sequence[RunEvent], *, last: int, secrets: Sequence[str] | None = ()) -> None:
    """Append `events`, of which `last` is the last one's number in the job's row already."""
    if secrets is not None:
        events = [redacted_event(event, secrets) for event in events]
    rows = [
        JobEvent(job=job, sequence=sequence, type=event.type.value, data=event.data)
        for sequence, event in enumerate(events, last - len(events) + 1)
    ]
    if len(rows) == 1:
        _rows.insert(rows[0])
    else:
        JobEvent.objects.bulk_create(rows)
    transaction.on_commit(partial(_tell, job.pk))


def _tell(job_id: UUID) -> None:
    # Whoever listens in another process finds out a little later.
    job_feed.feed.news(job_id)


def append_end(held: Any, job: Job, end: RunEvent, *, secrets: Sequence[str] = ()) -> RunEvent | None:
    """Append the terminal event, and end the job as it says; what the caller sent is forgotten.

    Returns the event as it is stored, or None where the job is not held.
    """
    end = redacted_event(end, secrets)
    columns = {"finished_at": Now(), "token": None, "leased_until": None, "request": ""}
    return end if append_events(held, job, [end], {**end_columns(end), **columns}, secrets=None) else None


def end_columns(end: RunEvent) -> dict[str, Any]:
    """`status` and `error` of a job that ended so; `end` has been redacted."""
    error = {name: str(end.data[name]) for name in ("code", "detail") if name in end.data}
    return {"status": _STATUS.get(end.type, Job.Status.CANCELLED), "error": error or None}


def end_without_run(held: Any, job: Job, end: RunEvent) -> RunEvent | None:
    """`append_end`, and the execution's end, where no run is at hand that could tell more."""
    stored = append_end(held, job, end)
    if stored is None:
        return None
    columns = end_columns(stored)
    unfinished = Execution.objects.filter(pk=job.execution_id, status__in=Execution.UNFINISHED)
    unfinished.update(**columns | {"status": Execution.Status(columns["status"])}, finished_at=Now())
    return stored


def error_event(error: AutomateError) -> RunEvent:
    """The terminal event of a job that failed before it could say anything."""
    return RunEvent(EventType.ERROR, {"code": str(error.code), "detail": error.detail, "partial": ""})

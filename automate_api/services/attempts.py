"""A worker's attempt at a job: claim it, run it, log what it says, and store how it ended."""

import json
import logging
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any
from uuid import UUID

from django.db import Error, close_old_connections, transaction
from django.utils.translation import gettext_lazy as _

from automate_api.conf import settings
from automate_api.engine.driver import Run
from automate_api.engine.events import EventType, RunEvent
from automate_api.engine.relay import relay
from automate_api.engine.transports import end_of
from automate_api.events import at_depth
from automate_api.exceptions import AutomateError, Conflict, RunCancelled, RunTimeout
from automate_api.models import Execution, Job, JobStep
from automate_api.models.now import Now
from automate_api.security.redaction import forget_revealed, redact
from automate_api.services import leases
from automate_api.services.artifacts import RunArtifacts
from automate_api.services.endings import end_job
from automate_api.services.held import claim_job, end_held_job
from automate_api.services.job_log import LogRedactor, append_events, end_without_run, error_event
from automate_api.services.jobs import announce, due_in, enqueue
from automate_api.services.leases import lease_end
from automate_api.services.recording import Recorder, letting_write, storable, writing
from automate_api.services.runs import run_of
from automate_api.services.secrets import encrypting
from automate_api.services.versions import pinned_client, pinned_endpoint, provider_then

logger = logging.getLogger(__name__)

#: Seconds between two entries of the log, and between two looks at whether a silent job is cancelled.
LOG_INTERVAL, CANCEL_INTERVAL = 0.1, 1.0


def work_on(job_id: UUID) -> bool:
    """Try the job once, if it is due and nobody else's; whether it was. What workers call, as often as they like."""
    job = _claimed(job_id)
    if job is None:
        return False
    attempt = Attempt(job)
    leases.keeper.keep(attempt)
    try:
        with at_depth(job.depth), letting_write():
            attempt.work()
    finally:
        leases.keeper.drop(attempt)
        forget_revealed()
    return True


def _claimed(job_id: UUID) -> Job | None:
    job = claim_job(job_id)
    if job is not None:
        return job
    early = Job.objects.filter(pk=job_id, status__in=Job.WAITING, not_before__gt=Now()).first()
    if early is not None and early.enqueued_at is not None:
        # The queue's clock is ahead of the database's.
        enqueue(early, delay=1.0)
    return None


class LeaseLost(Exception):
    """The job is another attempt's by now, or has ended; nothing more of this one may be stored."""


class Attempt:
    """One attempt at a job that this process holds. Everything it stores depends on its still being held."""

    def __init__(self, job: Job) -> None:
        self.job, self.execution = job, job.execution
        self._steps = list(self.execution.steps)
        self._cancelled, self._looked = False, time.monotonic()

    @classmethod
    def renew_all(cls, leases: Sequence["Attempt"]) -> None:
        """Hold these jobs for longer, all but those whose row is locked: who stores something renews the lease too."""
        held = Job.objects.filter(pk__in=[attempt.job.pk for attempt in leases], status=Job.Status.RUNNING)
        with writing(), transaction.atomic():
            mine = held.filter(token__in=[attempt.job.token for attempt in leases])
            unlocked = mine.select_for_update(skip_locked=True).values("pk")
            Job.objects.filter(pk__in=unlocked).update(leased_until=lease_end())

    @property
    def held(self) -> Any:
        """The job's row, if it is still this attempt's."""
        return Job.objects.filter(pk=self.job.pk, token=self.job.token, status=Job.Status.RUNNING)

    def work(self) -> None:
        """Run the job and store how the attempt ended; nothing is stored where the job is no longer held."""
        try:
            run = self._prepared()
            log = LogRedactor(run.secrets)
            relay(run, lambda events: self._log(log, events), every=LOG_INTERVAL)
            self._store(run, log.rest())
        except AutomateError as exc:
            self._fail(exc)
        except LeaseLost:
            logger.warning("Job %s was taken over by another worker.", self.job.pk)
        except Error as exc:
            # The lease runs out, and the reaper decides.
            logger.error("How job %s ended could not be stored: %s", self.job.pk, type(exc).__name__)

    def _prepared(self) -> Run:
        """The run of what the caller sent, on the endpoint or the LLM client as it was then.

        Raises:
            AutomateError: what it ran is gone, switched off, or no longer set up.
        """
        execution, sent = self.execution, self._sent()
        if execution.endpoint_version is not None:
            execution.endpoint = endpoint = pinned_endpoint(execution)
            execution.llm_client = endpoint.llm_client
        elif execution.runs_client:
            execution.llm_client = pinned_client(execution)
        elif execution.runs_provider:
            execution.provider = provider_then(execution)
        _require_enabled(execution)
        stored = execution.input, execution.params
        execution.input, execution.params = sent["input"], sent["params"]
        try:
            return run_of(
                execution,
                begin=_nothing,
                finish=_nothing,
                stream=True,
                timeout=self.job.timeout_seconds,
                attempt=self.job.attempts,
                remember=self._remember,
                artifacts=RunArtifacts(execution, job=self.job, holding=self._holding),
            )
        finally:
            execution.input, execution.params = stored

    def _sent(self) -> Any:
        with encrypting():
            return json.loads(self.job.request.reveal())

    # -- while it runs -----------------------------------------------------------------------------------------------

    def _log(self, log: LogRedactor, events: list[RunEvent]) -> bool:
        """Append to the log what may be stored of `events`; False where the run is to stop."""
        # That it has started was logged when it was claimed.
        news = log.redacted([event for event in events if event.type is not EventType.STARTED])
        if not news:
            return not self._is_cancelled(every=CANCEL_INTERVAL)
        if self._append(self.held.filter(cancel_requested_at__isnull=True), news):
            self._looked = time.monotonic()
            return True
        self._append(self.held, news)
        return False

    def _append(self, held: Any, events: list[RunEvent]) -> bool:
        progress = [event.data for event in events if event.type is EventType.PROGRESS]
        columns = {"leased_until": lease_end(), **({"progress": progress[-1]} if progress else {})}
        last = self.job.last_event
        with writing(), transaction.atomic():
            if not append_events(held, self.job, events, columns, secrets=None, last=last):
                return False
        self.job.last_event = last + len(events)
        return True

    def _is_cancelled(self, *, every: float) -> bool:
        if not self._cancelled and time.monotonic() - self._looked >= every:
            self._looked = time.monotonic()
            self._cancelled = not self.held.filter(cancel_requested_at__isnull=True).exists()
        return self._cancelled

    def _remember(self, key: str, function: Callable[[], Any]) -> Any:
        """Call `function` in the transaction that notes the step, unless an attempt before has."""
        with self._holding():
            done = JobStep.objects.filter(job=self.job, key=key).first()
            if done is not None:
                return done.result
            step = JobStep.objects.create(job=self.job, key=key, result=function())
        step.refresh_from_db(fields=["result"])
        return step.result

    @contextmanager
    def _holding(self) -> Iterator[None]:
        """A transaction in which the job's row is locked: nobody takes it over, and no other call holds it meanwhile.

        Raises:
            RunCancelled: somebody has taken it over before.
        """
        with writing(), transaction.atomic():
            if not self.held.update(leased_until=lease_end()):
                raise RunCancelled
            yield
            # What was done may have taken longer than a lease, and nobody could renew it meanwhile.
            self.held.update(leased_until=lease_end())

    # -- how it ends -------------------------------------------------------------------------------------------------

    def _store(self, run: Run, rest: list[RunEvent]) -> None:
        """Store how the attempt ended, after `rest` of what it said."""
        delay = self._delay_after(run)
        if delay is not None:
            if self._store_retry(run, rest, delay):
                enqueue(self.job, delay=delay)
                return
            # Somebody wants no further attempt.
            run.end = RunEvent(EventType.CANCELLED, {"partial": "".join(run.text)})
        try:
            self._store_end(run, rest)
        except Error:
            # The answer has been paid for. The connection may be broken, or whoever asked deleted meanwhile.
            close_old_connections()
            self.execution.user_id = self._asker()
            self._store_end(run, rest)
        announce(self.job)

    def _store_end(self, run: Run, rest: list[RunEvent]) -> None:
        def store() -> RunEvent:
            end = end_held_job(self.job, end_of(run), secrets=run.secrets, rest=rest)
            if end is None:
                raise LeaseLost
            Recorder(self.execution).store_end(run, steps=self._steps)
            return end

        end_job(self.job, store)

    def _asker(self) -> Any:
        return Execution.objects.filter(pk=self.execution.pk).values_list("user", flat=True).first()

    def _delay_after(self, run: Run) -> float | None:
        """Seconds to the next attempt; None where this was the last."""
        if not _is_worth_another_try(run) or self.job.attempts >= self.job.max_attempts:
            return None
        asked: float = getattr(run.error, "retry_after", None) or 0.0
        return max(asked, backoff(self.job.attempts))

    def _store_retry(self, run: Run, rest: list[RunEvent], delay: float) -> bool:
        """Give the job back for another attempt; False where it is to be cancelled, or no longer held."""
        code = str(run.error.code) if run.error else ""
        data = {"attempt": self.job.attempts + 1, "after_seconds": round(delay, 3), "code": code}
        columns = {"status": Job.Status.RETRYING, "token": None, **due_in(delay)}
        wanted = self.held.filter(cancel_requested_at__isnull=True)
        with writing(), transaction.atomic():
            retry = RunEvent(EventType.RETRY, data)
            events = [*rest, retry]
            if not append_events(wanted, self.job, events, {**columns, "leased_until": None}, secrets=None):
                return False
            steps = [*self._steps, *redact(run.steps, run.secrets, also=storable)]
            Execution.objects.filter(pk=self.execution.pk).update(status=Execution.Status.QUEUED, steps=steps)
        return True

    def _fail(self, exc: AutomateError) -> None:
        if end_job(self.job, partial(end_without_run, self.held, self.job, error_event(exc))):
            announce(self.job)


def _is_worth_another_try(run: Run) -> bool:
    if isinstance(run.error, RunTimeout):
        # What begins from the beginning would not be ready in time either.
        return run.capability.resumes
    return run.error is not None and run.error.is_worth_another_try


def _require_enabled(execution: Execution) -> None:
    """What was switched off meanwhile is not called any more."""
    endpoint, client = execution.endpoint, execution.llm_client
    provider = client.provider if client is not None else execution.provider if execution.runs_provider else None
    if (endpoint is not None and not endpoint.enabled) or (provider is not None and not provider.enabled):
        raise Conflict(_("The endpoint or its provider is switched off."))


def backoff(attempts: int) -> float:
    """Seconds to wait after so many attempts: doubling, and some more by chance so that not all come back at once."""
    jitter = random.uniform(0, settings.job_jitter)  # noqa: S311 - not a secret
    return float(settings.job_backoff * 2 ** (attempts - 1) + jitter)


def _nothing(run: Run) -> None:
    """Attempts store what happens themselves."""

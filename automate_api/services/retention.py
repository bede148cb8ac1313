"""What is kept of jobs that have ended, of prompt logs and of deleted LLM clients, and for how long."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from automate_api.conf import settings
from automate_api.models import Endpoint, Execution, Job, JobEvent, LLMClient, PromptLog
from automate_api.services.leases import from_now
from automate_api.services.recording import writing


def count_jobs() -> int:
    """How many ended jobs have been kept for `AUTOMATE_API_JOB_RETENTION`."""
    return int(_expired_jobs().count())


def prune_jobs(*, batch: int = 1000) -> Iterator[int]:
    """Delete ended jobs that have been kept for long enough, with their events and steps; executions stay.

    Yields how many, batch by batch. A batch of jobs is as small as its events are many.
    """
    while chosen := list(_expired_jobs().order_by("finished_at").values_list("pk", flat=True)[: batch // 10 or 1]):
        with writing(), transaction.atomic():
            _deleted, by_model = Job.objects.filter(pk__in=chosen).delete()
        yield by_model.get(Job._meta.label, 0)  # noqa: SLF001 - Django's public _meta


def count_events() -> int:
    """How many events have been kept for `AUTOMATE_API_JOB_EVENT_RETENTION` after their jobs' ends."""
    return int(_expired_events().count())


def prune_events(*, batch: int = 1000) -> Iterator[int]:
    """Delete events of jobs that ended long enough ago, but for the terminal ones; yields how many, batch by batch."""
    while chosen := list(_expired_events().values_list("pk", flat=True)[:batch]):
        with writing():
            deleted, _by_model = JobEvent.objects.filter(pk__in=chosen).delete()
        yield deleted


def count_prompt_logs(*, older_than: timedelta) -> int:
    """How many prompt logs, of all tenants, are at least so old."""
    return int(_old_prompt_logs(older_than).count())


def prune_prompt_logs(*, older_than: timedelta, batch: int = 500) -> Iterator[int]:
    """Delete prompt logs that are at least so old, the oldest first; yields how many, batch by batch.

    Executions stay, with what they say of input and output.
    """
    old = _old_prompt_logs(older_than).order_by("created_at").values_list("pk", flat=True)
    while chosen := list(old[:batch]):
        with writing():
            deleted, _by_model = PromptLog.objects.filter(pk__in=chosen).delete()
        yield deleted


def _old_prompt_logs(age: timedelta) -> Any:
    return PromptLog.objects.filter(created_at__lte=timezone.now() - age)


def count_llm_clients() -> int:
    """How many deleted LLM clients have been kept for `AUTOMATE_API_LLM_CLIENT_RETENTION`."""
    return int(_expired_llm_clients().count())


def prune_llm_clients(*, batch: int = 1000) -> Iterator[int]:
    """Delete expired LLM clients for good, with their versions and shares; executions and prompt logs stay.

    Yields how many, batch by batch. What has run on them says so no longer, also batch by batch.
    """
    expired = _expired_llm_clients().order_by("deleted_at").values_list("pk", flat=True)
    while chosen := list(expired.all()[: batch // 10 or 1]):
        runs = Execution.objects.filter(llm_client__in=chosen).order_by()
        while found := list(runs.values_list("pk", flat=True)[:batch]):
            with writing():
                Execution.objects.filter(pk__in=found).update(llm_client=None)
        yield _delete_llm_clients(chosen)


def _delete_llm_clients(chosen: list[Any]) -> int:
    with writing(), transaction.atomic():
        # Looked at again under a lock: a longer retention may have had one of them restored meanwhile.
        still = list(_expired_llm_clients().select_for_update().filter(pk__in=chosen).values_list("pk", flat=True))
        _deleted, by_model = LLMClient.objects.filter(pk__in=still).delete()
    return by_model.get(LLMClient._meta.label, 0)  # noqa: SLF001 - Django's public _meta


def _expired_llm_clients() -> Any:
    retention = settings.llm_client_retention
    if retention is None:
        return LLMClient.objects.none()
    # One that an endpoint uses has been deleted behind the services' back, and nothing would delete it for good.
    used = Exists(Endpoint.objects.filter(llm_client=OuterRef("pk")))
    return LLMClient.objects.filter(~used, deleted_at__lte=from_now(-float(retention)))


def _expired_jobs() -> Any:
    # What an app has yet to do with a job's end needs the job.
    return _ended_before(settings.job_retention).filter(continues_at__isnull=True)


def _expired_events() -> Any:
    jobs = _ended_before(settings.job_event_retention)
    # An ended job's last event is its terminal one.
    return JobEvent.objects.filter(job__in=jobs, sequence__lt=F("job__last_event")).order_by("pk")


def _ended_before(retention: float | None) -> Any:
    """Jobs that ended so many seconds ago, by the database's clock."""
    ended = Job.objects.exclude(status__in=Job.UNFINISHED)
    return ended.none() if retention is None else ended.filter(finished_at__lte=from_now(-float(retention)))

"""What is kept of runs that have ended, and for how long."""

from collections.abc import Iterator
from typing import Any

from django.db import transaction

from automate.conf import settings
from automate.models import StepRun, WorkflowRun
from automate_api.models import Execution
from automate_api.services.leases import from_now
from automate_api.services.recording import writing


def count_runs() -> int:
    """How many runs have been kept for `AUTOMATE_WORKFLOW_RUN_RETENTION` after their ends."""
    return int(_expired().count())


def prune_runs(*, batch: int = 1000) -> Iterator[int]:
    """Delete runs that ended long enough ago, with their steps; yields how many, batch by batch.

    Executions, jobs and events of theirs stay. A run may have a million steps, those of iterations, which go before
    it: until it goes itself it can be replayed, from any of its own.
    """
    last = None
    while chosen := _chosen(last, batch // 10 or 1):
        _prune_iterations(chosen, batch)
        with writing(), transaction.atomic():
            # One that somebody is just replaying goes another time: nobody waits here, and so nobody waits in a circle.
            unlocked = WorkflowRun.objects.select_for_update(skip_locked=True).filter(pk__in=chosen)
            runs = list(unlocked.values_list("pk", flat=True))
            _deleted, by_model = WorkflowRun.objects.filter(pk__in=runs).delete()
        last = chosen[-1]
        yield by_model.get(WorkflowRun._meta.label, 0)  # noqa: SLF001 - Django's public _meta


def _chosen(last: Any, most: int) -> list[Any]:
    rows = _expired().order_by("pk").values_list("pk", flat=True)
    return list((rows if last is None else rows.filter(pk__gt=last))[:most])


def _prune_iterations(runs: list[Any], batch: int) -> None:
    steps = StepRun.objects.filter(run__in=runs).exclude(scope="").order_by()
    while chosen := list(steps.values_list("pk", flat=True)[:batch]):
        with writing():
            StepRun.objects.filter(pk__in=chosen).delete()


def _expired() -> Any:
    retention = settings.workflow_run_retention
    if retention is None:
        return WorkflowRun.objects.none()
    ended = WorkflowRun.objects.exclude(status__in=WorkflowRun.UNFINISHED)
    # An execution that has begun one may still wait for it.
    awaited = {"execution__status__in": Execution.UNFINISHED}
    return ended.filter(finished_at__lte=from_now(-float(retention))).exclude(**awaited)

"""The rows of a run's steps, as one transaction makes and changes them, and those that it counts."""

from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.utils import timezone

from automate.models import StepRun, WorkflowRun

#: The type of the row that stands for one item of a for-each.
ITEM = "item"

State = StepRun.Status
ENDED = (State.SUCCEEDED, State.FAILED, State.SKIPPED, State.CANCELLED)

_AT_WORK = (State.RUNNING, State.RETRYING)
_KEPT = ("status", "input", "tries", "execution", "wakes_at", "waits_for")
_AT_AN_END = ("status", "input", "output", "error", "taken", "finished_at", "wakes_at", "waits_for", "user")


class StepRows:
    """Rows of one run, which is locked. New ones are stored together, when somebody asks the database for them.

    By then most steps have ended, and are written once.
    """

    def __init__(self, run: WorkflowRun) -> None:
        self._run = run
        self._new: list[StepRun] = []
        self._tallies: dict[str, Counter[str]] = {}

    def make(self, scope: str, name: str, kind: str) -> StepRun:
        """A new row."""
        row = StepRun(run=self._run, scope=scope, name=name, type=kind)
        self._new.append(row)
        if kind == ITEM and scope in self._tallies:
            self._tallies[scope]["begun"] += 1
        return row

    def keep(self, row: StepRun, status: str) -> None:
        """The step goes on, or waits."""
        row.status = status
        self._store(row, _KEPT)

    def end(self, row: StepRun, status: str) -> None:
        """The step, or item, has ended."""
        row.status, row.finished_at, row.wakes_at, row.waits_for = status, timezone.now(), None, ""
        self._store(row, _AT_AN_END)
        if row.type == ITEM and row.scope in self._tallies:
            self._tallies[row.scope]["ended"] += 1

    def _store(self, row: StepRun, columns: Sequence[str]) -> None:
        if row.pk is not None:
            row.save(update_fields=columns)

    def flush(self) -> None:
        """Store those that are new."""
        new, self._new = self._new, []
        StepRun.objects.bulk_create(new)

    # -- what the database knows -------------------------------------------------------------------------------------

    @property
    def stored(self) -> Any:
        """All rows of the run, to be narrowed."""
        if self._new:
            self.flush()
        return StepRun.objects.filter(run=self._run)

    def items_of(self, loop: StepRun) -> Any:
        """The rows that stand for the items of a for-each."""
        return self.stored.filter(scope=loop.path, type=ITEM)

    def tally(self, loop: StepRun) -> Counter[str]:
        """How many items have `begun`, and how many of them have `ended`. They are counted once for a transaction."""
        if loop.path not in self._tallies:
            states = list(self.items_of(loop).values_list("status", flat=True))
            self._tallies[loop.path] = Counter(begun=len(states), ended=sum(state in ENDED for state in states))
        return self._tallies[loop.path]

    def are_at_work(self) -> bool:
        """Whether a worker is at work on any of them, or soon again."""
        return bool(self.stored.filter(status__in=_AT_WORK).exclude(type__in=("for_each", ITEM)).exists())

    def cancel(self, **where: Any) -> list[UUID]:
        """End those that have not ended; the executions that carry them."""
        unfinished = self.stored.filter(status__in=StepRun.UNFINISHED, **where)
        carriers = list(unfinished.filter(execution__isnull=False).values_list("execution", flat=True))
        unfinished.update(status=State.CANCELLED, finished_at=timezone.now(), wakes_at=None, waits_for="")
        return carriers

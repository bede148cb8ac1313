"""What the expressions of a run see: its event, its steps, and in a for-each the item."""

from collections.abc import Iterable, Iterator
from typing import Any, cast

from automate.models import StepRun, WorkflowRun
from automate.services.plans import plan_of


class Scopes:
    """The steps of a run, read scope by scope, each once, while the run is locked.

    The scope of a definition's own steps is `""`. That of the steps for the fourth item of the for-each `each` is
    `each.3`, which is also the path of the row that stands for the item.
    """

    def __init__(self, run: WorkflowRun) -> None:
        self._run = run
        self._rows: dict[str, dict[str, StepRun]] = {}
        self._single: dict[str, StepRun] = {}

    def rows(self, scope: str) -> dict[str, StepRun]:
        """The rows of the steps of a scope, by their names."""
        if scope not in self._rows:
            self._rows[scope] = {row.name: row for row in self._run.steps.filter(scope=scope)}
        return self._rows[scope]

    def forget(self, beginning: str) -> None:
        """Read the rows again of scopes that begin so. All others stay the very objects that they are."""
        for known in (self._rows, self._single):
            for scope in [scope for scope in known if scope.startswith(beginning)]:
                del known[scope]

    def begin(self, item: StepRun) -> None:
        """Take up the row of an item, whose steps have not begun."""
        self._single[item.path], self._rows[item.path] = item, {}

    def know(self, rows: Iterable[StepRun]) -> None:
        """Take up all the rows that there are of a run that has not begun."""
        self._rows[""] = {row.name: row for row in rows}

    def item(self, scope: str) -> StepRun:
        """The row that stands for the item of a scope within a for-each."""
        if scope not in self._single:
            above, _dot, name = scope.rpartition(".")
            self._single[scope] = self._run.steps.get(scope=above, name=name)
        return self._single[scope]

    def loop(self, scope: str) -> StepRun:
        """The row of the for-each that a scope is within."""
        path = scope.rpartition(".")[0]
        above, _dot, name = path.rpartition(".")
        return self.rows(above)[name]

    def seen(self, scope: str) -> dict[str, Any]:
        """What the expressions of a scope's steps see."""
        run = self._run
        slug = run.workflow.slug if run.workflow is not None else None
        about = {"id": str(run.pk), "workflow": slug, "version": plan_of(run)[1], "depth": run.depth}
        steps = {
            row.name: {"status": row.status, "output": row.output, "error": row.error}
            for outer in _outwards(scope)
            for row in self.rows(outer).values()
            if row.finished_at is not None
        }
        seen = {"event": run.context, "run": about, "steps": steps}
        if scope:
            index, asked = int(scope.rpartition(".")[2]), cast("dict[str, Any]", self.loop(scope).input)
            seen |= {"item": asked["items"][index], "index": index}
        return seen


def _outwards(scope: str) -> Iterator[str]:
    """A scope and those around it, the outermost first."""
    names = scope.split(".") if scope else []
    for length in range(0, len(names) + 1, 2):
        yield ".".join(names[:length])

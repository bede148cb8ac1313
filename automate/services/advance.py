"""A run on its way: from what has just ended to whatever can begin, in one transaction."""

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any
from uuid import UUID

from django.db import Error, transaction
from django.utils import timezone
from django.utils.functional import cached_property

from automate.graph.definition import Node
from automate.models import StepRun, WorkflowRun
from automate.rules import RuleFailed
from automate.services.carriers import cancel_carriers, carry, lull
from automate.services.owners import owner_of_run
from automate.services.plans import Plan, plan_of, type_of
from automate.services.scopes import Scopes
from automate.services.step_rows import ENDED, ITEM, StepRows
from automate.services.stored import error_of, sized, stored
from automate.steps import Done, Execute, Outcome, Repeat, Turn, Wait
from automate_api.events import at_depth
from automate_api.exceptions import (
    AutomateError,
    CacheUnavailable,
    ExpressionFailed,
    InternalError,
    RateLimited,
)
from automate_api.models import Actor
from automate_api.security.redaction import redact_exception
from automate_api.services.attempts import backoff
from automate_api.services.recording import writing

logger = logging.getLogger(__name__)

#: How many items one transaction takes up at most: nobody else of the run writes meanwhile, on SQLite nobody at all.
LOT = 50

State = StepRun.Status

# A plan is made of a version once.
_UNREAD = ("workflow__definition", "workflow__secrets", "version__definition")

# What may be otherwise a little later, though nothing has been tried.
_PASSING = (RateLimited, CacheUnavailable)


class Advance:
    """One run, whose row is locked, and what is to be done with it before the transaction ends.

    What can go on is put into a queue: a long chain of steps that end at once is no deep recursion.
    """

    def __init__(self, run: WorkflowRun) -> None:
        self.run = run
        self._queue: deque[tuple[str, Callable[[], None]]] = deque()
        self._broken: list[str] = []
        self._left: list[UUID] = []
        self._taken_up = 0
        self._put_off: set[str] = set()
        self._rows, self._status_before, self._has_work = StepRows(run), run.status, False

    @classmethod
    @contextmanager
    def of(cls, run_id: UUID) -> Iterator["Advance"]:
        """Lock the run, and when the block has ended, begin whatever can begin. Of a run that has ended, nothing can.

        Raises:
            WorkflowRun.DoesNotExist: it has been deleted.
        """
        runs = WorkflowRun.objects.select_related("workflow", "version").defer(*_UNREAD)
        with writing(), transaction.atomic():
            advance = cls(runs.select_for_update(of=("self",)).get(pk=run_id))
            if advance.run.version_id is None and not advance.is_over:
                # Deleted with its workflow, in the very moment in which the run began.
                advance.end_run(WorkflowRun.Status.CANCELLED)
            yield advance
            advance.go_on()

    def begin(self) -> None:
        """Begin a run that was stored in this very transaction."""
        self.soon("", self.begin_ready)
        self.go_on()

    @property
    def is_over(self) -> bool:
        """Whether the run has ended."""
        return self.run.status not in WorkflowRun.UNFINISHED

    @cached_property
    def scopes(self) -> Scopes:
        """The rows of the run's steps."""
        return Scopes(self.run)

    def go_on(self) -> None:
        """Begin what can begin, until nothing more can for now, and store how the run stands."""
        try:
            with at_depth(self.run.depth):
                while self._queue and not self.is_over:
                    scope, function = self._queue.popleft()
                    if not scope.startswith(tuple(self._broken)):
                        function()
        except AutomateError as exc:
            # The definition cannot be followed any more: an app has gone, say, that brought one of its steps.
            self.fail_run(exc)
        self._rows.flush()
        if not self.is_over:
            is_at_work = self._has_work or self._rows.are_at_work()
            self.run.status = WorkflowRun.Status.RUNNING if is_at_work else WorkflowRun.Status.WAITING
        if self.run.status != self._status_before:
            self.run.save(update_fields=["status", "output", "error", "finished_at"])
        cancel_carriers(self._left)

    def soon(self, scope: str, function: Callable[[], None]) -> None:
        """Call `function` when its turn has come, unless what the scope is part of has failed by then."""
        self._queue.append((scope, function))

    # -- a step begins -----------------------------------------------------------------------------------------------

    def begin_ready(self, scope: str = "") -> None:
        """Begin the steps of a scope whose turn has come and that have not begun."""
        for node in self._plan(scope).nodes.values():
            self._consider(scope, node)

    def _consider(self, scope: str, node: Node) -> None:
        """Begin `node`, or skip it, where every way to it is settled."""
        rows = self.scopes.rows(scope)
        before = [rows.get(name) for name in self._plan(scope).before[node.name]]
        if node.name in rows or any(row is None or row.status not in ENDED for row in before):
            return
        is_wanted = not before or any(row is not None and node.name in row.taken for row in before)
        rows[node.name] = row = self._rows.make(scope, node.name, node.type)
        if is_wanted:
            self.soon(scope, partial(self.attempt, row))
        else:
            self._rows.end(row, State.SKIPPED)
            self.soon(scope, partial(self._follow, row))

    def attempt(self, row: StepRun) -> None:
        """The step's turn has come, perhaps again."""
        node = self.node(row)
        try:
            turn = self._turn(row, node)
            row.input = stored(turn.settings)
            outcome = type_of(node).begin(turn)
            self._take(row, node, turn, outcome)
        except AutomateError as exc:
            self._fail_or_retry(row, node, exc)
        except RuleFailed as exc:
            self.fail(row, ExpressionFailed(exc.message))
        except Error:
            # Nothing more can be stored in this transaction.
            raise
        except Exception as exc:  # noqa: BLE001 - a host's step raises anything, and the run ends all the same
            logger.error("The step %s of run %s has failed: %s", row.path, self.run.pk, redact_exception(exc))
            self.fail(row, InternalError())

    def _turn(self, row: StepRun, node: Node) -> Turn:
        seen = self.scopes.seen(row.scope)
        settings = self._plan(row.scope).settings_of(node, seen)
        return Turn(
            key=f"{self.run.pk}:{row.path}",
            settings=settings.values,
            computed=settings.computed,
            secrets=settings.secrets,
            scope=seen,
            actor=self._owner,
            correlation_id=self.run.correlation_id,
        )

    def _take(self, row: StepRun, node: Node, turn: Turn, outcome: Outcome) -> None:
        if isinstance(outcome, Done):
            self.succeed(row, outcome.output, taken=outcome.taken)
        elif isinstance(outcome, Repeat):
            row.input = stored({**turn.settings, "items": list(outcome.items), "parallel": outcome.parallel})
            self._rows.keep(row, State.RUNNING)
            self.soon(row.scope, partial(self.iterate, row))
        elif isinstance(outcome, Wait):
            row.wakes_at, row.waits_for = outcome.until, outcome.pattern
            if outcome.until is not None:
                seconds = (outcome.until - timezone.now()).total_seconds()
                row.execution_id = lull(self.run, seconds=seconds)
            self._rows.keep(row, State.WAITING)
        else:
            own = outcome.execution if isinstance(outcome, Execute) else None
            row.execution_id = carry(self.run, node, turn, path=row.path, execution=own)
            self._rows.keep(row, State.RUNNING)
            self._has_work = True

    def _fail_or_retry(self, row: StepRun, node: Node, exc: AutomateError) -> None:
        if row.tries >= node.retries or not (exc.is_worth_another_try or isinstance(exc, _PASSING)):
            self.fail(row, exc)
            return
        row.tries += 1
        asked = getattr(exc, "retry_after", None) or 0.0
        row.execution_id = lull(self.run, seconds=max(asked, backoff(row.tries)))
        self._rows.keep(row, State.RETRYING)
        self._has_work = True

    # -- a step ends -------------------------------------------------------------------------------------------------

    def succeed(self, row: StepRun, output: Any, *, taken: Sequence[str] | None = None) -> None:
        """The step has ended well, and leads to `taken`, by default to all of its `next`."""
        try:
            row.output = sized(stored(output))
        except AutomateError as exc:
            self.fail(row, exc)
            return
        row.taken = list(self.node(row).next if taken is None else taken)
        self._rows.end(row, State.SUCCEEDED)
        self.soon(row.scope, partial(self._follow, row))

    def fail(self, row: StepRun, error: AutomateError) -> None:
        """The step has failed, and leads to its `on_error`; without one, all that it is part of has failed."""
        self.fail_with(row, error_of(error))

    def fail_with(self, row: StepRun, error: dict[str, Any]) -> None:
        """The same, with the error as `{code, detail}`."""
        handler = self.node(row).on_error
        row.error, row.taken = error, [handler] if handler else []
        self._rows.end(row, State.FAILED)
        going_on = partial(self._follow, row) if handler else partial(self._break_off, row.scope, error, row.path)
        self.soon(row.scope, going_on)

    def _follow(self, row: StepRun) -> None:
        """Consider what comes after the step; after the last, its scope has ended."""
        plan, rows = self._plan(row.scope), self.scopes.rows(row.scope)
        for name in plan.after[row.name]:
            self._consider(row.scope, plan.nodes[name])
        if all(name in rows and _is_settled(rows[name], node) for name, node in plan.nodes.items()):
            self._complete(row.scope, plan)

    # -- a scope ends ------------------------------------------------------------------------------------------------

    def _complete(self, scope: str, plan: Plan) -> None:
        item = self.scopes.item(scope) if scope else None
        if item is not None and item.status in ENDED:
            return
        try:
            output = sized(stored(plan.output(self.scopes.seen(scope))))
        except AutomateError as exc:
            self._break_off(scope, error_of(exc), scope)
            return
        if item is None:
            self.end_run(WorkflowRun.Status.SUCCEEDED, output=output)
        else:
            item.output = output
            self._rows.end(item, State.SUCCEEDED)
            self.soon(scope, partial(self.iterate, self.scopes.loop(scope)))

    def _break_off(self, scope: str, error: dict[str, Any], path: str) -> None:
        """A scope has failed, and with it what it is part of."""
        error = {"step": path, **error}
        if not scope:
            self.end_run(WorkflowRun.Status.FAILED, error=error)
            return
        item, loop = self.scopes.item(scope), self.scopes.loop(scope)
        if item.status in ENDED or loop.status in ENDED:
            return
        item.error = error
        self._rows.end(item, State.FAILED)
        self.leave_items(loop)
        self.fail_with(loop, error)

    def leave_items(self, loop: StepRun) -> None:
        """Whatever goes on for the items of a for-each ends here, and nothing more begins."""
        within = f"{loop.path}."
        self._left += self._rows.cancel(scope=loop.path)
        self._left += self._rows.cancel(scope__startswith=within)
        self._broken.append(within)
        self._has_work = False
        self.scopes.forget(within)

    def end_run(self, status: str, *, output: Any = None, error: dict[str, Any] | None = None) -> None:
        """The run has ended."""
        self.run.status, self.run.output, self.run.error = status, output, error
        self.run.finished_at = timezone.now()
        if status != WorkflowRun.Status.SUCCEEDED:
            # Of one that has succeeded, every step has ended.
            self._left += self._rows.cancel()

    def fail_run(self, error: AutomateError) -> None:
        """The run has failed as a whole, through none of its steps."""
        self.end_run(WorkflowRun.Status.FAILED, error=error_of(error))

    def let_go(self, row: StepRun) -> None:
        """What carries the step need not go on: it has ended otherwise."""
        if row.execution_id is not None:
            self._left.append(row.execution_id)

    # -- for each item -----------------------------------------------------------------------------------------------

    def iterate(self, loop: StepRun) -> None:
        """Take up as many items as may run at once; after the last, the loop has ended."""
        if loop.status in ENDED:
            return
        asked: Any = loop.input
        items, parallel = asked["items"], asked["parallel"]
        tally = self._rows.tally(loop)
        if tally["ended"] == len(items):
            outputs = dict(self._rows.items_of(loop).values_list("name", "output"))
            self.succeed(loop, [outputs[str(index)] for index in range(len(items))])
            return
        for index in range(tally["begun"], min(len(items), tally["ended"] + parallel)):
            if self._taken_up == LOT:
                self._put_off_rest(loop)
                return
            self._take_up(loop, index)

    def _take_up(self, loop: StepRun, index: int) -> None:
        self._taken_up += 1
        item = self._rows.make(loop.path, str(index), ITEM)
        self.scopes.begin(item)
        self.begin_ready(item.path)

    def _put_off_rest(self, loop: StepRun) -> None:
        if loop.path not in self._put_off:
            self._put_off.add(loop.path)
            loop.execution_id = lull(self.run)
            self._rows.keep(loop, State.RUNNING)

    # -- what is asked for again and again ---------------------------------------------------------------------------

    @cached_property
    def _owner(self) -> Actor:
        return owner_of_run(self.run)

    def _plan(self, scope: str) -> Plan:
        return plan_of(self.run)[0].within(scope)

    def node(self, row: StepRun) -> Node:
        """What the definition says of the step."""
        return self._plan(row.scope).nodes[row.name]


def _is_settled(row: StepRun, node: Node) -> bool:
    """Whether the step has ended, and if it has failed, something takes care of that."""
    return row.status in ENDED and (row.status != State.FAILED or bool(node.on_error))

"""Workflows of the host whose workers are killed: they are made, begun and looked at here."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.db.models import Exists, OuterRef, Q

from automate.models import StepRun, Trigger, Workflow, WorkflowRun, WorkflowVersion
from automate.services.waits import decide_step
from automate.steps.emit import SOURCE
from automate_api.models import Actor, Event, Job
from automate_api.services.events import ingest
from tests.factories import make_user

TENANT = "default"
#: What each of a run's steps does elsewhere, each time under a key of its own.
EFFECTS = {"long": ("first", "second", "third"), "asking": ("before", "after")}


def step(name: str, kind: str, then: str = "", **settings: Any) -> dict[str, Any]:
    """A step that is tried often enough for a worker that is killed again and again; `then` names those after it."""
    return {"name": name, "type": kind, "with": settings, "next": then.split(), "retries": 10}


def call(url: str, name: str, then: str = "", method: str = "POST") -> dict[str, Any]:
    """A step that does something elsewhere."""
    body = {"run": {"path": "$.run.id"}, "n": {"path": "$.event.payload.n"}}
    return step(name, "http", then, method=method, url=f"{url}/{name}", body=body)


def long(url: str) -> dict[str, Any]:
    """Twelve steps: two ways beside each other, one of which branches, and the other of which runs for each item."""
    odd = {"when": "event.payload.n % 2 == 1", "next": "odd"}
    body = [step("double", "set", "note", values={"n": {"cel": "item * 2"}})]
    body.append(step("note", "emit", event="flow.item", payload={"n": {"path": "$.steps.double.output.n"}}))
    steps = [
        step("start", "set", "first each", values={"n": {"path": "$.event.payload.n"}}),
        call(url, "first", "choose"),
        {**step("choose", "branch", cases=[odd], otherwise="even"), "next": []},
        step("even", "set", "gather", values={"way": "even"}),
        step("odd", "wait", "gather", seconds=0.2),
        step("each", "for_each", "tell", items=[1, 2, 3], steps=body, parallel=2, output={"cel": "item"}),
        step("tell", "emit", "gather", event="flow.told", payload={"n": {"path": "$.event.payload.n"}}),
        step("gather", "set", "pause", values={"items": {"path": "$.steps.each.output"}}),
        step("pause", "wait", "second third", seconds=0.2),
        call(url, "second", "end", method="PUT"),
        call(url, "third", "end"),
        step("end", "set", values={"sum": {"cel": "steps.second.output.body.n + steps.third.output.body.n"}}),
    ]
    return {"steps": steps, "output": {"path": "$.steps.end.output.sum"}}


def asking(url: str) -> dict[str, Any]:
    """Two ways beside each other, one of which somebody decides and the other of which waits for an event, or not."""
    awaited = {"type": "flow.news", "where": "received.payload.n == event.payload.n"}
    steps = [
        call(url, "before", "ask wait"),
        {**step("ask", "approval", "after"), "on_error": "refused"},
        step("wait", "wait", "after", event=awaited, timeout=2),
        step("refused", "set", values={}),
        call(url, "after"),
    ]
    return {"steps": steps, "output": {"path": "$.steps.ask.status"}}


def echo(_url: str) -> dict[str, Any]:
    """One step, for what another workflow has told."""
    return {"steps": [step("only", "set", values={"n": {"path": "$.event.payload.n"}})]}


def make_flows(url: str) -> None:
    """The workflows, each with what starts it."""
    owner = make_user(username="owner", is_staff=True)
    for make, pattern in ((long, "flow.begin"), (asking, "flow.ask"), (echo, "flow.told")):
        own = {"tenant_id": TENANT, "name": make.__name__}
        workflow = Workflow.objects.create(**own, slug=make.__name__, owner=owner, definition=make(url))
        WorkflowVersion.objects.create(workflow=workflow, version=1, definition=workflow.definition)
        Trigger.objects.create(**own, workflow=workflow, kind=Trigger.Kind.EVENT, pattern=pattern)


def begin_flows(kind: str, numbers: list[int]) -> None:
    """An event for each of `numbers`, which starts a run."""
    tell([{"type": kind, "source": "test", "payload": {"n": n}, "idempotency_key": f"{kind}-{n}"} for n in numbers])


def tell(events: list[dict[str, Any]]) -> None:
    """Take events in, as whoever may do so."""
    actor = Actor(user=Workflow.objects.earliest("pk").owner, tenant_id=TENANT)
    ingest(events, actor=actor, correlation_id="c")


def flows() -> dict[str, int]:
    """How many runs there are of each workflow and status."""
    pairs = WorkflowRun.objects.values_list("workflow__slug", "status")
    return {f"{slug} {status}": number for (slug, status), number in sorted(Counter(pairs).items())}


def flows_in_flight() -> int:
    """How many runs have not ended."""
    return int(WorkflowRun.objects.filter(status__in=WorkflowRun.UNFINISHED).count())


def flows_ended(slug: str) -> int:
    """How many runs of this workflow have."""
    return int(WorkflowRun.objects.exclude(status__in=WorkflowRun.UNFINISHED).filter(workflow__slug=slug).count())


def steps_ended() -> int:
    """How many steps of all runs have."""
    return int(StepRun.objects.exclude(status__in=StepRun.UNFINISHED).count())


def approve_all() -> int:
    """Say yes to whatever asks; how many did."""
    actor = Actor(user=Workflow.objects.earliest("pk").owner, tenant_id=TENANT)
    asked = StepRun.objects.filter(type="approval", status=StepRun.Status.WAITING).select_related("run")
    return len([decide_step(row.run, row.path, actor=actor, approved=True) for row in asked])


def stuck() -> list[str]:
    """Runs that will never end by themselves, though nobody is asked anything. One statement, true at any moment."""
    carrying = Job.objects.filter(execution=OuterRef("execution"))
    goes_on = carrying.filter(Q(status__in=Job.UNFINISHED) | Q(continues_at__isnull=False))
    unfinished = StepRun.objects.filter(run=OuterRef("pk"), status__in=StepRun.UNFINISHED)
    asked = Q(type="approval", status=StepRun.Status.WAITING)
    moving = unfinished.filter(asked | Exists(goes_on))
    runs = WorkflowRun.objects.filter(~Exists(moving), status__in=WorkflowRun.UNFINISHED)
    return [str(pk) for pk in runs.values_list("pk", flat=True)]


def keys_of_effects() -> dict[str, list[str]]:
    """The keys under which runs may have done something elsewhere, and of those that have succeeded: must."""
    may, must = [], []
    for pk, slug, status in WorkflowRun.objects.values_list("pk", "workflow__slug", "status"):
        steps = {row.name: row.status for row in StepRun.objects.filter(run=pk, type="http")}
        may += [f"{pk}:{name}" for name in EFFECTS.get(slug, ())]
        must += [f"{pk}:{name}" for name, state in steps.items() if state == "succeeded"]
        if status == "succeeded" and slug == "long" and set(steps.values()) != {"succeeded"}:
            must.append(f"{pk}: has succeeded without {steps}")
    return {"may": may, "must": must}


def flow_faults() -> list[str]:
    """Everything about the runs that must not be, once all is quiet."""
    return [*_faults_of_runs(), *_faults_of_events(), *_faults_of_carriers()]


def _faults_of_runs() -> Iterator[str]:
    for run in WorkflowRun.objects.select_related("workflow").prefetch_related("steps"):
        steps = {row.path: row for row in run.steps.all()}
        slug = run.workflow.slug
        if any(row.status in StepRun.UNFINISHED for row in steps.values()):
            yield f"{slug} {run.pk} is {run.status} with { ({path: row.status for path, row in steps.items()}) }"
        if run.status == "succeeded" and slug == "long":
            yield from (f"long {run.pk} {fault}" for fault in _faults_of_long(run, steps))


def _faults_of_long(run: WorkflowRun, steps: dict[str, StepRun]) -> Iterator[str]:
    items = [f"each.{index}{rest}" for index in range(3) for rest in ("", ".double", ".note")]
    if set(steps) != {step["name"] for step in run.workflow.definition["steps"]} | set(items):
        yield f"has the steps {sorted(steps)}"
    n = run.context["payload"]["n"]
    skipped = {path for path, row in steps.items() if row.status == "skipped"}
    if skipped != {"even" if n % 2 else "odd"} or {row.status for row in steps.values()} != {"succeeded", "skipped"}:
        yield f"ended with { ({path: row.status for path, row in steps.items()}) }"
    if run.output != 2 * n:
        yield f"gives {run.output} for {n}"


def _faults_of_events() -> Iterator[str]:
    """An event of a trigger's type starts one run; a step emits one event; no other is of a workflow's."""
    wanted = {"flow.begin": "long", "flow.ask": "asking", "flow.told": "echo"}
    begun = Counter(WorkflowRun.objects.values_list("event", "workflow__slug"))
    for pk, kind in Event.objects.filter(type__in=wanted).values_list("pk", "type"):
        if begun[pk, wanted[kind]] != 1:
            yield f"{pk} has started {wanted[kind]} {begun[pk, wanted[kind]]} times"
    emitted = Counter(Event.objects.filter(source=SOURCE).values_list("idempotency_key", flat=True))
    keys = {"succeeded": set[str](), "cancelled": set[str]()}
    for row in StepRun.objects.filter(type="emit", status__in=keys):
        keys[row.status].add(f"{row.run_id}:{row.path}")
    yield from (f"{key} is stored {number} times" for key, number in emitted.items() if number != 1)
    yield from (f"{key} is not stored" for key in keys["succeeded"] - emitted.keys())
    # One that was cancelled may have done it just before.
    stray = emitted.keys() - keys["succeeded"] - keys["cancelled"]
    yield from (f"{key} is stored, and its step has not succeeded" for key in stray)


def _faults_of_carriers() -> Iterator[str]:
    owing = Job.objects.filter(continues_at__isnull=False)
    yield from (f"{pk} has not been continued" for pk in owing.values_list("pk", flat=True))
    yield from (f"{job.pk} is {job.status}" for job in Job.objects.unfinished())
    for row in StepRun.objects.filter(execution__isnull=False).select_related("execution"):
        if row.execution.status in ("queued", "running"):
            yield f"{row.path} of {row.run_id} is {row.status}, carried by what is {row.execution.status}"

"""`python -m tests.hosts.jobs.control`: makes jobs and looks at them, one command a line, as JSON both ways."""

import json
import os
import sys
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.hosts.jobs.settings")
django.setup()

from django.conf import settings  # noqa: E402 - after Django is set up
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from automate_api.engine.events import TERMINAL, EventType  # noqa: E402
from automate_api.models import Actor, Endpoint, Event, Job  # noqa: E402
from automate_api.services.api_keys import issue_key  # noqa: E402
from automate_api.services.jobs import create_job  # noqa: E402
from automate_api.services.runs import prepare_execution  # noqa: E402
from tests.factories import make_user  # noqa: E402
from tests.hosts.jobs import flows  # noqa: E402
from tests.hosts.jobs.models import Effect, Handled  # noqa: E402

TASK_TYPES = ["test.steps", "test.events"]
#: Type → the handlers that are called with its events.
HANDLERS = {"order.paid": ("note", "stumble"), "order.sent": ("note",)}


def setup() -> None:
    """Make the tables and an endpoint."""
    call_command("migrate", verbosity=0, run_syncdb=True)
    Endpoint.objects.create(tenant_id="default", slug="jobs", name="jobs", task_types=TASK_TYPES)


def make(jobs: int, **given: Any) -> None:
    """Make so many jobs of the input `given`, which says what they do."""
    endpoint = Endpoint.objects.get()
    actor = Actor(user=make_user(username=os.urandom(8).hex()), tenant_id="default")
    for _number in range(jobs):
        kind = "test.events" if "count" in given else "test.steps"
        create_job(prepare_execution(endpoint, actor=actor, correlation_id="c", input=given, task_type=kind))


def key() -> str:
    """An API key that may write events."""
    user = make_user(username=os.urandom(8).hex())
    return issue_key(tenant_id="default", user=user, name="events", scopes=["events:write"])[1]


def unfinished() -> int:
    """How many jobs have not ended."""
    count: int = Job.objects.unfinished().count()
    return count


def statuses() -> dict[str, int]:
    """How many jobs there are of each status."""
    return dict(Counter(Job.objects.values_list("status", flat=True)))


def faults() -> list[str]:
    """Everything about the jobs that must not be."""
    found = [f"{path.stem} was at work twice at once" for path in Path(settings.FOLDER).glob("*.overlap")]
    effects = Counter(Effect.objects.values_list("run", "key"))
    found += [f"{run} has done {key} {times} times" for (run, key), times in effects.items() if times > 1]
    for job in Job.objects.select_related("execution").prefetch_related("events"):
        mine = {key for run, key in effects if run == job.execution_id}
        found += [f"{job.pk} {fault}" for fault in _faults_of(job, mine)]
    return found


def _faults_of(job: Job, done: set[str]) -> list[str]:
    events = sorted(job.events.all(), key=lambda event: event.sequence)
    kinds = [EventType(event.type) for event in events]
    ended = {"succeeded": EventType.FINAL, "failed": EventType.ERROR, "cancelled": EventType.CANCELLED}
    steps = {f"step-{number}" for number in range(job.execution.input.get("steps", 0))}
    checks = {
        f"is {job.status}": job.status in ended,
        f"has an execution that is {job.execution.status}": job.execution.status == job.status,
        "has gaps in its sequence": [event.sequence for event in events] == list(range(1, job.last_event + 1)),
        "has not one terminal event": sum(kind in TERMINAL for kind in kinds) == 1,
        "does not end with its terminal event": kinds[-1] is ended.get(job.status),
        "keeps what was sent": not job.request,
        "has done other steps than it should": done == steps if job.status == "succeeded" else done <= steps,
        "has not begun as often as it was tried": kinds.count(EventType.RETRY) <= job.attempts,
    }
    return [fault for fault, holds in checks.items() if not holds]


def events(prefix: str = "") -> list[tuple[str, str | None]]:
    """The id and the key of every event, or of those whose key begins so."""
    rows = Event.objects.filter(idempotency_key__startswith=prefix) if prefix else Event.objects.all()
    return [(str(pk), known_as) for pk, known_as in rows.values_list("pk", "idempotency_key")]


def event_faults() -> list[str]:
    """Handlers that were not called once with an event of theirs, or with another's."""
    called = Counter(Handled.objects.values_list("event", "handler"))
    wanted = {(pk, name) for pk, kind in Event.objects.values_list("pk", "type") for name in HANDLERS.get(kind, ())}
    found = [f"{name} was called {times} times with {pk}" for (pk, name), times in called.items() if times > 1]
    found += [f"{name} was not called with {pk}" for pk, name in wanted - called.keys()]
    return found + [f"{name} was called with {pk}" for pk, name in called.keys() - wanted]


def waits(kills: list[float]) -> list[float]:
    """The longest silence of each job in seconds: from an event, or the last kill after it, to the next event."""
    return [
        max(_silence(before.created_at.timestamp(), after.created_at.timestamp(), kills) for before, after in pairs)
        for job in Job.objects.prefetch_related("events")
        if (pairs := list(pairwise(sorted(job.events.all(), key=lambda event: event.sequence))))
    ]


def _silence(begin: float, end: float, kills: list[float]) -> float:
    return end - max([begin, *(moment for moment in kills if moment < end)])


def attempts() -> dict[int, int]:
    """How many jobs took how many attempts."""
    return dict(sorted(Counter(Job.objects.values_list("attempts", flat=True)).items()))


COMMANDS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        *(setup, make, key, unfinished, statuses, faults, events, event_faults, waits, attempts),
        *(flows.make_flows, flows.begin_flows, flows.approve_all, flows.flows, flows.flows_in_flight),
        *(flows.flows_ended, flows.steps_ended, flows.stuck, flows.keys_of_effects, flows.flow_faults),
    )
}

if __name__ == "__main__":
    for line in sys.stdin:
        name, arguments = json.loads(line)
        print(json.dumps(COMMANDS[name](**arguments)), flush=True)
        connection.close()

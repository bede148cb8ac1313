"""`python -m tests.hosts.joblog.control`: does what it is told, a line of JSON each, and answers with a line of JSON.

It is everything about a job but the web: who makes it, its worker, the reaper, and whoever deletes things.
"""

import json
import os
import sys
import threading
from typing import Any

import django


def setup() -> dict[str, str]:
    """A user with a key and a session."""
    call_command("migrate", verbosity=0)
    user = get_user_model().objects.create_user("ann", password="ann")
    session = SessionStore()
    values = {"_auth_user_id": str(user.pk), "_auth_user_hash": user.get_session_auth_hash()}
    session.update(values | {"_auth_user_backend": "django.contrib.auth.backends.ModelBackend"})
    session.save()
    key = issue_key(tenant_id="default", user=user, name="ann", scopes=["*"])[1]
    return {"key": key, "session": session.session_key}


def make(**given: Any) -> str:
    """A job, made and not begun."""
    endpoint = make_endpoint(task_types=["test.talk"])
    actor = Actor(user=get_user_model().objects.get(username="ann"), tenant_id="default")
    return str(create_job(prepare_execution(endpoint, actor=actor, correlation_id="c", input=given)).pk)


def work(job: str) -> bool:
    """Try it once, to the end."""
    return work_on(UUID(job))


def begin(job: str) -> None:
    """Try it once, in the background."""
    threading.Thread(target=work_on, args=(UUID(job),), daemon=True).start()


def flood(job: str, count: int, size: int, times: int = 1) -> None:
    """Append so many events of so many bytes, so many times."""
    row = Job.objects.get(pk=job)
    events = [RunEvent(EventType.LOG, {"level": "info", "message": "x" * size})] * count
    for _ in range(times):
        with transaction.atomic():
            append_events(Job.objects.filter(pk=job), row, events, {})


def finish(job: str) -> None:
    """Let it succeed without working on it."""
    row = Job.objects.get(pk=job)
    with transaction.atomic():
        append_end(Job.objects.filter(pk=job), row, RunEvent(EventType.FINAL, {"output": None}))


def reap_jobs() -> int:
    """Return what the dead held; how many jobs."""
    return reap().jobs


def prune(job: str) -> None:
    """Forget what it said but for the end."""
    row = Job.objects.get(pk=job)
    JobEvent.objects.filter(job=row, sequence__lt=row.last_event).delete()


def delete(job: str) -> None:
    """Delete it with its execution."""
    Execution.objects.filter(job=job).delete()


def status(job: str) -> dict[str, Any]:
    """Where it stands."""
    found: dict[str, Any] = Job.objects.values("status", "attempts", "last_event").get(pk=job)
    return found


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.hosts.joblog.settings"
    django.setup()
    from uuid import UUID

    from django.contrib.auth import get_user_model
    from django.contrib.sessions.backends.db import SessionStore
    from django.core.management import call_command
    from django.db import transaction

    from automate_api.engine.events import EventType, RunEvent
    from automate_api.models import Actor, Execution, Job, JobEvent
    from automate_api.services.api_keys import issue_key
    from automate_api.services.attempts import work_on
    from automate_api.services.job_log import append_end, append_events
    from automate_api.services.jobs import create_job
    from automate_api.services.reaper import reap
    from automate_api.services.runs import prepare_execution
    from tests.factories import make_endpoint
    from tests.hosts.joblog import capabilities

    _known = {
        function.__name__: function
        for function in (setup, make, work, begin, flood, finish, reap_jobs, prune, delete, status)
    }
    _registered = capabilities
    for line in sys.stdin:
        name, arguments = json.loads(line)
        print(json.dumps(_known[name](**arguments)), flush=True)

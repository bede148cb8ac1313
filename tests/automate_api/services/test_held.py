"""What every attempt at a job stores: its claim and its end."""

from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction

from automate_api.engine import capability
from automate_api.engine.capability import Capability, RunContext
from automate_api.engine.events import EventType, RunEvent
from automate_api.models import Execution, Job
from automate_api.models.now import Now
from automate_api.services.attempts import work_on
from automate_api.services.held import claim_job, end_held_job
from automate_api.services.jobs import cancel_job, create_job
from automate_api.services.leases import from_now
from automate_api.services.runs import prepare_execution
from tests.factories import make_actor, make_endpoint

FINAL = RunEvent(EventType.FINAL, {"output": "done", "usage": None, "cost": None})


class Quiet(Capability):
    """Says nothing but its end."""

    task_type = "test.quiet"

    async def run(self, ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        yield FINAL


class Nobody:
    """A dispatcher that leaves jobs where they are."""

    def enqueue(self, job_id: UUID, *, delay: float, priority: int) -> None:
        """Do nothing."""


@pytest.fixture(autouse=True)
def _no_worker(settings: Any) -> None:
    settings.AUTOMATE_API_JOB_DISPATCHER = f"{__name__}.Nobody"


@pytest.fixture
def job(db: None, monkeypatch: pytest.MonkeyPatch) -> Job:
    """One that waits."""
    monkeypatch.setitem(capability._registry, Quiet.task_type, Quiet())
    endpoint = make_endpoint(task_types=[Quiet.task_type])
    return create_job(prepare_execution(endpoint, actor=make_actor(), correlation_id="c", input="Hello"))


def claimed(job: Job) -> Job:
    found = claim_job(job.pk)
    assert found is not None
    return found


def log_of(job: Job) -> list[tuple[int, str]]:
    return list(job.events.order_by("sequence").values_list("sequence", "type"))


def test_a_claim_takes_the_job_and_logs_that_it_has_started(job: Job) -> None:
    found = claimed(job)
    stored = Job.objects.select_related("execution").get(pk=job.pk)
    assert (stored.status, stored.attempts, stored.token) == (Job.Status.RUNNING, 1, found.token)
    assert stored.execution.status == found.execution.status == Execution.Status.RUNNING
    assert log_of(job) == [(1, "queued"), (2, "started")]
    assert (found.last_event, stored.last_event) == (2, 2)
    assert job.events.get(type="started").data == {"attempt": 1}


def test_a_job_is_claimed_once(job: Job) -> None:
    claimed(job)
    assert claim_job(job.pk) is None
    assert log_of(job) == [(1, "queued"), (2, "started")]


def test_a_job_that_is_cancelled_or_not_yet_due_is_not_claimed(job: Job) -> None:
    Job.objects.update(not_before=from_now(60))
    assert claim_job(job.pk) is None
    Job.objects.update(not_before=Now())
    cancel_job(job)
    assert claim_job(job.pk) is None
    assert log_of(job) == [(1, "queued"), (2, "cancelled")]


def test_a_lease_is_as_long_as_the_host_says_at_the_time(job: Job, settings: Any) -> None:
    for seconds in (5, 500):
        settings.AUTOMATE_API_LEASE = seconds
        Job.objects.update(status=Job.Status.QUEUED)
        claimed(job)
        assert Job.objects.filter(leased_until__gt=from_now(seconds - 4), leased_until__lte=from_now(seconds)).exists()


def test_an_end_is_stored_while_the_job_is_held(job: Job) -> None:
    found = claimed(job)
    with transaction.atomic():
        assert end_held_job(found, FINAL, secrets=["done"])
    stored = Job.objects.get(pk=job.pk)
    assert (stored.status, stored.token, stored.leased_until) == (Job.Status.SUCCEEDED, None, None)
    assert (stored.request.reveal(), stored.error, stored.last_event) == ("", None, 3)
    assert stored.finished_at is not None
    assert "done" not in str(job.events.get(sequence=3).data)


def test_an_end_is_not_stored_by_who_holds_the_job_no_longer(job: Job) -> None:
    found = claimed(job)
    Job.objects.update(token=uuid4())
    with transaction.atomic():
        assert not end_held_job(found, FINAL, secrets=())
    assert log_of(job) == [(1, "queued"), (2, "started")]


def test_an_attempt_at_a_short_job_takes_nine_statements(job: Job, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(9 + 4):  # and two savepoints, since tests are in a transaction
        assert work_on(job.pk)
    assert log_of(job) == [(1, "queued"), (2, "started"), (3, "final")]

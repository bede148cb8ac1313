"""The reaper returns what the dead held, once, and leaves the living alone."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from automate_api.models import Execution, Job
from automate_api.services import attempts
from automate_api.services.jobs import cancel_job
from automate_api.services.leases import lease_end
from automate_api.services.reaper import Reaped, reap
from automate_api.services.runs import prepare_execution
from automate_api.signals import job_ended
from tests.factories import make_actor, make_endpoint
from tests.jobs.fixtures import asked  # noqa: F401 - a fixture
from tests.jobs.making import age, fresh, kinds, last_of, make_job

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("asked")]

Asked = list[tuple[Any, float]]
NOTHING = Reaped(0, 0, 0)


def abandoned(**columns: Any) -> Job:
    """A job whose worker has died, and whose lease is over."""
    job = make_job(make_endpoint(), **columns)
    attempts._claimed(job.pk)
    age(job, 60)
    return fresh(job)


def test_there_may_be_nothing_to_do() -> None:
    make_job(make_endpoint())
    assert reap() == NOTHING


def test_what_a_living_worker_holds_stays_with_it() -> None:
    job = make_job(make_endpoint())
    attempts._claimed(job.pk)
    assert reap() == NOTHING
    assert fresh(job).status == "running"


def test_a_dead_workers_job_goes_to_the_next(asked: Asked) -> None:  # noqa: F811
    job = abandoned()
    asked.clear()
    assert reap() == Reaped(1, 0, 0)
    assert asked == [(job.pk, 0.0)]
    returned = fresh(job)
    assert (returned.status, returned.execution.status, returned.token) == ("retrying", "queued", None)
    assert last_of(job) == {"attempt": 2, "after_seconds": 0, "code": "worker_lost"}
    assert reap() == NOTHING
    assert attempts._claimed(job.pk).attempts == 2  # type: ignore[union-attr]


def test_a_job_whose_workers_died_as_often_as_they_may_has_failed(asked: Asked) -> None:  # noqa: F811
    told: list[Job] = []

    def tell(job: Job, **kwargs: Any) -> None:
        told.append(job)

    job = abandoned(max_attempts=1)
    asked.clear()
    job_ended.connect(tell)
    reap()
    job_ended.disconnect(tell)
    ended = fresh(job)
    assert (ended.status, ended.error["code"], ended.execution.error) == ("failed", "worker_lost", ended.error)
    assert (ended.execution.status, bool(ended.request), kinds(job)[-1]) == ("failed", False, "error")
    assert (told, asked) == ([job], [])


def test_a_dead_workers_job_that_was_cancelled_ends_so() -> None:
    job = abandoned()
    cancel_job(job)
    reap()
    assert (fresh(job).status, fresh(job).execution.status, last_of(job)) == ("cancelled", "cancelled", {"partial": ""})


def test_a_worker_that_comes_to_life_again_stores_nothing() -> None:
    job = make_job(make_endpoint())
    late = attempts.Attempt(attempts._claimed(job.pk))  # type: ignore[arg-type]
    age(job, 60)
    reap()
    attempts.Attempt.renew_all([late])
    assert not late.held.exists()
    assert fresh(job).leased_until is None


# -- what the queue has lost -----------------------------------------------------------------------------------------


def test_a_job_that_no_worker_was_told_of_is_handed_out_again(asked: Asked) -> None:  # noqa: F811
    job = make_job(make_endpoint())
    asked.clear()
    age(job, 31)
    assert reap() == Reaped(0, 1, 0)
    assert asked == [(job.pk, 0.0)]
    assert reap() == NOTHING


def test_where_no_worker_is_for_a_day_the_queue_does_not_fill_with_copies() -> None:
    job, copies = make_job(make_endpoint()), 0
    for _step in range(24 * 2):
        age(job, 1800)
        copies += reap().forgotten
    assert 10 < copies < 50


def test_a_job_that_has_waited_a_minute_waits_a_lease_for_the_next_time() -> None:
    job = make_job(make_endpoint())
    age(job, 60)
    assert reap().forgotten == 1
    age(job, 29)
    assert reap() == NOTHING
    age(job, 2)
    assert reap().forgotten == 1


def test_a_job_that_waits_its_turn_in_a_long_queue_is_not_handed_out_again() -> None:
    first, second = make_job(make_endpoint()), make_job(make_endpoint())
    age(first, 40)
    age(second, 35)
    attempts._claimed(first.pk)
    assert reap() == NOTHING


def test_a_job_that_a_later_one_has_overtaken_is_handed_out_again(asked: Asked) -> None:  # noqa: F811
    lost, later = make_job(make_endpoint()), make_job(make_endpoint())
    age(lost, 40)
    age(later, 35)
    attempts._claimed(later.pk)
    asked.clear()
    assert reap() == Reaped(0, 1, 0)
    assert asked == [(lost.pk, 0.0)]


def test_a_job_that_waits_for_its_next_attempt_is_not_forgotten() -> None:
    job = make_job(make_endpoint(), status="retrying")
    age(job, -60)
    assert reap() == NOTHING


def test_a_job_that_was_cancelled_while_it_was_given_back_is_not_handed_out() -> None:
    job = make_job(make_endpoint())
    cancel_job(job)
    age(job, 60)
    assert reap() == NOTHING


# -- web processes ---------------------------------------------------------------------------------------------------


def execution(*, seconds_ago: float, **columns: Any) -> Execution:
    """A running one that was begun so long ago."""
    made = prepare_execution(make_endpoint(), actor=make_actor(), correlation_id="c", input="Hello")
    made.save(force_insert=True)
    created_at = timezone.now() - timedelta(seconds=seconds_ago)
    Execution.objects.filter(pk=made.pk).update(created_at=created_at, **columns)
    return made


def test_what_a_dead_web_process_ran_has_failed() -> None:
    before_a_heartbeat = execution(seconds_ago=60)
    after_some = execution(seconds_ago=600, leased_until=timezone.now() - timedelta(seconds=1))
    assert reap() == Reaped(0, 0, 2)
    for ended in (before_a_heartbeat, after_some):
        ended.refresh_from_db()
        assert (ended.status, ended.error["code"]) == ("failed", "worker_lost")
        assert ended.finished_at


def test_what_a_living_web_process_runs_goes_on() -> None:
    execution(seconds_ago=1)
    execution(seconds_ago=600, leased_until=lease_end())
    execution(seconds_ago=600, status="succeeded")
    assert reap() == NOTHING


def test_a_jobs_execution_is_the_jobs_affair() -> None:
    job = make_job(make_endpoint())
    attempts._claimed(job.pk)
    Execution.objects.update(created_at=F("created_at") - timedelta(hours=1))
    assert reap() == NOTHING

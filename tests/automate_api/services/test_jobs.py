"""Jobs are made, found, cancelled and told of; nothing that happens after the commit undoes them."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, connections, transaction
from pytest_django import Settings

from automate_api.events import at_depth
from automate_api.exceptions import Conflict, NotConfigured, NotFound
from automate_api.models import Actor, Endpoint, Execution, Job, JobEvent, Provider
from automate_api.security.secrets import Secret
from automate_api.services import jobs, recording
from automate_api.services.attempts import work_on
from automate_api.services.jobs import cancel_job, create_job, find_job
from automate_api.services.reaper import Reaped, reap
from automate_api.services.runs import prepare_execution
from automate_api.signals import job_ended
from tests.automate_api.services.together import together
from tests.factories import make_actor, make_endpoint, make_user
from tests.jobs.fixtures import asked  # noqa: F401 - a fixture
from tests.jobs.making import age, chat_endpoint, fresh, kinds, make_job
from tests.servers import until
from tests.upstream import FakeUpstream

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("asked")]

Asked = list[tuple[Any, float]]


def test_a_job_is_stored_with_its_execution_and_handed_out(asked: Asked) -> None:  # noqa: F811
    job = make_job(make_endpoint(), given="Hello")
    assert asked == [(job.pk, 0.0)]
    assert (job.status, job.execution.status, job.attempts, kinds(job)) == ("queued", "queued", 0, ["queued"])
    assert (job.execution.input, job.tenant_id, job.user_id) == ("Hello", "default", job.execution.user_id)
    assert job.enqueued_at == job.not_before


def test_the_providers_key_is_not_stored_with_what_was_asked(upstream: FakeUpstream) -> None:
    endpoint, key = chat_endpoint(upstream), "like/no+pattern.1"
    Provider.objects.update(api_key=Secret.of(key))
    job = make_job(Endpoint.objects.get(pk=endpoint.pk), given=f"with {key}")
    assert job.execution.input == "with [redacted]"
    assert json.loads(job.request.reveal())["input"] == f"with {key}"
    Provider.objects.update(api_key=Secret("nothing that can be read"))
    # The run itself will say so.
    assert make_job(Endpoint.objects.get(pk=endpoint.pk)).status == "queued"


def test_a_job_of_a_transaction_that_is_rolled_back_never_was(asked: Asked) -> None:  # noqa: F811
    endpoint = make_endpoint()
    with transaction.atomic():
        make_job(endpoint)
        assert asked == []
        transaction.set_rollback(True)
    assert (Job.objects.count(), Execution.objects.count(), JobEvent.objects.count(), asked) == (0, 0, 0, [])


def test_a_job_of_a_transaction_is_handed_out_when_that_is_committed(asked: Asked) -> None:  # noqa: F811
    endpoint = make_endpoint()
    with transaction.atomic():
        job = make_job(endpoint)
        assert asked == []
    assert asked == [(job.pk, 0.0)]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite has one writer at a time")
def test_a_transaction_that_makes_a_job_does_not_wait_for_those_who_wait_for_it() -> None:
    endpoint = make_endpoint()
    execution = prepare_execution(endpoint, actor=make_actor(), correlation_id="c", input="Hello")

    def create() -> None:
        try:
            create_job(execution)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as other:
        with transaction.atomic():
            make_user()
            waiting = other.submit(create)
            assert until(is_somebody_writing)
            make_job(endpoint)
        waiting.result(15)
    assert Job.objects.count() == 2


def is_somebody_writing() -> bool:
    """Whether another thread is the one that may write."""
    if recording._write_lock.acquire(blocking=False):
        recording._write_lock.release()
        return False
    return True


@pytest.mark.parametrize("dispatcher", ["tests.jobs.making.BrokenDispatcher", "tests.jobs.making.Missing"])
def test_a_queue_that_is_down_loses_no_job_and_fails_no_request(
    dispatcher: str,
    upstream: FakeUpstream,
    settings: Settings,
    asked: Asked,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
) -> None:
    working, settings.AUTOMATE_API_JOB_DISPATCHER = settings.AUTOMATE_API_JOB_DISPATCHER, dispatcher
    with transaction.atomic():
        job = make_job(chat_endpoint(upstream))
    assert f"Job {job.pk} could not be handed to a worker" in caplog.text
    assert "password" not in caplog.text
    age(job, 60)
    assert reap().forgotten == 1
    settings.AUTOMATE_API_JOB_DISPATCHER = working
    age(job, 120)
    assert reap().forgotten == 1
    assert asked == [(job.pk, 0.0)]
    assert work_on(job.pk)


def test_without_encryption_keys_no_job_is_made(settings: Settings) -> None:
    execution = prepare_execution(make_endpoint(), actor=make_actor(), correlation_id="c", input="Hello")
    settings.AUTOMATE_API_ENCRYPTION_KEYS = []
    with pytest.raises(NotConfigured):
        create_job(execution)
    assert (Job.objects.count(), Execution.objects.count()) == (0, 0)


def test_jobs_are_found_by_those_who_may_read_them() -> None:
    job = make_job(make_endpoint())
    mine = Actor(user=job.user, tenant_id="default")
    staff = Actor(user=make_user(is_staff=True), tenant_id="default")
    assert find_job(str(job.pk), actor=mine) == find_job(str(job.pk), actor=staff) == job
    strangers = [make_actor(), Actor(user=job.user, tenant_id="other"), make_actor(tenant_id="other", is_staff=True)]
    for actor, key in [*((stranger, str(job.pk)) for stranger in strangers), (mine, str(uuid4())), (mine, "x")]:
        with pytest.raises(NotFound):
            find_job(key, actor=actor)


# -- cancelling ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["queued", "retrying"])
def test_a_waiting_job_that_is_cancelled_never_starts(upstream: FakeUpstream, status: str) -> None:
    job = make_job(chat_endpoint(upstream), status=status)
    cancelled = cancel_job(job)
    assert (cancelled.status, cancelled.execution.status, kinds(job)) == (
        "cancelled",
        "cancelled",
        ["queued", "cancelled"],
    )
    assert cancelled.execution.finished_at
    assert not cancelled.request
    assert not work_on(job.pk)
    assert upstream.requests == []


def test_a_running_job_is_asked_to_stop_once() -> None:
    job = make_job(make_endpoint(), status="running")
    first = cancel_job(job).cancel_requested_at
    assert first
    assert cancel_job(job).cancel_requested_at == first


@pytest.mark.parametrize("status", ["succeeded", "failed", "cancelled"])
def test_a_job_that_has_ended_is_not_cancelled(status: str) -> None:
    job = make_job(make_endpoint(), status=status)
    with pytest.raises(Conflict):
        cancel_job(job)
    assert (fresh(job).status, fresh(job).cancel_requested_at) == (status, None)


def test_a_job_that_is_given_back_while_it_is_cancelled_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    job = make_job(make_endpoint(), status="running")
    ask_running = jobs._ask_running

    def asked_too_late(job: Job) -> bool:
        Job.objects.update(status="retrying")
        return ask_running(job)

    monkeypatch.setattr(jobs, "_ask_running", asked_too_late)
    assert cancel_job(job).status == "cancelled"


# -- who is told -----------------------------------------------------------------------------------------------------


@pytest.fixture
def told() -> Any:
    """What the receivers of `job_ended` got; the first of them raises."""
    ended: list[Job] = []

    def raises(**kwargs: Any) -> None:
        raise RuntimeError("a receiver's fault")

    def notes(job: Job, **kwargs: Any) -> None:
        ended.append(job)

    for receiver in (raises, notes):
        job_ended.connect(receiver)
    yield ended
    for receiver in (raises, notes):
        job_ended.disconnect(receiver)


def test_receivers_are_told_once_and_one_that_raises_harms_nobody(upstream: FakeUpstream, told: list[Job]) -> None:
    job = make_job(chat_endpoint(upstream))
    work_on(job.pk)
    work_on(job.pk)
    assert told == [job]
    assert (told[0].status, told[0].execution.status) == ("succeeded", "succeeded")


def test_receivers_are_told_of_what_is_cancelled_when_that_is_committed(told: list[Job]) -> None:
    job = make_job(make_endpoint())
    with transaction.atomic():
        cancel_job(job)
        assert told == []
    assert [ended.status for ended in told] == ["cancelled"]


def test_a_receiver_may_make_a_job(upstream: FakeUpstream) -> None:
    endpoint = chat_endpoint(upstream)

    def follow(job: Job, **kwargs: Any) -> None:
        if Job.objects.count() == 1:
            make_job(endpoint)

    job_ended.connect(follow)
    try:
        work_on(make_job(endpoint).pk)
    finally:
        job_ended.disconnect(follow)
    assert sorted(Job.objects.values_list("status", flat=True)) == ["queued", "succeeded"]


# -- on its own terms ------------------------------------------------------------------------------------------------


def test_a_job_has_the_settings_terms_or_its_own(settings: Settings) -> None:
    settings.AUTOMATE_API_JOB_ATTEMPTS, settings.AUTOMATE_API_JOB_TIMEOUT = 5, 70
    endpoint = make_endpoint()
    usual, own = make(endpoint), make(endpoint, attempts=1, timeout=2.5, continuation="tests.none")
    assert (usual.max_attempts, usual.timeout_seconds, usual.continuation) == (5, 70, "")
    assert (own.max_attempts, own.timeout_seconds, own.continuation) == (1, 2.5, "tests.none")


def make(endpoint: Endpoint, **terms: Any) -> Job:
    execution = prepare_execution(endpoint, actor=make_actor(), correlation_id="c", input="Hello")
    return fresh(create_job(execution, **terms))


@pytest.mark.parametrize(("delay", "asked_for"), [(-5, 0), (0, 0), (1.5, 1.5), (60, 60)])
def test_a_short_delay_is_the_queues(delay: float, asked_for: float, asked: Asked) -> None:  # noqa: F811
    job = make(make_endpoint(), delay=delay)
    assert asked == [(job.pk, asked_for)]
    assert job.enqueued_at == job.not_before
    assert (reap().waited, work_on(job.pk)) == (0, not asked_for)


def test_a_job_for_another_day_is_handed_out_by_the_reaper_once_when_it_is_due(asked: Asked) -> None:  # noqa: F811
    day = 86_400
    job = make(make_endpoint(), delay=3 * day)
    for _hour in range(3):
        # Nobody is to have heard of it; a worker that has all the same does not begin it, nor call it back.
        assert (work_on(job.pk), reap(), asked) == (False, Reaped(0, 0, 0), [])
        age(job, day - 60)
    age(job, 180)
    done = together(*[reap] * 4)
    assert (sum(round_.waited for round_ in done), sum(round_.forgotten for round_ in done)) == (1, 0)
    assert asked == [(job.pk, 0.0)]
    assert (reap(), work_on(job.pk)) == (Reaped(0, 0, 0), True)


def test_one_that_the_queue_loses_when_it_is_due_is_forgotten_like_any_other(asked: Asked) -> None:  # noqa: F811
    job = make(make_endpoint(), delay=3600)
    age(job, 3601)
    assert reap().waited == 1
    age(job, 31)
    assert (reap().forgotten, asked) == (1, [(job.pk, 0.0)] * 2)


def test_a_job_for_another_day_is_cancelled_like_any_other(asked: Asked) -> None:  # noqa: F811
    job = make(make_endpoint(), delay=3600)
    assert cancel_job(job).status == "cancelled"
    age(job, 3601)
    assert (reap(), asked) == (Reaped(0, 0, 0), [])


def test_a_job_is_as_deep_as_what_made_it() -> None:
    with at_depth(2):
        job = make(make_endpoint())
    assert (job.depth, make(make_endpoint()).depth) == (2, 0)

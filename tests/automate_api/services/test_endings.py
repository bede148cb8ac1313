"""A job's continuation is called once, with its end, whoever ends it and whatever goes wrong."""

from collections.abc import AsyncGenerator, Iterator
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, transaction
from pytest_django import Settings

from automate_api.engine.capability import RunContext
from automate_api.engine.events import RunEvent
from automate_api.events import depth
from automate_api.exceptions import UpstreamRejected
from automate_api.models import Endpoint, Job, JobStep
from automate_api.services import attempts, endings
from automate_api.services.attempts import Attempt, work_on
from automate_api.services.endings import register_continuation
from automate_api.services.jobs import cancel_job, create_job
from automate_api.services.reaper import reap
from automate_api.services.retention import prune_jobs
from automate_api.services.runs import prepare_execution
from tests.automate_api.services.together import together
from tests.factories import make_actor
from tests.jobs.fixtures import Script, asked, write  # noqa: F401 - fixtures
from tests.jobs.making import age, fresh, kinds, last_of, make_job, written_endpoint

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("asked")]

NAME = "tests.follow"


class Follow:
    """A continuation that notes what it got, in the database and beside it, and fails as often as it is told."""

    def __init__(self) -> None:
        self.called: list[tuple[Job, RunEvent]] = []
        self.failures: list[BaseException] = []

    def __call__(self, job: Job, end: RunEvent) -> None:
        self.called.append((job, end))
        JobStep.objects.create(job=job, key=f"followed {len(self.called)}", result=end.data)
        if self.failures:
            raise self.failures.pop(0)


@pytest.fixture
def follow() -> Iterator[Follow]:
    function = Follow()
    register_continuation(NAME, function)
    yield function
    endings._registry.pop(NAME, None)


@pytest.fixture
def endpoint(write: Any) -> Endpoint:  # noqa: F811
    write(nothing)
    return written_endpoint()


async def nothing(ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
    for event in ():
        yield event


async def refused(ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
    for event in ():
        yield event
    raise UpstreamRejected


def effects() -> int:
    """How often what the continuation did is stored."""
    return JobStep.objects.filter(key__startswith="followed").count()


def worker(job: Job) -> None:
    assert work_on(job.pk)


def switched_off(job: Job) -> None:
    Endpoint.objects.update(enabled=False)
    assert work_on(job.pk)


def caller(job: Job) -> None:
    cancel_job(job)


def die(job: Job) -> None:
    """As a worker does that has claimed the job."""
    Job.objects.filter(pk=job.pk).update(max_attempts=1)
    attempts._claimed(job.pk)
    age(job, 60)


def reaper(job: Job) -> None:
    die(job)
    assert reap().jobs == 1


def reaper_of_cancelled(job: Job) -> None:
    die(job)
    cancel_job(job)
    assert reap().jobs == 1


@pytest.mark.parametrize(
    ("end", "kind"),
    [
        (worker, "final"),
        (switched_off, "error"),
        (caller, "cancelled"),
        (reaper, "error"),
        (reaper_of_cancelled, "cancelled"),
    ],
)
def test_it_is_called_once_with_the_end_as_stored_whoever_ends_the_job(
    end: Any, kind: str, follow: Follow, endpoint: Endpoint
) -> None:
    job = make_job(endpoint, continuation=NAME)
    end(job)
    [(followed, event)] = follow.called
    assert (followed, event.type, kinds(job)[-1]) == (job, kind, kind)
    assert event.data == last_of(job)
    assert (effects(), fresh(job).continues_at, work_on(job.pk), reap().continued) == (1, None, False, 0)


def test_it_is_called_of_a_run_that_has_failed_after_all_attempts(
    follow: Follow,
    endpoint: Endpoint,
    write: Script,  # noqa: F811
) -> None:
    write(refused)  # type: ignore[arg-type]
    worker(make_job(endpoint, continuation=NAME))
    assert [end.data["code"] for _job, end in follow.called] == ["upstream_rejected"]


def test_what_is_secret_is_not_told(follow: Follow, endpoint: Endpoint, settings: Settings) -> None:
    settings.AUTOMATE_API_REDACT_PATTERNS = ["done"]
    worker(make_job(endpoint, continuation=NAME))
    assert follow.called[0][1].data["output"] == "[redacted]"


def test_an_end_and_its_continuation_are_stored_together_or_not_at_all(follow: Follow, endpoint: Endpoint) -> None:
    job = make_job(endpoint, continuation=NAME)
    follow.failures = [SystemExit()]  # as where the process is killed
    with pytest.raises(SystemExit):
        work_on(job.pk)
    assert (fresh(job).status, effects()) == ("running", 0)
    age(job, 60)
    assert reap().jobs == 1
    worker(job)
    assert (fresh(job).status, effects()) == ("succeeded", 1)


def test_one_that_fails_once_is_called_again_at_once(follow: Follow, endpoint: Endpoint) -> None:
    follow.failures = [RuntimeError("an app's fault")]
    job = make_job(endpoint, continuation=NAME)
    worker(job)
    assert (fresh(job).status, effects(), fresh(job).continues_at) == ("succeeded", 1, None)
    assert kinds(job) == ["queued", "started", "final"]


@pytest.mark.parametrize("end", [worker, caller, reaper])
def test_a_job_ends_although_its_continuation_fails_and_the_reaper_calls_that_until_it_succeeds(
    end: Any, follow: Follow, endpoint: Endpoint, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    follow.failures = [RuntimeError("of sk-canary-0123456789abcdef"), RuntimeError(), RuntimeError("the reaper's")]
    settings.AUTOMATE_API_JOB_RETENTION = 0
    job = make_job(endpoint, continuation=NAME)
    end(job)
    assert fresh(job).status in {"succeeded", "cancelled", "failed"}
    assert (effects(), list(prune_jobs())) == (0, [])
    assert f"The continuation 'tests.follow' of job {job.pk} has failed" in caplog.text
    assert "canary" not in caplog.text
    assert reap().continued == 0  # not yet
    for succeeds in (0, 1, 0):
        Job.objects.filter(continues_at__isnull=False).update(continues_at=fresh(job).finished_at)
        assert reap().continued == succeeds
    assert (effects(), fresh(job).continues_at) == (1, None)
    assert follow.called[-1][1].data == last_of(job)
    assert sum(prune_jobs()) == 1


def test_what_the_database_refuses_at_the_commit_ends_the_job_too(endpoint: Endpoint) -> None:
    def dangle(job: Job, end: RunEvent) -> None:
        Job.objects.filter(pk=job.pk).update(user_id=987654)

    register_continuation("tests.dangle", dangle)
    try:
        job = make_job(endpoint, continuation="tests.dangle")
        worker(job)
    finally:
        endings._registry.pop("tests.dangle")
    assert (fresh(job).status, fresh(job).user_id != 987654, bool(fresh(job).continues_at)) == ("succeeded", True, True)


@pytest.mark.postgres
@pytest.mark.parametrize("times", [1, 5])
def test_a_database_that_breaks_off_in_it_is_asked_again(times: int, follow: Follow, endpoint: Endpoint) -> None:
    def break_off(job: Job, end: RunEvent) -> None:
        follow(job, end)
        if len(follow.called) <= times:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    register_continuation("tests.break", break_off)
    try:
        job = make_job(endpoint, continuation="tests.break")
        worker(job)
        for _round in range(times):
            Job.objects.filter(continues_at__isnull=False).update(continues_at=fresh(job).finished_at)
            reap()
            connection.close_if_unusable_or_obsolete()
    finally:
        endings._registry.pop("tests.break")
    assert (fresh(job).status, effects(), fresh(job).continues_at) == ("succeeded", 1, None)


def test_one_whose_app_is_gone_is_called_when_the_app_is_back(
    follow: Follow, endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    del endings._registry[NAME]
    job = make_job(endpoint, continuation=NAME)
    worker(job)
    assert "which no app registers" in caplog.text
    Job.objects.update(continues_at=fresh(job).finished_at)
    assert (fresh(job).status, reap().continued, follow.called) == ("succeeded", 0, [])
    register_continuation(NAME, follow)
    assert (reap().continued, effects()) == (1, 1)


def test_of_a_worker_a_reaper_and_a_caller_at_once_one_ends_the_job(follow: Follow, endpoint: Endpoint) -> None:
    for _round in range(5):
        JobStep.objects.all().delete()
        follow.called.clear()
        job = make_job(endpoint, continuation=NAME)
        Job.objects.filter(pk=job.pk).update(max_attempts=1)
        attempt = Attempt(attempts._claimed(job.pk))  # type: ignore[arg-type]
        age(job, 60)
        together(attempt.work, reap, reap, lambda job=job: cancel_job(job))  # type: ignore[misc]
        reap()
        assert (effects(), len(kinds(job))) == (1, 3)
        assert follow.called[-1][1].type == kinds(job)[-1]


def test_of_several_reapers_at_once_one_calls_it(follow: Follow, endpoint: Endpoint) -> None:
    job = make_job(endpoint, continuation=NAME)
    follow.failures = [RuntimeError(), RuntimeError()]
    worker(job)
    Job.objects.update(continues_at=fresh(job).finished_at)
    assert sum(done.continued for done in together(*[reap] * 4)) == 1
    assert effects() == 1


def test_it_may_make_the_next_job_which_is_handed_out_once_both_are_stored(
    endpoint: Endpoint,
    asked: list[Any],  # noqa: F811
) -> None:
    made: list[tuple[Job, int]] = []

    def make_next(job: Job, end: RunEvent) -> None:
        made.append((make_job(endpoint), len(asked)))
        if len(made) == 1:
            raise RuntimeError

    register_continuation("tests.next", make_next)
    try:
        worker(make_job(endpoint, continuation="tests.next"))
    finally:
        endings._registry.pop("tests.next")
    [(_undone, _before), (follower, before)] = made
    assert (Job.objects.count(), asked[before:]) == (2, [(follower.pk, 0.0)])


def test_it_is_called_at_the_jobs_depth_whoever_ends_the_job(endpoint: Endpoint) -> None:
    seen: list[int] = []
    register_continuation("tests.depth", lambda job, end: seen.append(depth.get()))
    try:
        for end in (worker, caller, reaper):
            end(make_job(endpoint, continuation="tests.depth", depth=3))
    finally:
        endings._registry.pop("tests.depth")
    assert (seen, depth.get()) == ([3, 3, 3], 0)


def test_a_name_is_one_functions(follow: Follow) -> None:
    register_continuation(NAME, follow)
    with pytest.raises(ImproperlyConfigured):
        register_continuation(NAME, Follow())
    for name in ("", "x" * 65):
        with pytest.raises(ImproperlyConfigured):
            register_continuation(name, follow)


def test_a_job_made_in_a_transaction_that_is_undone_has_no_end(follow: Follow, endpoint: Endpoint) -> None:
    execution = prepare_execution(endpoint, actor=make_actor(), correlation_id="c", input="Hello")
    with transaction.atomic():
        cancel_job(create_job(execution, continuation=NAME))
        transaction.set_rollback(True)
    assert (len(follow.called), effects(), Job.objects.count()) == (1, 0, 0)

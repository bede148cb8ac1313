"""The routes of jobs: made in three ways, read, filtered, cancelled, and listened to."""

import json
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import DjangoCaptureOnCommitCallbacks
from rest_framework.test import APIClient

from automate_api.engine.events import EventType, RunEvent
from automate_api.models import Execution, Job, JobEvent
from automate_api.services.attempts import work_on
from automate_api.services.job_log import append_end, append_events
from automate_api.services.jobs import create_job
from automate_api.services.runs import prepare_execution
from tests.factories import make_actor, make_endpoint, make_llm_client, make_provider, make_user
from tests.hosts.shop.people import signed_in, with_key
from tests.upstream import TEXT, FakeUpstream

pytestmark = pytest.mark.django_db

API, MODAL = "/api/v1", "/api/v1/modal"
HELLO = {"input": "Hello"}


@pytest.fixture
def user() -> Any:
    return make_user()


@pytest.fixture
def client(user: Any) -> APIClient:
    return with_key(user=user)


@pytest.fixture
def endpoint(upstream: FakeUpstream) -> Any:
    provider = make_provider(base_url=upstream.url)
    return make_endpoint(slug="ask", llm_client=make_llm_client(provider=provider, model="chat"))


def make_job(endpoint: Any = None, *, user: Any = None, tenant_id: str = "default") -> Job:
    """A job that waits."""
    actor = make_actor(tenant_id=tenant_id)
    actor = type(actor)(user=user or actor.user, tenant_id=tenant_id)
    endpoint = endpoint or make_endpoint(tenant_id=tenant_id)
    return create_job(prepare_execution(endpoint, actor=actor, correlation_id="c", input="Hello"))


def log(job: Job, *events: RunEvent) -> None:
    """Append to the log of a job."""
    assert append_events(Job.objects.filter(pk=job.pk), job, events, {})


def end(job: Job) -> None:
    """Let a job succeed."""
    final = RunEvent(EventType.FINAL, {"output": "done", "usage": None, "cost": None})
    assert append_end(Job.objects.filter(pk=job.pk), job, final)
    Execution.objects.filter(pk=job.execution_id).update(status="succeeded", output="done")


def line(text: str) -> RunEvent:
    return RunEvent(EventType.LOG, {"level": "info", "message": text})


def frames(response: Any) -> list[tuple[int, str, Any]]:
    """The id, the type and the data of each event of a stream that ends."""
    found = []
    for block in b"".join(response.streaming_content).decode().split("\n\n"):
        fields = dict(part.split(": ", 1) for part in block.split("\n") if ": " in part)
        if "event" in fields:
            found.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
    return found


# -- making one ------------------------------------------------------------------------------------------------------


def test_a_job_of_the_gateway_is_accepted_and_says_where_its_status_is(client: APIClient, endpoint: Any) -> None:
    answer = client.post(f"{MODAL}/endpoints/ask/job/", HELLO, format="json")
    job = Job.objects.get()
    assert answer.status_code == 202
    assert answer.json() == {"job_id": str(job.pk), "status": "queued"}
    assert answer["Location"] == f"{MODAL}/jobs/{job.pk}/status/"
    assert client.get(answer["Location"]).json()["status"] == "queued"
    assert (job.execution.status, job.execution.input) == ("queued", "Hello")


@pytest.mark.parametrize("prefer", ["respond-async", "wait=10, Respond-Async;x=1"])
def test_whoever_would_rather_not_wait_gets_a_job(client: APIClient, endpoint: Any, prefer: str) -> None:
    answer = client.post(f"{API}/endpoints/ask/run/", HELLO, format="json", headers={"Prefer": prefer})
    assert answer.status_code == 202
    assert answer["Preference-Applied"] == "respond-async"
    assert answer["Location"] == f"{API}/jobs/{answer.json()['id']}/"
    assert client.get(answer["Location"]).json() == answer.json()
    assert answer.json()["status"] == "queued"


@pytest.mark.parametrize("prefer", ["", "respond-asynchronously", "wait=10", "handling=strict; respond-async"])
def test_other_preferences_are_passed_over(client: APIClient, endpoint: Any, prefer: str) -> None:
    answer = client.post(f"{API}/endpoints/ask/run/", HELLO, format="json", headers={"Prefer": prefer})
    assert (answer.status_code, answer.json()["status"]) == (200, "succeeded")
    assert "Preference-Applied" not in answer.headers
    assert not Job.objects.exists()


def test_a_replay_can_be_a_job_too(client: APIClient, endpoint: Any) -> None:
    first = client.post(f"{API}/endpoints/ask/run/", HELLO, format="json").json()
    path = f"{API}/executions/{first['id']}/replay/"
    answer = client.post(path, headers={"Prefer": "respond-async"})
    assert answer.status_code == 202
    assert answer["Location"] == f"{API}/jobs/{answer.json()['id']}/"
    again = client.get(f"{API}/executions/{answer.json()['execution']}/").json()
    assert (again["status"], again["replay_of"], again["input"]) == ("queued", first["id"], "Hello")
    now = client.post(path).json()
    assert (now["status"], now["replay_of"]) == ("succeeded", first["id"])


@pytest.mark.parametrize("path", [f"{MODAL}/endpoints/ask/job/", f"{API}/endpoints/ask/run/"])
def test_what_does_not_fit_is_refused_at_once_and_no_job_is_made(client: APIClient, endpoint: Any, path: str) -> None:
    type(endpoint).objects.update(input_schema={"type": "integer"})
    answer = client.post(path, HELLO, format="json", headers={"Prefer": "respond-async"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "input")
    assert not Job.objects.exists()
    assert not Execution.objects.exists()


@pytest.mark.parametrize("path", [f"{MODAL}/endpoints/ask/job/", f"{API}/endpoints/ask/run/"])
def test_a_job_is_made_once_for_an_idempotency_key(client: APIClient, endpoint: Any, path: str) -> None:
    headers = {"Idempotency-Key": "once", "Prefer": "respond-async"}
    first, again = (client.post(path, HELLO, format="json", headers=headers) for _ in range(2))
    assert (again.status_code, again.content) == (202, first.content)
    assert (again["Idempotent-Replayed"], again["Location"]) == ("true", first["Location"])
    assert Job.objects.count() == 1
    assert client.post(path, {"input": "Bye"}, format="json", headers=headers).status_code == 422


def test_only_the_id_is_enqueued_and_only_once_the_job_is_stored(
    client: APIClient, endpoint: Any, settings: Any, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    settings.AUTOMATE_API_JOB_DISPATCHER = f"{__name__}.Enqueued"
    Enqueued.calls.clear()
    with django_capture_on_commit_callbacks(execute=True):
        made = client.post(f"{MODAL}/endpoints/ask/job/", HELLO, format="json").json()
        assert not Enqueued.calls
    assert [str(call) for call in Enqueued.calls] == [made["job_id"]]


class Enqueued:
    """A dispatcher that only notes what it was given."""

    calls: list[Any] = []

    def enqueue(self, job_id: Any, *, delay: float, priority: int) -> None:
        self.calls.append(job_id)


# -- looking ---------------------------------------------------------------------------------------------------------


def test_a_job_that_was_worked_on_tells_its_result(client: APIClient, endpoint: Any, user: Any) -> None:
    job = make_job(endpoint, user=user)
    assert work_on(job.pk)
    answer = client.get(f"{MODAL}/jobs/{job.pk}/status/").json()
    assert (answer["status"], answer["attempts"], answer["error"]) == ("succeeded", 1, None)
    assert answer["result"]["text"] == TEXT
    row = client.get(f"{API}/jobs/{job.pk}/").json()
    assert (row["status"], row["attempts"], row["user"]) == ("succeeded", 1, user.pk)
    assert row["started_at"] <= row["finished_at"]


def test_a_job_that_failed_tells_why(client: APIClient, endpoint: Any, user: Any, settings: Any) -> None:
    settings.AUTOMATE_API_JOB_ATTEMPTS = 1
    endpoint.llm_client.model = "status:500"
    endpoint.llm_client.save()
    job = make_job(endpoint, user=user)
    assert work_on(job.pk)
    for path in (f"{MODAL}/jobs/{job.pk}/status/", f"{API}/jobs/{job.pk}/"):
        answer = client.get(path).json()
        assert (answer["status"], answer["error"]["code"]) == ("failed", "upstream_failed")


def test_what_the_caller_sent_is_not_shown(client: APIClient, user: Any) -> None:
    row = client.get(f"{API}/jobs/{make_job(user=user).pk}/").json()
    assert {"request", "token", "tenant_id"}.isdisjoint(row)


@pytest.mark.parametrize(
    "path",
    [f"{API}/jobs/{{}}/", f"{API}/jobs/{{}}/events/", f"{MODAL}/jobs/{{}}/status/", f"{MODAL}/jobs/{{}}/events/"],
)
@pytest.mark.parametrize(
    ("tenant_id", "is_staff", "status"), [("default", False, 404), ("globex", True, 404), ("default", True, 200)]
)
def test_others_do_not_see_a_job_but_staff_does(path: str, tenant_id: str, is_staff: bool, status: int) -> None:
    job = make_job()
    end(job)
    other = with_key(tenant_id=tenant_id, is_staff=is_staff)
    assert other.get(path.format(job.pk)).status_code == status


@pytest.mark.parametrize(("query", "expected"), [
    ("status=queued", {"waiting", "others"}), ("status=succeeded", {"ended"}), ("execution={execution}", {"waiting"}),
    ("user={user}", {"waiting", "ended"}), ("created_before={now}", {"waiting", "ended", "others"}),
    ("created_after={now}", set()), ("status=running", set()),
])  # fmt: skip
def test_the_list_is_filtered(user: Any, query: str, expected: set[str]) -> None:
    jobs = {"waiting": make_job(user=user), "ended": make_job(user=user), "others": make_job()}
    end(jobs["ended"])
    now = timezone.now().isoformat().replace("+00:00", "Z")
    given = query.format(execution=jobs["waiting"].execution_id, user=user.pk, now=now)
    page = with_key(is_staff=True).get(f"{API}/jobs/?{given}").json()
    assert {row["id"] for row in page["results"]} == {str(jobs[name].pk) for name in expected}


def test_the_list_is_newest_first_and_in_pages(client: APIClient, user: Any) -> None:
    jobs = [str(make_job(user=user).pk) for _ in range(3)]
    page = client.get(f"{API}/jobs/?page_size=2").json()
    rest = client.get(page["next"]).json()
    assert [row["id"] for row in [*page["results"], *rest["results"]]] == jobs[::-1]


@pytest.mark.parametrize("rows", [1, 20])
def test_a_list_of_any_length_takes_two_queries(
    client: APIClient, user: Any, rows: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(rows):
        make_job(user=user)
    with django_assert_num_queries(2):
        assert len(client.get(f"{API}/jobs/").json()["results"]) == rows


@pytest.mark.parametrize("path", [f"{API}/jobs/{{}}/", f"{MODAL}/jobs/{{}}/status/"])
def test_one_job_takes_two_queries(
    client: APIClient, user: Any, path: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    job = make_job(user=user)
    with django_assert_num_queries(2):
        assert client.get(path.format(job.pk)).status_code == 200


# -- cancelling ------------------------------------------------------------------------------------------------------


def test_a_job_that_waits_is_cancelled_and_never_starts(client: APIClient, endpoint: Any, user: Any) -> None:
    job = make_job(endpoint, user=user)
    answer = client.post(f"{API}/jobs/{job.pk}/cancel/")
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert not work_on(job.pk)
    assert client.get(f"{API}/executions/{job.execution_id}/").json()["status"] == "cancelled"


def test_a_job_that_runs_is_asked_to_stop(client: APIClient, user: Any) -> None:
    job = make_job(user=user)
    Job.objects.update(status="running")
    for _ in range(2):
        answer = client.post(f"{API}/jobs/{job.pk}/cancel/").json()
        assert (answer["status"], answer["cancel_requested"]) == ("running", True)


def test_a_job_that_has_ended_cannot_be_cancelled(client: APIClient, user: Any) -> None:
    job = make_job(user=user)
    end(job)
    answer = client.post(f"{API}/jobs/{job.pk}/cancel/")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


def test_a_key_that_reads_jobs_does_not_cancel_them(user: Any) -> None:
    job = make_job(user=user)
    reader = with_key(user=user, scopes=["jobs:read"])
    assert reader.get(f"{API}/jobs/{job.pk}/").status_code == 200
    assert reader.post(f"{API}/jobs/{job.pk}/cancel/").status_code == 403
    assert with_key(user=user, scopes=["jobs:write"]).post(f"{API}/jobs/{job.pk}/cancel/").status_code == 200


# -- listening -------------------------------------------------------------------------------------------------------


@pytest.fixture(params=[API, MODAL])
def events(request: pytest.FixtureRequest, ended: Job) -> str:
    """The address of the log of a job with five events."""
    return f"{request.param}/jobs/{ended.pk}/events/"


@pytest.fixture
def ended(user: Any) -> Job:
    job = make_job(user=user)
    log(job, RunEvent(EventType.STARTED, {"attempt": 1}), line("a"), line("b"))
    end(job)
    return job


ALL = [(1, "queued"), (2, "started"), (3, "log"), (4, "log"), (5, "final")]


def test_the_log_is_a_stream_of_events(client: APIClient, events: str) -> None:
    answer = client.get(events, headers={"Accept": "text/event-stream"})
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/event-stream")
    assert answer["Cache-Control"] == "no-cache"
    content = list(answer.streaming_content)
    assert content[0] == b"retry: 1000\n\n"
    answer.streaming_content = content
    found = frames(answer)
    assert [(number, kind) for number, kind, _data in found] == ALL
    assert found[2][2] == {"level": "info", "message": "a"}


@pytest.mark.parametrize("after", range(5))
def test_it_goes_on_after_any_event(client: APIClient, events: str, after: int) -> None:
    by_header = client.get(events, headers={"Last-Event-ID": str(after)})
    by_query = client.get(f"{events}?last_event_id={after}")
    for answer in (by_header, by_query):
        assert [(number, kind) for number, kind, _data in frames(answer)] == ALL[after:]


def test_the_header_is_later_than_the_address(client: APIClient, events: str) -> None:
    """A browser that connects again sends the same address, and the header with what it has read since."""
    answer = client.get(f"{events}?last_event_id=2", headers={"Last-Event-ID": "4"})
    assert [number for number, _kind, _data in frames(answer)] == [5]


@pytest.mark.parametrize("after", ["5", "6", "999999999999999999"])
def test_whoever_has_read_all_is_told_not_to_connect_again(client: APIClient, events: str, after: str) -> None:
    answer = client.get(events, headers={"Last-Event-ID": after})
    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize("after", ["-1", "1.0", "+1", "1_0", "x", "٣", "0x1", " ", "1e3", "9" * 19, "null"])
def test_what_is_no_id_of_an_event_is_refused(client: APIClient, events: str, after: str) -> None:
    answer = client.get(events, {"last_event_id": after})
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["last_event_id"]
    if after.isascii() and after.strip():
        assert client.get(events, headers={"Last-Event-ID": after}).status_code == 400


def test_other_parameters_are_refused(client: APIClient, events: str, ended: Job) -> None:
    assert client.get(f"{events}?after=1").status_code == 400
    assert client.get(f"{API}/jobs/{ended.pk}/?last_event_id=1").status_code == 400


@pytest.mark.parametrize("path", [API, MODAL])
def test_the_head_of_a_stream_that_goes_on_is_no_stream(client: APIClient, user: Any, path: str) -> None:
    answer = client.head(f"{path}/jobs/{make_job(user=user).pk}/events/")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/event-stream")
    assert b"".join(answer.streaming_content) == b""


def test_a_log_of_which_the_end_is_left_is_read_to_the_end(client: APIClient, events: str, ended: Job) -> None:
    JobEvent.objects.filter(job=ended, sequence__lt=5).delete()
    for after in ("0", "2"):
        answer = client.get(events, headers={"Last-Event-ID": after})
        assert [number for number, _kind, _data in frames(answer)] == [5]


def test_a_session_reads_the_log_too(user: Any, events: str) -> None:
    assert [number for number, _kind, _data in frames(signed_in(user=user).get(events))] == [1, 2, 3, 4, 5]


def test_a_stream_takes_three_queries(
    client: APIClient, events: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(3):
        frames(client.get(events))

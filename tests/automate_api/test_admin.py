"""What the admin shows of jobs, and what it does with them."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from automate_api.models import Job
from automate_api.services.jobs import create_job
from automate_api.services.runs import prepare_execution
from tests.factories import make_actor, make_endpoint, make_user

pytestmark = pytest.mark.django_db

PREFIX = "/admin/automate_api"
# A word that a caller might send.
SENT = "a secret of the caller's"


@pytest.fixture
def job() -> Job:
    """A job that waits: no transaction of a test commits, and so nobody is told of it."""
    execution = prepare_execution(make_endpoint(), actor=make_actor(), correlation_id="c", input=SENT)
    return create_job(execution)


def post_cancel(client: Client, job: Job) -> str:
    data = {"action": "cancel", "_selected_action": str(job.pk)}
    return client.post(f"{PREFIX}/job/", data, follow=True).content.decode()


def test_a_job_is_listed_with_its_attempts_and_the_way_to_its_events(admin_client: Client, job: Job) -> None:
    page = admin_client.get(f"{PREFIX}/job/").content.decode()
    assert "0 / 3" in page
    (link,) = re.findall(r'href="(/admin/automate_api/jobevent/\?[^"]+)"', page)
    events = admin_client.get(link)
    assert events.status_code == 200
    assert "queued" in events.content.decode()


def test_what_the_caller_sent_is_not_shown(admin_client: Client, job: Job) -> None:
    page = admin_client.get(f"{PREFIX}/job/{job.pk}/change/").content.decode()
    stored = Job.objects.values_list("request", flat=True).get()
    assert stored.reveal()
    assert SENT not in page
    assert "field-request" not in page
    assert "field-token" not in page


@pytest.mark.parametrize("model", ["job", "jobevent", "endpointversion", "llmclientversion"])
def test_nobody_adds_or_changes(admin_client: Client, job: Job, model: str) -> None:
    assert admin_client.get(f"{PREFIX}/{model}/").status_code == 200
    assert admin_client.get(f"{PREFIX}/{model}/add/").status_code == 403
    assert admin_client.post(f"{PREFIX}/job/{job.pk}/change/", {"status": "failed"}).status_code == 403


def test_jobs_are_cancelled(admin_client: Client, job: Job) -> None:
    assert "1 job was cancelled." in post_cancel(admin_client, job)
    job.refresh_from_db()
    assert job.status == Job.Status.CANCELLED
    assert "1 job had ended already." in post_cancel(admin_client, job)


def test_who_may_only_look_cancels_nothing(client: Client, job: Job) -> None:
    user = make_user(is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_job"))
    client.force_login(user)
    assert "Cancel" not in client.get(f"{PREFIX}/job/").content.decode()
    post_cancel(client, job)
    job.refresh_from_db()
    assert job.status == Job.Status.QUEUED

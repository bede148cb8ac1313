"""What the admin shows of what machines write, and what it does with it."""

import io
import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from automate_api.models import Actor, Artifact, Event, Job
from automate_api.services.api_keys import authenticate_key, issue_key, rotate_key
from automate_api.services.artifacts import upload_artifact
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


def make_artifact(name: str = "notes.txt", *, tenant_id: str = "acme", content: bytes = b"content") -> Artifact:
    actor = make_actor(tenant_id=tenant_id)
    return upload_artifact(io.BytesIO(content), actor=actor, name=name, content_type="text/html")


def listed(client: Client, search: str) -> list[str]:
    """The names of the artifacts that a search finds."""
    page = client.get(f"{PREFIX}/artifact/", {"q": search}).content.decode()
    return re.findall(r'class="field-name">([^<]*)<', page)


def test_artifacts_of_every_tenant_are_found_by_name_digest_and_id(admin_client: Client) -> None:
    ours, theirs = make_artifact("ours.txt"), make_artifact("theirs.txt", tenant_id="globex", content=b"another")
    assert sorted(listed(admin_client, "")) == ["ours.txt", "theirs.txt"]
    for search in ("theirs", theirs.sha256, str(theirs.pk), theirs.sha256.upper()):
        assert listed(admin_client, search) == ["theirs.txt"], search
    assert listed(admin_client, ours.sha256[:-1]) == []


def test_an_artifact_is_shown_without_the_address_of_its_file(admin_client: Client) -> None:
    artifact = make_artifact("<script>alert(1)</script>.html")
    page = admin_client.get(f"{PREFIX}/artifact/{artifact.pk}/change/").content.decode()
    assert artifact.sha256 in page
    assert artifact.file.name not in page
    assert "<script>alert(1)" not in page


@pytest.mark.parametrize("model", ["artifact", "event"])
def test_nobody_adds_or_changes_an_artifact_or_an_event(admin_client: Client, model: str) -> None:
    actor = make_actor()
    event = Event.objects.create(
        tenant_id=actor.tenant_id, user=actor.user, type="t", source="s", occurred_at=timezone.now()
    )
    row = {"artifact": make_artifact(), "event": event}[model]
    assert admin_client.get(f"{PREFIX}/{model}/").status_code == 200
    assert admin_client.get(f"{PREFIX}/{model}/{row.pk}/change/").status_code == 200
    assert admin_client.get(f"{PREFIX}/{model}/add/").status_code == 403
    assert admin_client.post(f"{PREFIX}/{model}/{row.pk}/change/", {"name": "x"}).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_an_artifact_is_deleted_with_its_file(admin_client: Client) -> None:
    one, other, kept = make_artifact(), make_artifact(), make_artifact()
    admin_client.post(f"{PREFIX}/artifact/{one.pk}/delete/", {"post": "yes"})
    data = {"action": "delete_selected", "_selected_action": str(other.pk), "post": "yes"}
    admin_client.post(f"{PREFIX}/artifact/", data)
    assert Artifact.objects.get() == kept
    assert [Path(artifact.file.path).exists() for artifact in (one, other, kept)] == [False, False, True]


def download(client: Client, artifact: Artifact) -> Any:
    return client.get(f"{PREFIX}/artifact/{artifact.pk}/download/")


def test_a_file_of_any_tenant_is_downloaded_and_never_shown(admin_client: Client) -> None:
    artifact = make_artifact("page.html", tenant_id="globex")
    page = admin_client.get(f"{PREFIX}/artifact/").content.decode()
    (link,) = re.findall(r'href="([^"]+/download/)"', page)
    answer = admin_client.get(link)
    assert b"".join(answer.streaming_content) == b"content"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert link in admin_client.get(f"{PREFIX}/artifact/{artifact.pk}/change/").content.decode()
    assert admin_client.post(link).status_code == 405


def test_a_file_is_for_those_who_may_see_its_row(client: Client, admin_client: Client) -> None:
    artifact = make_artifact()
    assert download(client, artifact).status_code == 302
    user = make_user(is_staff=True)
    client.force_login(user)
    assert download(client, artifact).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="view_artifact"))
    client.force_login(user)
    answer = download(client, artifact)
    assert (answer.status_code, b"".join(answer.streaming_content)) == (200, b"content")
    assert client.get(f"{PREFIX}/artifact/{'0' * 8}-0000-0000-0000-{'0' * 12}/download/").status_code == 404


def test_a_file_that_is_gone_is_told_of(admin_client: Client) -> None:
    artifact = make_artifact()
    Path(artifact.file.path).unlink()
    page = admin_client.get(f"{PREFIX}/artifact/{artifact.pk}/download/", follow=True)
    assert "The file cannot be read." in page.content.decode()


def test_a_list_of_artifacts_takes_as_many_statements_as_one(admin_client: Client) -> None:
    taken = []
    for more in (1, 19):
        for _ in range(more):
            make_artifact()
        with CaptureQueriesContext(connection) as statements:
            assert admin_client.get(f"{PREFIX}/artifact/").status_code == 200
        taken.append(len(statements))
    assert taken[0] == taken[1]


def test_a_key_is_shown_without_its_digests_and_revoked(admin_client: Client) -> None:
    key, text = issue_key(tenant_id="default", user=make_user(), name="ci", scopes=["*"])
    rotated, _text = rotate_key(key, actor=Actor(user=key.user, tenant_id="default"), overlap_seconds=60)
    page = admin_client.get(f"{PREFIX}/apikey/{key.pk}/change/").content.decode()
    for name in ("previous_until", "revoked_at", "last_used_at"):
        assert f"field-{name}" in page
    for digest in (rotated.digest, rotated.previous_digest):
        assert digest
        assert digest not in page
    admin_client.post(f"{PREFIX}/apikey/", {"action": "revoke", "_selected_action": str(key.pk)}, follow=True)
    assert authenticate_key(text) is None

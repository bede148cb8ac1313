"""`prompt-logs/download/`: whose logs, in what form, and what is refused."""

import zipfile
from io import BytesIO
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client
from django.urls import path
from pytest_django import Settings

from automate_api.models import PromptLog
from automate_api.services.api_keys import issue_key
from automate_api.v1.views import PromptLogViewSet
from tests.factories import make_prompt_log, make_user
from tests.prompt_logs import make_prompt_logs

URL = "/api/v1/prompt-logs/download/"


class Guarded(PromptLogViewSet):
    """Asks the database about each log."""

    def may_read_log(self, log: PromptLog) -> bool:
        return bool(log.execution.user_id == self.request.user.pk)


urlpatterns = [path("guarded/", Guarded.as_view({"get": "download"}))]


def key_of(user: Any, tenant_id: str = "default") -> dict[str, str]:
    return {"Authorization": f"Bearer {issue_key(tenant_id=tenant_id, user=user, name='k', scopes=['*'])[1]}"}


def names(content: bytes) -> list[str]:
    with zipfile.ZipFile(BytesIO(content)) as opened:
        assert opened.testzip() is None
        return opened.namelist()


def download(user: Any, prefix: str, *, url: str = URL, tenant_id: str = "default", **headers: str) -> Any:
    return Client().get(url, {"prefix": prefix}, headers={**key_of(user, tenant_id), **headers})


@pytest.mark.django_db
def test_members_get_their_own_logs_and_staff_those_of_the_tenant() -> None:
    ann, bob, staff = make_user(), make_user(), make_user(is_staff=True)
    make_prompt_log(log_key="a-ann", user=ann)
    make_prompt_log(log_key="a-bob", user=bob)
    make_prompt_log(log_key="a-nobody")
    make_prompt_log(log_key="a-away", tenant_id="globex", user=ann)
    assert names(download(ann, "a-").getvalue()) == ["a-ann-system", "a-ann-history"]
    assert {name.rpartition("-")[0] for name in names(download(staff, "a-").getvalue())} == {
        "a-ann", "a-bob", "a-nobody",
    }  # fmt: skip
    assert names(download(ann, "a-", tenant_id="globex").getvalue()) == ["a-away-system", "a-away-history"]
    hidden, absent = (download(bob, prefix) for prefix in ("a-ann", "a-xxx"))
    assert (hidden.status_code, hidden.content) == (404, absent.content)


@pytest.mark.django_db
def test_the_answer_is_a_file_to_save_and_not_to_keep() -> None:
    user = make_user()
    make_prompt_log(log_key="a", user=user)
    response = download(user, "a")
    assert response.headers["Content-Type"] == "application/zip"
    assert response.headers["Content-Disposition"] == 'attachment; filename="prompt-logs.zip"'
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"
    assert "Content-Length" not in response.headers


@pytest.mark.django_db
@pytest.mark.parametrize("accept", ["application/zip", "*/*", "application/json", "application/zip, */*;q=0.1"])
def test_whoever_accepts_zip_files_or_anything_is_served(accept: str) -> None:
    user = make_user()
    make_prompt_log(log_key="a", user=user)
    assert names(download(user, "a", Accept=accept).getvalue()) == ["a-system", "a-history"]
    refused = download(user, "b", Accept=accept)
    assert (refused.status_code, refused.headers["Content-Type"]) == (404, "application/problem+json")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 422, "unprocessable"),
        ("?prefix=", 422, "unprocessable"),
        ("?prefix=log-", 422, "unprocessable"),
        ("?prefix=log-9", 404, "not_found"),
        ("?prefix=%00", 400, "invalid_input"),
        ("?prefix=" + "x" * 5000, 404, "not_found"),
        ("?prefix=%ED%A0%80", 404, "not_found"),
        ("?prefix=%F4%8F%BF%BF", 404, "not_found"),
        ("?prefix=log-&page_size=7", 400, "invalid_input"),
        ("?prefix=log-&model=m", 400, "invalid_input"),
    ],
)
def test_what_chooses_nothing_or_too_much_is_refused(query: str, status: int, code: str) -> None:
    staff = make_user(is_staff=True)
    make_prompt_logs(1001, size=10)
    response = Client().get(URL + query, headers=key_of(staff))
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert "1001" not in response.content.decode()


@pytest.mark.django_db
def test_a_view_of_a_hosts_own_says_who_may_read_which_log(settings: Settings) -> None:
    settings.ROOT_URLCONF = __name__
    staff, other = make_user(is_staff=True), make_user()
    make_prompt_log(log_key="a-1", user=staff)
    make_prompt_log(log_key="a-2", user=other)
    assert names(download(staff, "a", url="/guarded/").getvalue()) == ["a-1-system", "a-1-history", "a-2-error"]


@pytest.mark.django_db
def test_head_answers_alike_and_reads_no_log(django_assert_num_queries: Any) -> None:
    staff = make_user(is_staff=True)
    make_prompt_logs(30, size=10)
    headers = key_of(staff)
    client = Client()
    assert client.get(URL, {"prefix": "log"}, headers=headers).status_code == 200
    with django_assert_num_queries(2):
        response: Any = client.head(URL, {"prefix": "log"}, headers=headers)
        assert response.getvalue() == b""
    assert response.headers["Content-Type"] == "application/zip"
    assert client.head(URL, {"prefix": "x"}, headers=headers).status_code == 404


@pytest.mark.django_db
def test_under_asgi_it_is_the_same_file() -> None:
    staff = make_user(is_staff=True)
    make_prompt_logs(40, size=30_000)

    async def ask() -> list[bytes]:
        response: Any = await AsyncClient().get(URL, {"prefix": "log"}, headers=key_of_staff)
        return [page async for page in response.streaming_content]

    key_of_staff = key_of(staff)
    pages = async_to_sync(ask)()
    assert len(pages) > 2
    assert b"".join(pages) == download(staff, "log").getvalue()

"""API keys in requests: where they may stand, and what is left to other authenticators."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from automate_api.models import APIKey
from automate_api.services.api_keys import issue_key, revoke_key
from tests.factories import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.hosts.shop.urls")]

PATH = "/opened/"
SHAPED = f"aak_{'0' * 32}_{'A' * 43}"


@pytest.fixture
def key() -> tuple[APIKey, str]:
    return issue_key(tenant_id="default", user=make_user(username="ann"), name="test", scopes=["*"])


@pytest.mark.parametrize(
    ("header", "template"),
    [
        ("Authorization", "Bearer {}"),
        ("Authorization", "bearer {}"),
        ("Authorization", "Bearer  {}"),
        ("X-API-Key", "{}"),
    ],
)
def test_a_key_may_come_in_either_header(key: tuple[APIKey, str], header: str, template: str) -> None:
    answer = APIClient().get(PATH, headers={header: template.format(key[1])})
    assert (answer.status_code, answer.json()) == (200, {"user": "ann"})


def test_a_key_costs_one_query(key: tuple[APIKey, str], django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        APIClient().get(PATH, headers={"X-API-Key": key[1]})


def test_a_key_needs_no_csrf_token(key: tuple[APIKey, str]) -> None:
    answer = APIClient(enforce_csrf_checks=True).post("/echo/", {}, format="json", headers={"X-API-Key": key[1]})
    assert answer.status_code == 200


@pytest.mark.parametrize("header", ["Authorization", "X-API-Key"])
def test_an_unknown_key_is_refused_with_a_challenge(header: str) -> None:
    answer = APIClient().get(PATH, headers={header: f"Bearer {SHAPED}" if header == "Authorization" else SHAPED})
    assert (answer.status_code, answer.json()["code"]) == (401, "authentication_failed")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api"'


@pytest.mark.parametrize("reason", ["expired", "revoked", "inactive", "wrong secret"])
def test_a_key_that_no_longer_works_answers_like_one_that_never_did(key: tuple[APIKey, str], reason: str) -> None:
    row, text = key
    if reason == "expired":
        APIKey.objects.filter(pk=row.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    elif reason == "revoked":
        revoke_key(row)
    elif reason == "inactive":
        row.user.is_active = False
        row.user.save()
    else:
        text = text[:-1] + ("A" if text[-1] != "A" else "B")
    answer = APIClient().get(PATH, headers={"X-API-Key": text})
    unknown = APIClient().get(PATH, headers={"X-API-Key": SHAPED})
    assert (answer.status_code, answer.content) == (401, unknown.content)


@pytest.mark.parametrize("sent", ["", "nonsense", "sk-abc", "aak_short", f"Bearer {SHAPED}", SHAPED + "A"])
def test_x_api_key_of_another_shape_is_refused(sent: str) -> None:
    assert APIClient().get(PATH, headers={"X-API-Key": sent}).status_code == 401


def test_a_bearer_of_another_shape_is_left_to_the_next_authenticator() -> None:
    client = APIClient()
    client.force_login(make_user(username="bob"))
    assert client.get(PATH, headers={"Authorization": "Bearer eyJhbGciOi.x.y"}).json() == {"user": "bob"}
    assert client.get(PATH, headers={"Authorization": "Bearer"}).json() == {"user": "bob"}


def test_a_bearer_of_another_shape_leaves_room_for_a_key_in_the_other_header(key: tuple[APIKey, str]) -> None:
    headers = {"Authorization": "Bearer eyJhbGciOi.x.y", "X-API-Key": key[1]}
    assert APIClient().get(PATH, headers=headers).json() == {"user": "ann"}


def test_a_bad_key_is_not_made_good_by_a_session() -> None:
    client = APIClient()
    client.force_login(make_user())
    assert client.get(PATH, headers={"Authorization": f"Bearer {SHAPED}"}).status_code == 401


def test_another_authenticator_may_stand_beside_it(key: tuple[APIKey, str], settings: Settings) -> None:
    settings.AUTOMATE_API_AUTHENTICATION_CLASSES = [
        "rest_framework.authentication.BasicAuthentication",
        "automate_api.v1.authentication.APIKeyAuthentication",
    ]
    assert APIClient().get(PATH, headers={"X-API-Key": key[1]}).status_code == 200

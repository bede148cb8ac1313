"""Views for everybody: nobody need be signed in, and everybody is counted."""

import pytest
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient, APIRequestFactory
from rest_framework.views import APIView

from automate_api.v1.base import BaseViewSet, PublicAPIMixin, StaffOnlyMixin
from tests.hosts.shop.people import signed_in, with_key

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.hosts.guarded.urls")]


@pytest.mark.parametrize("path", ["/public/", "/plain-public/"])
def test_nobody_need_be_signed_in(path: str) -> None:
    assert APIClient().get(path).status_code == 200


def test_who_is_signed_in_is_known() -> None:
    client = signed_in()
    assert client.get("/public/").json()["user"]


def test_a_key_needs_no_scope() -> None:
    assert with_key(scopes=["other:read"]).get("/public/").status_code == 200


def test_a_key_that_is_none_is_still_refused() -> None:
    assert APIClient().get("/public/", headers={"X-API-Key": "aak_wrong"}).status_code == 401


@pytest.mark.parametrize(("path", "most"), [("/public/", 10), ("/plain-public/", 2)])
def test_who_guesses_credentials_is_limited_too(path: str, most: int) -> None:
    wrong = {"X-API-Key": "aak_wrong", "Authorization": "Basic YTpi"}
    answers = [APIClient().get(path, headers=wrong).status_code for _ in range(most + 1)]
    assert (set(answers[:-1]), answers[-1]) == ({answers[0]}, 429)
    assert APIClient().get(path).status_code == 429


def test_where_a_host_authenticates_in_its_own_way_they_are_counted_all_the_same() -> None:
    class Own(PublicAPIMixin, APIView):
        public_rate_limit = "1/day"

        def perform_authentication(self, request: Request) -> None:
            pass

        def get(self, request: Request) -> Response:
            return Response({})

    view = Own.as_view()
    assert [view(APIRequestFactory().get("/")).status_code for _ in range(2)] == [200, 429]


@pytest.mark.parametrize(("path", "most"), [("/public/", 10), ("/plain-public/", 2)])
def test_each_address_is_limited_whoever_signs_in_from_it(path: str, most: int) -> None:
    assert {APIClient().get(path).status_code for _ in range(most)} == {200}
    assert APIClient().get(path).status_code == 429
    assert with_key().get(path).status_code == 429
    assert APIClient(REMOTE_ADDR="198.51.100.7").get(path).status_code == 200


def test_the_views_own_limit_counts_as_well_and_the_tighter_stands_first() -> None:
    answers = [signed_in().get("/both/") for _ in range(2)]
    assert answers[1].headers["RateLimit-Policy"] == '"BothLimitsView";q=3;w=86400, "public";q=5;w=86400'
    client = signed_in()
    assert [client.get("/both/").status_code for _ in range(4)] == [200, 200, 200, 429]


def test_without_a_limit_it_is_not_served(caplog: pytest.LogCaptureFixture) -> None:
    assert APIClient().get("/unlimited-public/").status_code == 500
    assert "needs a public_rate_limit" in caplog.text


def test_what_is_for_staff_stays_for_staff() -> None:
    assert APIClient().get("/public/secret/").status_code == 401
    assert signed_in().get("/public/secret/").status_code == 403
    assert signed_in(is_staff=True).get("/public/secret/").status_code == 200


def test_the_views_own_permissions_still_count() -> None:
    assert APIClient().get("/closed-public/").status_code == 401
    assert signed_in().get("/closed-public/").status_code == 403


@pytest.mark.parametrize("base", [BaseViewSet, viewsets.ViewSet])
def test_for_everybody_and_for_staff_only_is_a_type_error(base: type) -> None:
    for first, second in ((PublicAPIMixin, StaffOnlyMixin), (StaffOnlyMixin, PublicAPIMixin)):
        with pytest.raises(TypeError, match="leave one"):
            type("Both", (first, second, base), {})

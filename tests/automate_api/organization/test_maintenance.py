"""Maintenance mode: a setting and a command, at once and before anything else."""

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import path
from pytest_django import Settings
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from automate_api.models import Maintenance
from automate_api.services.maintenance import begin_maintenance, end_maintenance, seconds_to_wait
from automate_api.v1.base import BaseAPIView, MaintenanceMixin
from tests.automate_api.organization.fixtures import LOGS, MODELS, SIGN_IN, ask, person, told


class PlainView(MaintenanceMixin, APIView):
    """On REST framework's own view."""

    schema = None

    def get(self, request: Request) -> Response:
        return Response({})


class OwnView(MaintenanceMixin, BaseAPIView):
    """On the package's."""

    scope_resource = "own"

    def get(self, request: Request) -> Response:
        return Response({})


urlpatterns = [path("plain/", PlainView.as_view()), path("own/", OwnView.as_view())]


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("maintenance", *arguments, stdout=out)
    return out.getvalue().strip()


@pytest.mark.django_db
def test_it_is_switched_on_and_off_and_tells_how_it_is(settings: Settings) -> None:
    assert run("status") == "off"
    assert run("on") == "on, retry after 300 s"
    assert run("on", "--retry-after", "7") == "on, retry after 7 s"
    assert run("status") == "on, retry after 7 s"
    assert [run("off"), run("off"), run("status")] == ["off", "off", "off"]
    settings.AUTOMATE_API_MAINTENANCE = True
    settings.AUTOMATE_API_MAINTENANCE_RETRY_AFTER = 60
    assert run("off") == "on, retry after 60 s (AUTOMATE_API_MAINTENANCE)"


@pytest.mark.parametrize(
    "arguments", [["on", "--retry-after", "0"], ["on", "--retry-after", "x"], ["off", "--retry-after", "5"], ["maybe"]]
)
def test_what_cannot_be_meant_is_refused(arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        run(*arguments)


@pytest.mark.django_db
def test_every_route_answers_503_before_it_looks_at_anything(
    settings: Settings, django_assert_num_queries: Any
) -> None:
    caller = person(is_staff=True)
    bearer = caller.bearer
    requests = [("POST", SIGN_IN, caller.claims), ("POST", SIGN_IN, {}), ("GET", MODELS, bearer), ("GET", LOGS, {})]
    requests += [("PUT", MODELS, {}), ("GET", "admin", {}), ("GET", MODELS, {"Authorization": "Bearer x"})]
    begin_maintenance(retry_after=7)
    for queries in (1, 0):
        for method, route, headers in requests:
            with django_assert_num_queries(queries):
                answer = ask(route, method=method, organization="nowhere", **headers)
            assert told(answer) == (503, "maintenance")
            assert answer.headers["Retry-After"] == "7"
        # By the setting alone nothing is asked.
        end_maintenance()
        settings.AUTOMATE_API_MAINTENANCE = True
        settings.AUTOMATE_API_MAINTENANCE_RETRY_AFTER = 7
    settings.AUTOMATE_API_MAINTENANCE = False
    # Nothing was counted meanwhile.
    assert [ask(SIGN_IN, method="POST", **caller.claims).status_code for _ in range(5)] == [200] * 5
    assert Client().get("/api/v1/models/").status_code == 401


@pytest.mark.django_db
def test_views_of_a_host_answer_503_each_in_its_form(settings: Settings) -> None:
    settings.ROOT_URLCONF = __name__
    assert [Client().get(url).status_code for url in ("/plain/", "/own/")] == [200, 401]
    begin_maintenance(retry_after=7)
    plain, own = (Client().get(url) for url in ("/plain/", "/own/"))
    assert (plain.status_code, plain.headers["Content-Type"]) == (503, "application/json")
    assert (own.status_code, own.headers["Content-Type"]) == (503, "application/problem+json")
    assert own.json()["code"] == "maintenance"
    assert [answer.headers["Retry-After"] for answer in (plain, own)] == ["7", "7"]


@pytest.fixture
def closing() -> Iterator[None]:
    yield
    end_maintenance()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("closing")
def test_two_at_once_switch_it_on_once() -> None:
    def switch(number: int) -> None:
        try:
            begin_maintenance(retry_after=number)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(switch, range(1, 13)))
    assert Maintenance.objects.count() == 1
    assert seconds_to_wait() in range(1, 13)


@pytest.mark.django_db
def test_there_is_no_second_row() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Maintenance.objects.create(id=2, retry_after=1)

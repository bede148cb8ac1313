"""Tenancy: rows of the caller's tenant only, however a subclass goes about them."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings
from rest_framework import viewsets
from rest_framework.serializers import ModelSerializer
from rest_framework.test import APIClient, APIRequestFactory, force_authenticate

from automate_api.v1.base import BaseModelViewSet, TenantFilterMixin
from tests.factories import make_user
from tests.hosts.shop.models import Item, Organization, Project, Task
from tests.hosts.shop.people import basic_authorization, signed_in, with_key

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.hosts.shop.urls")]

ACME = {"X-Tenant": "acme"}


@pytest.fixture(autouse=True)
def _tenant_in_a_header(settings: Settings) -> None:
    settings.AUTOMATE_API_TENANT_RESOLVER = "tests.hosts.shop.people.tenant_of_header"


@pytest.fixture
def basic() -> APIClient:
    """A client of the plain views."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=basic_authorization(make_user()))
    return client


def names(answer: Any) -> list[str]:
    """The names of the rows on a page."""
    return sorted(row["name"] for row in answer.json()["results"])


@pytest.mark.parametrize("path", ["/items/", "/own/"])
def test_a_list_has_the_tenants_rows_and_no_others(path: str) -> None:
    Item.objects.create(name="ours", tenant_id="acme")
    Item.objects.create(name="theirs", tenant_id="globex")
    assert names(signed_in().get(path, headers=ACME)) == ["ours"]


@pytest.mark.parametrize("path", ["/items/", "/own/"])
@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_a_foreign_row_answers_byte_for_byte_like_an_absent_one(path: str, method: str) -> None:
    theirs = Item.objects.create(name="theirs", tenant_id="globex")
    send = getattr(signed_in(is_staff=True), method)
    body = {"name": "x"} if method.startswith("p") else None
    foreign = send(f"{path}{theirs.pk}/", body, headers=ACME, format="json")
    absent = send(f"{path}{theirs.pk + 1}/", body, headers=ACME, format="json")
    assert foreign.status_code == absent.status_code == 404
    assert foreign.content == absent.content
    theirs.refresh_from_db()
    assert theirs.name == "theirs"


@pytest.mark.parametrize("path", ["/items/", "/own/"])
def test_create_stamps_the_tenant_whatever_the_body_says(path: str) -> None:
    answer = signed_in().post(path, {"name": "new", "tenant_id": "globex"}, headers=ACME, format="json")
    assert answer.status_code == 201
    assert Item.objects.get().tenant_id == "acme"


class SameItem(Item):
    """A proxy: the same rows under another name."""

    class Meta:
        app_label = Item._meta.app_label
        proxy = True


@pytest.mark.parametrize(("shown", "saved"), [(Item, SameItem), (SameItem, Item), (SameItem, SameItem)])
def test_a_proxy_of_the_model_is_stamped_like_the_model(shown: type[Item], saved: type[Item]) -> None:
    meta = type("Meta", (), {"model": saved, "fields": ("name", "tenant_id")})
    serializer = type("SavedSerializer", (ModelSerializer,), {"Meta": meta})
    own = {"queryset": shown.objects.all(), "serializer_class": serializer}
    view = type("ProxyViewSet", (TenantFilterMixin, BaseModelViewSet), own).as_view({"post": "create"})
    request = APIRequestFactory().post("/", {"name": "new", "tenant_id": "globex"}, headers=ACME, format="json")
    force_authenticate(request, make_user())
    assert view(request).status_code == 201
    assert Item.objects.get().tenant_id == "acme"


def test_what_perform_create_adds_is_kept() -> None:
    signed_in().post("/own/", {"name": "new"}, headers=ACME, format="json")
    assert Item.objects.get().rank == 7


@pytest.mark.parametrize("path", ["/items/", "/own/"])
@pytest.mark.parametrize("method", ["put", "patch"])
def test_update_moves_no_row_to_another_tenant(path: str, method: str) -> None:
    ours = Item.objects.create(name="ours", tenant_id="acme")
    body = {"name": "still ours", "tenant_id": "globex"}
    answer = getattr(signed_in(), method)(f"{path}{ours.pk}/", body, headers=ACME, format="json")
    assert answer.status_code == 200
    ours.refresh_from_db()
    assert (ours.name, ours.tenant_id) == ("still ours", "acme")


@pytest.mark.parametrize("path", ["/items/", "/own/"])
def test_without_a_tenant_there_are_no_rows_and_nothing_is_made(path: str) -> None:
    row = Item.objects.create(name="theirs", tenant_id="")
    Item.objects.create(name="none", tenant_id="None")
    client = signed_in()
    assert names(client.get(path)) == []
    assert client.get(f"{path}{row.pk}/").status_code == 404
    answer = client.post(path, {"name": "new"}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert Item.objects.count() == 2


def test_an_api_key_brings_its_own_tenant() -> None:
    Item.objects.create(name="ours", tenant_id="acme")
    Item.objects.create(name="theirs", tenant_id="globex")
    client = with_key(tenant_id="globex")
    assert names(client.get("/items/", headers=ACME)) == ["theirs"]
    client.post("/items/", {"name": "new"}, headers=ACME, format="json")
    assert Item.objects.get(name="new").tenant_id == "globex"


def test_a_superuser_sees_no_other_tenant() -> None:
    Item.objects.create(name="theirs", tenant_id="globex")
    superuser = make_user(is_staff=True, is_superuser=True)
    assert names(signed_in(user=superuser).get("/items/", headers=ACME)) == []


def test_a_path_through_foreign_keys_filters() -> None:
    ours, theirs = _two_projects()
    Task.objects.create(name="ours", project=ours)
    foreign = Task.objects.create(name="theirs", project=theirs)
    Task.objects.create(name="nobody's")
    headers = {"X-Tenant": str(ours.organization_id)}
    assert names(signed_in().get("/tasks/", headers=headers)) == ["ours"]
    assert signed_in().get(f"/tasks/{foreign.pk}/", headers=headers).status_code == 404


def test_create_accepts_a_parent_of_the_tenant() -> None:
    ours, _theirs = _two_projects()
    headers = {"X-Tenant": str(ours.organization_id)}
    answer = signed_in().post("/tasks/", {"name": "new", "project": ours.pk}, headers=headers, format="json")
    assert answer.status_code == 201


@pytest.mark.parametrize("method", ["post", "put", "patch"])
def test_a_parent_of_another_tenant_answers_byte_for_byte_like_an_absent_one(method: str) -> None:
    ours, theirs = _two_projects()
    task = Task.objects.create(name="ours", project=ours)
    headers = {"X-Tenant": str(ours.organization_id)}
    path = "/tasks/" if method == "post" else f"/tasks/{task.pk}/"
    send = getattr(signed_in(), method)
    foreign = send(path, {"name": "new", "project": theirs.pk}, headers=headers, format="json")
    absent = send(path, {"name": "new", "project": theirs.pk + 1}, headers=headers, format="json")
    assert foreign.status_code == absent.status_code == 400
    assert foreign.content == absent.content
    assert foreign.json()["errors"] == [
        {"field": "project", "code": "does_not_exist", "detail": "There is no such object."}
    ]
    assert list(Task.objects.values_list("name", "project_id")) == [("ours", ours.pk)]


@pytest.mark.parametrize("body", [{"name": "new"}, {"name": "new", "project": None}])
def test_a_row_without_a_parent_would_have_no_tenant_and_is_not_made(body: dict[str, Any]) -> None:
    ours, _theirs = _two_projects()
    answer = signed_in().post("/tasks/", body, headers={"X-Tenant": str(ours.organization_id)}, format="json")
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["project"]
    assert not Task.objects.exists()


def test_an_update_that_leaves_the_parent_alone_needs_none_in_the_body() -> None:
    ours, _theirs = _two_projects()
    task = Task.objects.create(name="old", project=ours)
    headers = {"X-Tenant": str(ours.organization_id)}
    assert signed_in().patch(f"/tasks/{task.pk}/", {"name": "new"}, headers=headers, format="json").status_code == 200


def test_on_a_plain_view_the_mixin_filters_and_stamps_by_a_foreign_keys_column(basic: APIClient) -> None:
    ours, theirs = _two_projects()
    headers = {"X-Tenant": str(ours.organization_id)}
    assert names(basic.get("/plain/projects/", headers=headers)) == ["ours"]
    assert basic.get(f"/plain/projects/{theirs.pk}/", headers=headers).status_code == 404
    assert basic.post("/plain/projects/", {"name": "new"}, headers=headers, format="json").status_code == 201
    assert Project.objects.get(name="new").organization_id == ours.organization_id


def test_a_tenant_that_the_column_cannot_hold_has_no_rows(basic: APIClient) -> None:
    _two_projects()
    headers = {"X-Tenant": "not a number"}
    assert names(basic.get("/plain/projects/", headers=headers)) == []
    assert basic.post("/plain/projects/", {"name": "new"}, headers=headers, format="json").status_code == 403


@pytest.mark.parametrize("field", ["tenant_id", "project.tenant_id", "nothing.organization_id", "tags.id", "name.id"])
def test_a_model_without_the_field_is_improperly_configured_when_it_is_routed(field: str) -> None:
    class Wrong(TenantFilterMixin, viewsets.ModelViewSet[Task]):
        queryset = Task.objects.all()
        tenant_field = field

    with pytest.raises(ImproperlyConfigured, match="tenant_field"):
        Wrong.as_view({"get": "list"})


def test_a_model_without_the_field_is_improperly_configured_when_it_is_queried() -> None:
    class Wrong(TenantFilterMixin, viewsets.ModelViewSet[Task]):
        def get_queryset(self) -> Any:
            return Task.objects.all()

    with pytest.raises(ImproperlyConfigured):
        Wrong().of_tenant(Task.objects.all())


def _two_projects() -> tuple[Project, Project]:
    acme, globex = Organization.objects.create(name="acme"), Organization.objects.create(name="globex")
    ours = Project.objects.create(name="ours", organization=acme)
    return ours, Project.objects.create(name="theirs", organization=globex)

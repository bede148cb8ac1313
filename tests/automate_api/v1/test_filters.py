"""Query parameters, filters and orders of lists: declared ones work, anything else is a 400."""

import uuid
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.hosts.shop.models import Item, Organization, Project
from tests.hosts.shop.people import signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.hosts.shop.urls")]


@pytest.fixture
def client() -> APIClient:
    return signed_in()


def names(client: APIClient, path: str) -> list[str]:
    """The names on a page, in their order."""
    answer = client.get(path)
    assert answer.status_code == 200, answer.content
    return [row["name"] for row in answer.json()["results"]]


def errors(client: APIClient, path: str) -> list[tuple[str, str]]:
    """What is wrong, by field."""
    answer = client.get(path)
    assert answer.status_code == 400, answer.content
    return [(error["field"], error["code"]) for error in answer.json()["errors"]]


@pytest.fixture
def items() -> dict[str, Item]:
    project = Project.objects.create(name="p", organization=Organization.objects.create(name="o"))
    return {
        "a": Item.objects.create(name="a", rank=2, kind="new", project=project),
        "b": Item.objects.create(name="b", rank=1, kind="used"),
        "c": Item.objects.create(name="c", rank=3, kind="used", sold=True),
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("kind=used&ordering=name", ["b", "c"]),
        ("rank_min=2&ordering=name", ["a", "c"]),
        ("rank_min=2&rank_max=2", ["a"]),
        ("ordering=-rank", ["c", "a", "b"]),
        ("ordering=rank,name", ["b", "a", "c"]),
        ("kind=&ordering=name", ["a", "b", "c"]),
        ("verbose=anything&ordering=name", ["a", "b", "c"]),
    ],
)
def test_declared_filters_and_orders_work(client: APIClient, items: Any, query: str, expected: list[str]) -> None:
    assert names(client, f"/items/?{query}") == expected


def test_a_relation_is_filtered_by_id_without_telling_absent_from_foreign(client: APIClient, items: Any) -> None:
    project = items["a"].project_id
    assert names(client, f"/items/?project={project}") == ["a"]
    assert names(client, f"/items/?project={project + 1}") == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("kind=broken", ("kind", "invalid_choice")),
        ("project=x", ("project", "invalid")),
        ("project=1e999999999", ("project", "invalid")),
        ("code=x", ("code", "invalid")),
        ("rank_min=x", ("rank", "invalid")),
        ("ordering=price", ("ordering", "invalid")),
        ("ordering=", ("ordering", "invalid")),
        ("ordering=--name", ("ordering", "invalid")),
        ("ordering=project__organization__name", ("ordering", "invalid")),
        ("unknown=1", ("unknown", "unknown_parameter")),
        ("format=json", ("format", "unknown_parameter")),
        ("name=a", ("name", "unknown_parameter")),
        ("rank=1", ("rank", "unknown_parameter")),
        ("tenant_id=globex", ("tenant_id", "unknown_parameter")),
        ("kind=%00", ("kind", "invalid")),
        ("verbose=a%00b", ("verbose", "invalid")),
    ],
)
def test_what_does_not_fit_is_a_400_that_names_the_parameter(
    client: APIClient, items: Any, query: str, expected: tuple[str, str]
) -> None:
    assert errors(client, f"/items/?{query}") == [expected]


def test_every_unknown_parameter_is_named(client: APIClient) -> None:
    assert errors(client, "/items/?b=1&a=2") == [("b", "unknown_parameter"), ("a", "unknown_parameter")]


@pytest.mark.parametrize("query", ["kind=used", "ordering=name", "page_size=3", "cursor=x", "unknown=1"])
def test_parameters_of_lists_are_unknown_where_one_object_is_meant(client: APIClient, items: Any, query: str) -> None:
    path = f"/items/{items['a'].pk}/"
    assert client.get(f"{path}?{query}").status_code == 400
    assert client.patch(f"{path}?{query}", {"name": "x"}, format="json").status_code == 400
    assert client.post(f"/items/?{query}", {"name": "x"}, format="json").status_code == 400
    assert Item.objects.filter(name="x").count() == 0
    assert client.get(f"{path}?verbose=1").status_code == 200


def test_an_action_on_the_list_takes_the_lists_filters(items: Any) -> None:
    staff = signed_in(is_staff=True)
    assert staff.get("/items/count_all/?kind=used").json() == {"count": 2}
    assert staff.get("/items/count_all/?kind=broken").status_code == 400


def test_a_view_without_a_list_knows_only_its_extra_parameters(client: APIClient) -> None:
    assert client.get("/echo/?a=1").status_code == 400


def test_backends_of_others_bring_their_parameters(client: APIClient, items: Any) -> None:
    assert names(client, "/searched/?search=b") == ["b"]
    assert names(client, "/searched/?sold=true") == ["c"]
    assert errors(client, "/searched/?ordering=name") == [("ordering", "unknown_parameter")]
    assert errors(client, "/searched/?kind=used") == [("kind", "unknown_parameter")]


def test_a_view_may_declare_its_order(client: APIClient, items: Any) -> None:
    Item.objects.filter(name="a").update(name="z")
    assert names(client, "/searched/") == ["b", "c", "z"]


@pytest.mark.parametrize("pk", ["x", "1e3", "-", str(uuid.UUID(int=1)), "99999999999999999999999999"])
def test_an_id_that_cannot_be_one_answers_like_an_absent_one(client: APIClient, pk: str) -> None:
    answer = client.get(f"/items/{pk}/")
    assert answer.status_code == 404
    assert answer.content == client.get("/items/4711/").content

"""Query parameters, filters and orders of lists: declared ones work, anything else is a 400."""

import uuid
from typing import Any

import django_filters
import pytest
from django_filters import rest_framework as filters
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.test import APIClient

from automate_api.v1 import filtersets
from automate_api.v1.filters import FilterBackend, FilterSet
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


BOOLEANS = [("/searched/", "sold"), ("/api/v1/providers/", "enabled"), ("/api/v1/endpoints/", "enabled")]


def test_every_boolean_filter_of_the_package_is_tried_below() -> None:
    found = {
        (filterset.__name__, name)
        for filterset in vars(filtersets).values()
        if isinstance(filterset, type) and issubclass(filterset, FilterSet)
        for name, declared in filterset.base_filters.items()
        if isinstance(declared, django_filters.BooleanFilter)
    }
    assert found == {("ProviderFilterSet", "enabled"), ("EndpointFilterSet", "enabled")}


@pytest.mark.parametrize(("path", "name"), BOOLEANS)
def test_what_is_neither_true_nor_false_is_a_400(client: APIClient, path: str, name: str) -> None:
    for value in ("abc", "2", "null", "none", "yes", "%20true", "tru", "-1", "01", "%D9%A1", "x" * 5000):
        assert errors(client, f"{path}?{name}={value}") == [(name, "invalid")], value
    for value in ("", "true", "false", "True", "FALSE", "1", "0"):
        assert client.get(f"{path}?{name}={value}").status_code == 200, value


def test_true_false_and_nothing_choose_their_rows(client: APIClient, items: Any) -> None:
    for queries, expected in (("true 1 TRUE", "c"), ("false 0 False", "ab"), ("", "abc")):
        for value in queries.split() or [""]:
            assert names(client, f"/searched/?sold={value}") == list(expected)


@pytest.mark.parametrize("pk", ["x", "1e3", "-", str(uuid.UUID(int=1)), "99999999999999999999999999"])
def test_an_id_that_cannot_be_one_answers_like_an_absent_one(client: APIClient, pk: str) -> None:
    answer = client.get(f"/items/{pk}/")
    assert answer.status_code == 404
    assert answer.content == client.get("/items/4711/").content


class Pairs(FilterSet):
    """A host's filters, of which one looks at another and one acts without being asked."""

    class Meta:
        model = Item
        fields = ("kind", "rank")

    class Unsold(filters.BooleanFilter):
        def filter(self, qs: Any, value: Any) -> Any:
            return qs.filter(sold=bool(value))

    sold = Unsold()
    like = filters.CharFilter(method="by_likeness")

    def by_likeness(self, rows: Any, name: str, value: str) -> Any:
        return rows.filter(name=value) if self.form.cleaned_data["kind"] == "new" else rows.none()


def found(filterset: type[FilterSet], **data: str) -> list[str]:
    filtered = filterset(data, Item.objects.order_by("name"))
    assert filtered.is_valid()
    return [item.name for item in filtered.qs]


def test_a_filter_of_a_hosts_own_acts_without_its_parameter(items: Any) -> None:
    assert found(Pairs) == ["a", "b"]
    assert found(Pairs, sold="true") == ["c"]
    assert found(Pairs, kind="used") == ["b"]


def test_a_filter_by_method_sees_what_came_of_the_others(items: Any) -> None:
    assert found(Pairs, kind="new", like="a") == ["a"]
    assert found(Pairs, like="a") == []


def test_a_filterset_that_filters_by_code_has_all_its_filters(items: Any) -> None:
    class ByCode(FilterSet):
        class Meta:
            model = Item
            fields = ("kind", "rank")

        def filter_queryset(self, queryset: Any) -> Any:
            return queryset.filter(rank__gt=self.form.cleaned_data["rank"] or 2)

    assert found(ByCode) == ["c"]
    assert found(ByCode, rank="1") == ["a", "c"]


def test_a_filterset_that_changes_its_filters_when_it_is_made_has_them_all(items: Any) -> None:
    class Changing(FilterSet):
        class Meta:
            model = Item
            fields = ("kind", "rank")

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.filters["rank"].lookup_expr = "gte"

    assert found(Changing) == ["a", "b", "c"]
    assert found(Changing, rank="2") == ["a", "c"]


def test_a_required_filter_is_missed() -> None:
    class Required(FilterSet):
        kind = filters.CharFilter(required=True)

    assert list(Required({}, Item.objects.all()).errors) == ["kind"]


def test_only_what_is_asked_for_is_made_a_form_of() -> None:
    class Plain(FilterSet):
        class Meta:
            model = Item
            fields = {"kind": ["exact"], "rank": ["exact", "range"], "day": ["range"]}

    assert list(Plain({"kind": "new", "other": "x"}, Item.objects.all()).filters) == ["kind"]
    assert list(Plain({"rank__range_min": "1"}, Item.objects.all()).filters) == []
    assert list(Plain({"rank__range": "1,2"}, Item.objects.all()).filters) == ["rank__range"]
    assert list(Plain(None, Item.objects.all()).filters) == []
    assert list(Plain({}, Item.objects.all(), prefix="p").filters) == list(Plain.base_filters)


@pytest.mark.parametrize("fields", [["kind"], ("kind", "rank"), {"kind": ["exact", "in"]}, "__all__"])
def test_the_filterset_of_a_views_fields_is_that_of_django_filter_and_made_once(fields: Any) -> None:
    class View:
        filterset_fields = fields

    class Unremarkable(DjangoFilterBackend):
        filterset_base = FilterSet

    rows: Any = Organization.objects.all() if fields == "__all__" else Item.objects.all()
    ours, other = (backend().get_filterset_class(View(), rows) for backend in (FilterBackend, Unremarkable))
    assert list(ours.base_filters) == list(other.base_filters)
    assert FilterBackend().get_filterset_class(View(), rows) is ours

"""Pages over HTTP: the envelope, its parameters, and a walk while rows come and go."""

import datetime
import random
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from automate_api.v1 import pagination
from tests.factories import make_user
from tests.hosts.shop.models import Item, Organization, Project
from tests.hosts.shop.people import basic_authorization, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.hosts.shop.urls")]

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


@pytest.fixture
def client() -> APIClient:
    return signed_in()


def make_items(count: int) -> list[Item]:
    """Rows a minute apart, the first the oldest."""
    rows = (Item(name=f"n{n}", created_at=START + datetime.timedelta(minutes=n)) for n in range(count))
    return Item.objects.bulk_create(rows)


def page(client: APIClient, url: str) -> dict[str, Any]:
    """One page."""
    answer = client.get(url)
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def ids(found: dict[str, Any]) -> list[int]:
    """The ids on a page."""
    return [row["id"] for row in found["results"]]


def test_a_page_has_25_rows_newest_first(client: APIClient) -> None:
    items = make_items(30)
    found = page(client, "/items/")
    assert list(found) == ["next", "previous", "results"]
    assert ids(found) == [item.pk for item in items[:4:-1]]
    assert found["previous"] is None


def test_next_and_previous_lead_to_the_neighbours(client: APIClient) -> None:
    make_items(7)
    first = page(client, "/items/?page_size=3")
    second = page(client, first["next"])
    third = page(client, second["next"])
    assert [len(ids(found)) for found in (first, second, third)] == [3, 3, 1]
    assert third["next"] is None
    assert ids(page(client, third["previous"])) == ids(second)
    back = page(client, second["previous"])
    assert (ids(back), back["previous"]) == (ids(first), None)
    assert ids(page(client, back["next"])) == ids(second)


def test_the_links_are_absolute_and_keep_the_other_parameters(client: APIClient) -> None:
    make_items(3)
    link = urlsplit(page(client, "/items/?page_size=2&kind=new&verbose=%26a%C3%A4&ordering=name")["next"])
    assert (link.scheme, link.netloc, link.path) == ("http", "testserver", "/items/")
    query = parse_qs(link.query)
    assert set(query) == {"page_size", "kind", "verbose", "ordering", "cursor"}
    assert query["verbose"] == ["&aä"]


def test_equal_pages_are_equal_bytes(client: APIClient) -> None:
    make_items(3)
    assert client.get("/items/?page_size=2").content == client.get("/items/?page_size=2").content


def test_an_empty_list_is_a_page(client: APIClient) -> None:
    assert page(client, "/items/") == {"next": None, "previous": None, "results": []}


@pytest.mark.parametrize("size", ["0", "201", "-1", "x", "", "1.0", "٣", "1e2", "9" * 5000])
def test_a_page_size_out_of_range_is_a_400(client: APIClient, size: str) -> None:
    answer = client.get("/items/", {"page_size": size})
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["page_size"]


@pytest.mark.parametrize("size", [1, 200])
def test_a_page_size_within_the_range_is_taken(client: APIClient, size: int) -> None:
    make_items(201)
    assert len(ids(page(client, f"/items/?page_size={size}"))) == size


def test_a_view_has_its_own_sizes(client: APIClient) -> None:
    make_items(9)
    assert len(ids(page(client, "/searched/"))) == 4
    assert len(ids(page(client, "/searched/?page_size=5"))) == 5
    assert client.get("/searched/?page_size=6").status_code == 400


def test_pages_work_on_a_plain_view(settings: Settings) -> None:
    organization = Organization.objects.create(name="o")
    projects = [Project.objects.create(name=str(n), organization=organization) for n in range(5)]
    settings.AUTOMATE_API_TENANT_RESOLVER = "tests.hosts.shop.people.tenant_of_header"
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=basic_authorization(make_user()), HTTP_X_TENANT=str(organization.pk))
    first = page(client, "/plain/projects/")
    assert ids(first) == [projects[4].pk, projects[3].pk]
    assert ids(page(client, first["next"])) == [projects[2].pk, projects[1].pk]
    assert client.get("/plain/projects/?page_size=4").json().keys() == {"page_size"}


@pytest.mark.parametrize("sent", ["", "x", "a:b", "W10:AAAA", "ä", "%00", "." * 10_000])
def test_a_cursor_that_was_not_written_here_is_a_400(client: APIClient, sent: str) -> None:
    answer = client.get("/items/", {"cursor": sent})
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["cursor"]


def test_a_changed_cursor_is_a_400(client: APIClient) -> None:
    make_items(3)
    link = page(client, "/items/?page_size=2")["next"]
    text = parse_qs(urlsplit(link).query)["cursor"][0]
    for place in (0, len(text) // 2, len(text) - 1):
        changed = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
        assert client.get("/items/", {"cursor": changed}).status_code == 400


def test_a_cursor_belongs_to_its_list_and_order(client: APIClient) -> None:
    make_items(3)
    text = parse_qs(urlsplit(page(client, "/items/?page_size=2")["next"]).query)["cursor"][0]
    assert client.get("/items/", {"cursor": text}).status_code == 200
    assert client.get("/items/", {"cursor": text, "ordering": "name"}).status_code == 400
    assert client.get("/items/", {"cursor": text, "ordering": "created_at"}).status_code == 400
    assert client.get("/tasks/", {"cursor": text}).status_code == 400


def test_a_page_costs_one_query_and_counts_nothing(
    client: APIClient, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_items(5)
    link = page(client, "/items/?page_size=2")["next"]
    for url in ("/items/?page_size=2", link):
        with django_assert_num_queries(3) as captured:  # session, user, rows
            page(client, url)
        assert not any("COUNT(" in query["sql"].upper() for query in captured.captured_queries)


def test_count_is_told_on_request(client: APIClient) -> None:
    make_items(5)
    assert page(client, "/items/?page_size=2&count=true")["count"] == 5
    assert "count" not in page(client, "/items/?page_size=2&count=false")
    assert client.get("/items/?count=yes").status_code == 400


def test_count_stops_at_its_bound(client: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    make_items(5)
    monkeypatch.setattr(pagination, "MAX_COUNT", 3)
    assert page(client, "/items/?count=true")["count"] == 3


def test_count_knows_the_filters(client: APIClient) -> None:
    make_items(5)
    Item.objects.filter(name="n1").update(kind="used")
    assert page(client, "/items/?kind=used&count=true")["count"] == 1


def test_the_way_back_from_a_page_whose_rows_are_gone_misses_nothing(client: APIClient) -> None:
    items = make_items(6)
    first = page(client, "/items/?page_size=3")
    Item.objects.filter(pk__in=[item.pk for item in items[:3]]).delete()
    second = page(client, first["next"])
    assert (ids(second), second["next"]) == ([], None)
    assert ids(page(client, second["previous"])) == ids(first)


def test_the_way_on_from_a_page_whose_rows_are_gone_misses_nothing(client: APIClient) -> None:
    items = make_items(6)
    first = page(client, "/items/?page_size=3")
    second = page(client, first["next"])
    Item.objects.filter(pk__in=[item.pk for item in items[3:]]).delete()
    back = page(client, second["previous"])
    assert (ids(back), back["previous"]) == ([], None)
    assert ids(page(client, back["next"])) == ids(second)


@pytest.mark.parametrize("run_on", ["default", pytest.param("postgres", marks=pytest.mark.postgres)])
@pytest.mark.parametrize("query", ["", "&ordering=rank", "&ordering=-rank,name", "&ordering=created_at"])
def test_a_walk_over_3000_tied_rows_meets_each_surviving_one_once_while_rows_come_and_go(
    client: APIClient, query: str, run_on: str
) -> None:
    chance = random.Random(query)
    times = [None, START, START + datetime.timedelta(seconds=1)]

    def some(count: int) -> list[Item]:
        rows = (
            Item(name=chance.choice("ab"), created_at=chance.choice(times), rank=chance.choice([None, 1, 2]))
            for _n in range(count)
        )
        return Item.objects.bulk_create(rows)

    there_from_the_start = {item.pk for item in some(3000)}
    met: list[int] = []
    url: str | None = f"/items/?page_size=150{query}"
    for _page in range(60):
        found = page(client, url or "")
        met += ids(found)
        url = found["next"]
        if url is None:
            break
        gone = chance.sample(sorted(Item.objects.values_list("pk", flat=True)), 25)
        Item.objects.filter(pk__in=gone).delete()
        some(20)
    assert url is None, "the walk does not end"
    assert len(met) == len(set(met))
    surviving = there_from_the_start & set(Item.objects.values_list("pk", flat=True))
    assert len(surviving) > 2000
    assert surviving <= set(met)

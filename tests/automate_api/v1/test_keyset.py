"""Walking through ordered rows: each is met once, in any order, over ties and NULLs, both ways."""

import datetime
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Coalesce, Lower
from hypothesis import given, settings
from hypothesis import strategies as st

from automate_api.models import Execution
from automate_api.v1.keyset import decode_value, encode_value, keyset
from tests.hosts.shop.models import Item, Organization, Project

# On the run that has PostgreSQL the same tests run there: NULLs have another place, and collations differ.
everywhere = pytest.mark.parametrize("run_on", ["default", pytest.param("postgres", marks=pytest.mark.postgres)])

ORDERS: list[tuple[Any, ...]] = [
    (),
    ("-created_at",),
    ("created_at",),
    ("rank",),
    ("-rank",),
    ("rank", "-created_at"),
    ("-rank", "name", "created_at"),
    ("name",),
    ("-price",),
    ("weight",),
    ("-weight", "rank"),
    ("day",),
    ("-hour",),
    ("lasts",),
    ("-code",),
    ("sold", "-rank"),
    ("kind", "id"),
    ("-pk",),
    ("project",),
    ("-project_id",),
    ("project__name",),
    ("-project__organization__name", "rank"),
    (Lower("name"),),
    (Lower("name").desc(), "-rank"),
    (F("rank").asc(nulls_first=True),),
    (F("rank").asc(nulls_last=True),),
    (F("rank").desc(nulls_first=True), F("price").asc(nulls_last=True)),
    (F("rank").desc(nulls_last=True), F("price").desc(nulls_first=True)),
    (Coalesce("rank", Value(2)), "-pk"),
    ("-noted",),
]


@pytest.fixture
def _rows(db: None) -> None:
    """Sixty rows, most of them tied in every column, some of them NULL."""
    organizations = [Organization.objects.create(name=name) for name in ("o", "p")]
    projects = [Project.objects.create(name=name, organization=o) for o in organizations for name in ("a", "b")]
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    Item.objects.bulk_create(
        Item(
            name=["a", "B", "b"][n % 3],
            created_at=[None, start, start + datetime.timedelta(microseconds=1), start, None][n % 5],
            rank=[1, None, 2, 1][n % 4],
            price=[Decimal("0.10"), None, Decimal("2.00")][n % 3],
            weight=[0.1, 0.1 + 2**-55, None, 1e-300][n % 4],
            day=[None, datetime.date(2026, 1, 31)][n % 2],
            hour=[datetime.time(12, 30, 1, 5), None, datetime.time(0)][n % 3],
            lasts=[None, datetime.timedelta(days=-1, microseconds=3), datetime.timedelta(seconds=1)][n % 3],
            code=uuid.UUID(int=n * 7919 % 10),
            kind=["new", "used"][n % 2],
            sold=n % 7 == 0,
            project=[None, *projects][n % 5],
        )
        for n in range(60)
    )


def rows_in(order: tuple[Any, ...]) -> QuerySet[Item]:
    """The rows in that order; `noted` is an annotation."""
    queryset = Item.objects.annotate(noted=Lower("kind"))
    return queryset.order_by(*order) if order else queryset


def walk(queryset: QuerySet[Item], size: int, *, backward: bool) -> Iterator[list[Item]]:
    """Page by page from one end to the other."""
    rows = keyset(queryset, ("-created_at", "-pk"))
    position: list[Any] | None = None
    for _page in range(100):
        page = rows.rows(position, backward=backward, inclusive=False, limit=size)
        if not page:
            return
        yield page
        position = [decode_value(encode_value(value)) for value in rows.position_of(page[-1])]
    pytest.fail("the walk does not end")


@everywhere
@pytest.mark.parametrize("order", ORDERS, ids=str)
@pytest.mark.usefixtures("_rows")
def test_each_row_is_met_once_in_the_databases_order_and_backwards(order: tuple[Any, ...], run_on: str) -> None:
    forward = [item for page in walk(rows_in(order), 7, backward=False) for item in page]
    backward = [item for page in walk(rows_in(order), 4, backward=True) for item in page]
    assert sorted(item.pk for item in forward) == sorted(Item.objects.values_list("pk", flat=True))
    assert backward == forward[::-1]
    ends = rows_in(order) if order else Item.objects.order_by("-created_at")
    # The database alone leaves ties open, so compare the values it sorts by and not the rows.
    plain = [item for item in order or ("-created_at",) if isinstance(item, str) and "__" not in item]
    names = [name.removeprefix("-") for name in plain]
    assert [[getattr(item, name) for name in names] for item in ends] == [
        [getattr(item, name) for name in names] for item in forward
    ]


@everywhere
@pytest.mark.parametrize("order", ORDERS, ids=str)
@pytest.mark.usefixtures("_rows")
def test_from_any_row_what_lies_before_and_behind_it_is_everything_else(order: tuple[Any, ...], run_on: str) -> None:
    rows = keyset(rows_in(order), ("-created_at", "-pk"))
    everything = rows.rows(None, backward=False, inclusive=False, limit=100)
    for index in (0, 1, 17, 30, 58, 59):
        position = rows.position_of(everything[index])
        assert rows.rows(position, backward=False, inclusive=False, limit=100) == everything[index + 1 :]
        assert rows.rows(position, backward=False, inclusive=True, limit=100) == everything[index:]
        assert rows.rows(position, backward=True, inclusive=False, limit=100) == everything[:index][::-1]
        assert rows.rows(position, backward=True, inclusive=True, limit=100) == everything[: index + 1][::-1]


@pytest.mark.usefixtures("_rows")
def test_rows_may_be_dictionaries() -> None:
    queryset: Any = Item.objects.values("id", "rank").order_by("rank")
    met = [row["id"] for page in walk(queryset, 7, backward=False) for row in page]
    assert sorted(met) == sorted(Item.objects.values_list("pk", flat=True))


def test_a_random_order_cannot_be_paged_through() -> None:
    with pytest.raises(ImproperlyConfigured):
        keyset(Item.objects.order_by("?"), ("-pk",))


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's query plan")
def test_a_page_far_down_is_found_through_the_index() -> None:
    assert "created_at<" in plan_of_a_far_page()


@pytest.mark.postgres
@pytest.mark.django_db
def test_a_page_far_down_is_found_through_the_index_on_postgresql() -> None:
    with connection.cursor() as cursor:
        # A table without rows is cheapest read whole.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
    [condition] = [line for line in plan_of_a_far_page().splitlines() if "Index Cond" in line]
    assert "created_at <" in condition


def plan_of_a_far_page() -> str:
    """How the database would find executions of a tenant from some time on."""
    rows = keyset(Execution.objects.filter(tenant_id="acme").order_by("-created_at", "-pk"), ())
    position = [datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), uuid.uuid4()]
    return rows.select(position, backward=False, inclusive=False).explain()


values = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.uuids()
    | st.datetimes(timezones=st.sampled_from([None, datetime.UTC]))
    | st.dates()
    | st.times()
    | st.timedeltas()
)


@settings(deadline=None)
@given(value=values)
def test_a_value_travels_unchanged(value: Any) -> None:
    back = decode_value(encode_value(value))
    assert (back, type(back)) == (value, type(value))


def test_a_value_that_cannot_travel_is_improperly_configured() -> None:
    with pytest.raises(ImproperlyConfigured):
        encode_value({"a": 1})

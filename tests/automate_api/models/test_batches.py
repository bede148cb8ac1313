"""A batch is stored as the ORM stores each of its rows, and what is there already is found."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, connection, transaction
from pytest_django import DjangoAssertNumQueries, Settings

from automate_api.ids import uuid7
from automate_api.models import Event
from automate_api.models.batches import BatchInsert, BatchKeys
from tests.factories import make_user

pytestmark = pytest.mark.django_db

UNIQUE = ("tenant_id", "source", "idempotency_key")
COLUMNS = ("id", "type", "source", "payload", "idempotency_key", "occurred_at", "depth")
batch = BatchInsert(Event, columns=COLUMNS, unique=UNIQUE)
known = BatchKeys(Event, by=("source", "idempotency_key"), same=("tenant_id",))

AWKWARD = {"text": "ž 🦊 ' \" %s \\ \u2028", "list": [1, 2.5, None, True], "deep": {"a": {"b": []}}, "": {}}
NOW = datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)


def row(key: str | None = None, **more: Any) -> dict[str, Any]:
    occurred = NOW.astimezone(timezone(timedelta(hours=-7)))
    own = {"id": uuid7(), "type": "a", "source": "b", "payload": AWKWARD, "idempotency_key": key}
    return {**own, "occurred_at": occurred, "depth": 1, **more}


def common(**more: Any) -> dict[str, Any]:
    return {"tenant_id": "default", "user": None, "correlation_id": "c", "created_at": NOW, **more}


def stored(pk: Any) -> list[Any]:
    """The columns of a row, as the database has them."""
    names = ", ".join(field.column for field in Event._meta.concrete_fields if not field.primary_key)
    key = Event._meta.pk.get_db_prep_value(pk, connection)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {names} FROM automate_api_event WHERE id = %s", [key])
        return list(cursor.fetchone())


@pytest.mark.parametrize("use_tz", [True, False])
def test_a_row_is_what_the_orm_would_have_stored(settings: Settings, use_tz: bool) -> None:
    settings.USE_TZ = use_tz
    user, moment = make_user(), NOW if use_tz else NOW.replace(tzinfo=None)
    mine, theirs = row(occurred_at=moment), row(occurred_at=moment)
    assert batch.insert([mine], **common(user=user.pk, created_at=moment)) == 1
    Event.objects.bulk_create([Event(**theirs, **common(user=user))])
    Event.objects.filter(pk=theirs["id"]).update(created_at=moment)
    assert stored(mine["id"]) == stored(theirs["id"])
    event = Event.objects.get(pk=mine["id"])
    assert (event.payload, event.occurred_at, event.user) == (AWKWARD, moment, user)


def test_a_row_that_is_there_is_passed_over(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    first = [row("x"), row("y"), row(), row()]
    assert batch.insert(first, **common()) == 4
    with django_assert_num_queries(1):
        assert batch.insert([row("x"), row("z"), row()], **common()) == 2
    assert batch.insert([row("x", source="else")], **common()) == batch.insert([row("x")], **common(tenant_id="t")) == 1
    with django_assert_num_queries(1):
        found = known.find([("b", "x"), ("b", "y"), ("b", "none"), ("none", "x")], "default")
    assert found == {("b", "x"): first[0]["id"], ("b", "y"): first[1]["id"]}


def test_a_clash_of_another_kind_is_not_passed_over() -> None:
    taken = row("x")
    batch.insert([taken], **common())
    with pytest.raises(IntegrityError), transaction.atomic():
        batch.insert([row("y"), row("z", id=taken["id"])], **common())
    with pytest.raises(IntegrityError), transaction.atomic():
        batch.insert([row(type=None)], **common())
    assert Event.objects.count() == 1


def test_who_does_not_exist_is_refused_when_the_database_looks() -> None:
    missing = (get_user_model().objects.order_by("-pk").values_list("pk", flat=True).first() or 0) + 1
    with transaction.atomic():
        batch.insert([row()], **common(user=missing))
        with pytest.raises(IntegrityError):
            connection.check_constraints()
        transaction.set_rollback(True)

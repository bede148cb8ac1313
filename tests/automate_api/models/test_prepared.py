"""Prepared statements find and store what the ORM finds and stores."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, connection, transaction
from django.db.models import Model
from django.db.models.signals import post_save
from pytest_django import DjangoAssertNumQueries

from automate_api.ids import uuid7
from automate_api.models import APIKey, Endpoint, Execution
from automate_api.models.prepared import PreparedInsert, PreparedSelect, PreparedUpdate
from automate_api.services.api_keys import issue_key
from tests.factories import make_endpoint, make_user

pytestmark = pytest.mark.django_db

by_slug = PreparedSelect(Endpoint, by=("tenant_id", "slug"), related=("llm_client", "provider"))
live_key = PreparedSelect(APIKey, by=("id",), related=("user",), rows=lambda keys: keys.live())
executions = PreparedInsert(Execution)
ending = PreparedUpdate(
    Execution,
    by=("id", "tenant_id"),
    columns=("status", "output", "error", "cost", "finished_at"),
    rows=lambda rows: rows.filter(status="running"),
)

AWKWARD = {"text": "ž 🦊 ' \" %s \\", "list": [1, 2.5, None, True], "deep": {"a": {"b": []}}}


def columns_of(row: Model) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def test_it_finds_the_rows_that_the_orm_finds(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    made = make_endpoint(slug="ask", config={"input_field": "question"})
    with django_assert_num_queries(1):
        found = by_slug.get("default", "ask")
        assert found is not None
        pairs = (
            (found, made),
            (found.llm_client, made.llm_client),
            (found.llm_client.provider, made.llm_client.provider),
        )
    for prepared, saved in pairs:
        plain = type(saved)._default_manager.get(pk=saved.pk)
        assert columns_of(prepared) == columns_of(plain)
        assert (prepared._state.db, prepared._state.adding) == (plain._state.db, plain._state.adding)


def test_each_call_has_its_own_values() -> None:
    one, two = make_endpoint(slug="one"), make_endpoint(slug="two")
    other = make_endpoint(slug="one", tenant_id="other")
    assert [by_slug.get("default", "one"), by_slug.get("default", "two")] == [one, two]
    assert by_slug.get("other", "one") == other
    assert by_slug.get("other", "two") is None


@pytest.mark.parametrize("value", ["'", "%s", "%(x)s", '"; DROP TABLE x; --', "ž" * 64])
def test_a_value_is_never_part_of_the_statement(value: str) -> None:
    assert by_slug.get(value, value) is None
    made = make_endpoint(slug="odd", tenant_id=value)
    assert by_slug.get(value, "odd") == made


def test_a_row_that_refers_to_nothing_has_nothing(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    Endpoint.objects.create(tenant_id="default", slug="bare", name="Bare")
    with django_assert_num_queries(1):
        found = by_slug.get("default", "bare")
        assert found is not None
        assert found.llm_client is None


def test_what_may_be_found_is_judged_anew_each_time() -> None:
    key, _text = issue_key(tenant_id="default", user=make_user(), name="ci", scopes=["*"])
    found = live_key.get(key.pk)
    assert found is not None
    assert found.user == key.user
    get_user_model().objects.update(is_active=False)
    assert live_key.get(key.pk) is None


def test_none_is_no_value_of_a_row() -> None:
    make_endpoint(slug="ask")
    assert by_slug.get(None, "ask") is None


def make_execution(**fields: Any) -> Execution:
    given = {"tenant_id": "default", "endpoint_version": 1, "task_type": "llm.chat", "correlation_id": "c", **fields}
    return Execution(id=uuid7(), **{"input": AWKWARD, "params": {}, **given})


@pytest.mark.parametrize(
    "fields", [{}, {"input": "", "params": []}, {"output": AWKWARD, "cost": Decimal("0.00000001")}]
)
def test_it_inserts_what_saving_inserts(
    fields: dict[str, Any], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    prepared, saved = make_execution(user=make_user(), endpoint=make_endpoint(), **fields), make_execution(**fields)
    with django_assert_num_queries(1):
        executions.insert(prepared)
    saved.user, saved.endpoint = prepared.user, prepared.endpoint
    saved.save(force_insert=True)
    assert (prepared._state.db, prepared._state.adding) == (saved._state.db, saved._state.adding)
    assert prepared.created_at is not None
    stored = [columns_of(Execution.objects.get(pk=row.pk)) for row in (prepared, saved)]
    assert stored[0] | {"id": None, "created_at": None} == stored[1] | {"id": None, "created_at": None}


def test_who_listens_to_a_models_signals_hears_of_an_insert() -> None:
    heard: list[Any] = []

    def listen(instance: Any, created: bool, **_rest: Any) -> None:
        heard.append((instance.pk, created))

    row = make_execution()
    post_save.connect(listen, sender=Execution)
    try:
        executions.insert(row)
    finally:
        post_save.disconnect(listen, sender=Execution)
    assert heard == [(row.pk, True)]
    assert Execution.objects.get() == row


def test_a_failed_insert_breaks_the_transaction_as_a_failed_save_does() -> None:
    row = make_execution()
    executions.insert(row)
    with transaction.atomic():
        with pytest.raises(IntegrityError):
            executions.insert(row)
        assert connection.needs_rollback
        transaction.set_rollback(True)


def test_it_updates_what_the_orm_updates(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    rows = [make_execution(), make_execution(), make_execution()]
    for row in rows:
        row.save()
    ended: dict[str, Any] = {
        "status": "succeeded",
        "output": AWKWARD,
        "error": None,
        "cost": Decimal("1.5"),
        "finished_at": datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC),
    }
    with django_assert_num_queries(1):
        assert ending.update(rows[0].pk, "default", **ended) == 1
    assert Execution.objects.filter(pk=rows[1].pk).update(**ended) == 1
    stored = [columns_of(Execution.objects.get(pk=row.pk)) for row in rows]
    assert stored[0] | {"id": None, "created_at": None} == stored[1] | {"id": None, "created_at": None}
    assert stored[2]["status"] == "running"
    assert ending.update(rows[0].pk, "default", **ended) == 0
    assert ending.update(rows[2].pk, "other", **ended) == 0

"""Prepared queries find what the ORM finds."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db.models import Model
from pytest_django import DjangoAssertNumQueries

from automate_api.models import APIKey, Endpoint
from automate_api.models.prepared import PreparedSelect
from automate_api.services.api_keys import issue_key
from tests.factories import make_endpoint, make_user

pytestmark = pytest.mark.django_db

by_slug = PreparedSelect(Endpoint, by=("tenant_id", "slug"), related=("llm_client", "provider"))
live_key = PreparedSelect(APIKey, by=("id",), related=("user",), rows=lambda keys: keys.live())


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

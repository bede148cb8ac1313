"""A host is told what of its workflows cannot work."""

import sys
from typing import Any

import pytest
from django.core.checks import run_checks
from django.test.utils import isolate_apps
from pytest_django import Settings

from automate.services.watching import is_watchable
from automate_api.models import Provider
from tests.hosts.shop.models import Item


def ids() -> list[str | None]:
    return [message.id for message in run_checks(tags=["automate"])]


def tenant_of(item: Item) -> str:
    return item.tenant_id


def test_a_sound_host_is_told_nothing(settings: Settings) -> None:
    settings.AUTOMATE_WATCHED_MODELS = {
        "shop.Item": {"tenant": "tenant_id", "fields": ["name", "price"]},
        "shop.Task": {"tenant": f"{__name__}.tenant_of", "fields": ("name", "project")},
        "shop.Organization": {},
    }
    settings.AUTOMATE_CATCH_UP, settings.AUTOMATE_WORKFLOW_RUN_RETENTION = 1, 0.5
    assert ids() == []


@pytest.mark.parametrize(
    "models",
    [
        ["shop.Item"],
        {"shop.Nothing": {}},
        {"Item": {}},
        {7: {}},
        {"shop.item": {}},
        {Provider._meta.label: {"fields": ["name"]}},
        {"automate.Workflow": {}},
        {"shop.Item": ["name"]},
        {"shop.Item": {"feilds": ["name"]}},
        {"shop.Item": {"tenant": 7}},
        {"shop.Item": {"tenant": "organization_id"}},
        {"shop.Item": {"tenant": "nowhere.tenant_of"}},
        {"shop.Item": {"tenant": "django.VERSION"}},
        {"shop.Item": {"fields": "name"}},
        {"shop.Item": {"fields": ["nothing"]}},
        {"shop.Task": {"fields": ["tags"]}},
        {"shop.Organization": {"fields": ["project"]}},
    ],
)
def test_a_model_that_cannot_be_watched_is_an_error(settings: Settings, models: Any) -> None:
    settings.AUTOMATE_WATCHED_MODELS = models
    assert ids() == ["automate.E003"]


def test_a_field_that_looks_like_a_secret_is_warned_of(settings: Settings) -> None:
    settings.AUTOMATE_WATCHED_MODELS = {"auth.User": {"fields": ["username", "password"]}}
    [message] = run_checks(tags=["automate"])
    assert (message.id, "'password'" in message.msg) == ("automate.W004", True)


@pytest.mark.parametrize("value", [0, -1, "many", 1.5, None])
def test_a_number_that_is_none_is_an_error(settings: Settings, value: Any) -> None:
    settings.AUTOMATE_CATCH_UP = value
    assert ids() == ["automate.E002"]


@pytest.mark.parametrize("value", [0, -1, "90", True, float("inf"), float("nan")])
def test_a_retention_that_is_no_number_of_seconds_is_an_error(settings: Settings, value: Any) -> None:
    settings.AUTOMATE_WORKFLOW_RUN_RETENTION = value
    assert ids() == ["automate.E002"]


def test_a_host_without_the_extra_is_warned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("automate.checks.find_spec", {"celpy": sys}.get)
    [message] = run_checks(tags=["automate"])
    assert (message.id, "cronsim" in message.msg, "cel" in message.msg) == ("automate.W001", True, False)


@isolate_apps("tests.hosts.shop")
def test_only_models_with_rows_of_their_own_are_watched() -> None:
    class Open(Item):
        """Items that are not sold, which is no table of its own."""

        class Meta:
            proxy = True
            app_label = "shop"

    assert [is_watchable(model) for model in (Item, Open, Provider, None)] == [True, False, False, False]

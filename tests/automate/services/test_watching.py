"""Watched models: each save is told once it has happened, and no other."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import serializers
from django.db import connection, transaction
from django.db.models import F
from django.db.models.signals import post_delete, post_save
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from automate.models import WorkflowRun
from automate.services import watching
from automate.services.watching import connect
from automate.steps import StepContext, base
from automate_api.models import Endpoint, Event, Job
from tests.automate.making import WrittenStep, make_workflow, step, work
from tests.automate.services.starts import flow, handle, make_trigger, runs
from tests.hosts.shop.models import Item, Organization, Project, Task
from tests.jobs.fixtures import asked  # noqa: F401 - a fixture

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("asked")]

FIELDS = ["name", "price", "created_at", "day", "hour", "lasts", "code", "weight", "notes", "project", "rank"]


def organization_of(task: Task) -> Any:
    """The tenant of a task."""
    return task.project and task.project.organization_id


@pytest.fixture(autouse=True)
def watched(settings: Settings) -> Iterator[None]:
    """Items and tasks are watched, and nothing is afterwards."""
    settings.AUTOMATE_WATCHED_MODELS = {
        "shop.Item": {"tenant": "tenant_id", "fields": FIELDS},
        "shop.Task": {"tenant": f"{__name__}.organization_of", "fields": ["name"]},
    }
    connect()
    yield
    for model in (Item, Task):
        for signal in (post_save, post_delete):
            assert signal.disconnect(sender=model, dispatch_uid=watching._UID)


def watch(workflow: Any = None, model: str = "shop.Item", **fields: Any) -> Any:
    return make_trigger(workflow, kind="model", pattern=model, **fields)


def payloads() -> list[Any]:
    return list(Event.objects.order_by("pk").values_list("payload", flat=True))


def test_each_save_and_the_deletion_start_the_workflow() -> None:
    trigger = watch()
    make_trigger(pattern="*")
    watch(model="shop.Task")
    item = Item.objects.create(name="Chair")
    item.save()
    item.save(update_fields=["name"])
    pk = item.pk
    item.delete()
    assert [payload["change"] for payload in payloads()] == ["created", "updated", "updated", "deleted"]
    assert {(payload["model"], payload["pk"]) for payload in payloads()} == {("shop.Item", pk)}
    assert handle() == 4
    assert {run.trigger_id for run in runs()} == {trigger.pk}
    assert len(runs(trigger)) == 4


def test_the_fields_that_are_declared_are_told_as_json() -> None:
    watch()
    project = Project.objects.create(name="p", organization=Organization.objects.create(name="o"))
    item = Item.objects.create(
        name="Chair",
        price=Decimal("10.50"),
        created_at=datetime(2026, 1, 31, 12, tzinfo=UTC),
        day=date(2026, 1, 31),
        hour=time(12, 30),
        lasts=timedelta(hours=1),
        weight=1.5,
        notes={"a": [1, None]},
        project=project,
        rank=3,
    )
    assert payloads()[0]["fields"] == {
        "name": "Chair",
        "price": "10.50",
        "created_at": "2026-01-31T12:00:00Z",
        "day": "2026-01-31",
        "hour": "12:30:00",
        "lasts": "P0DT01H00M00S",
        "code": str(item.code),
        "weight": 1.5,
        "notes": {"a": [1, None]},
        "project": project.pk,
        "rank": 3,
    }
    item.rank = F("rank") + 1  # type: ignore[assignment]
    item.name = "sk-0123456789abcdefghij"
    item.save()
    assert payloads()[1]["fields"]["rank"] == 4
    assert payloads()[1]["fields"]["name"] == "[redacted]"


def test_what_is_too_long_is_told_without_its_fields() -> None:
    watch()
    Item.objects.create(name="Chair", notes={"text": "x" * 70_000})
    [payload] = payloads()
    assert (payload["fields"], payload["truncated"]) == ({}, True)


def test_a_change_is_told_in_its_own_tenant() -> None:
    trigger = watch(flow(tenant_id="globex"))
    for tenant in ("globex", "acme", ""):
        Item.objects.create(name="Chair", tenant_id=tenant)
    assert [(event.tenant_id, event.source) for event in Event.objects.all()] == [
        ("globex", "automate:model:shop.Item")
    ]
    handle()
    assert [run.trigger_id for run in runs()] == [trigger.pk]


def test_a_host_says_by_a_function_whose_a_row_is() -> None:
    organization = Organization.objects.create(name="o")
    watch(flow(tenant_id=str(organization.pk)), model="shop.Task")
    Task.objects.create(name="Paint")
    task = Task.objects.create(name="Paint", project=Project.objects.create(name="p", organization=organization))
    assert [payload["pk"] for payload in payloads()] == [task.pk]


def test_nothing_is_told_that_nobody_wants() -> None:
    watch(enabled=False)
    watch(flow(enabled=False))
    watch(model="shop.Task")
    with CaptureQueriesContext(connection) as queries:
        Item.objects.create(name="Chair")
    assert len(queries) == 3
    assert not Event.objects.exists()


def test_other_models_are_left_alone() -> None:
    assert not post_save.has_listeners(Project)
    assert not post_delete.has_listeners(Project)
    watch()
    Item.objects.bulk_create([Item(name="Chair")])
    Item.objects.update(name="Table")
    fixture = serializers.serialize("json", Item.objects.all())
    for item in serializers.deserialize("json", fixture):
        item.save()
    assert not Event.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_is_undone_was_never_told() -> None:
    watch()
    with transaction.atomic():
        Item.objects.create(name="Chair")
        assert Event.objects.count() == 1
        transaction.set_rollback(True)
    assert not Event.objects.exists()
    assert not Job.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_save_that_cannot_be_told_is_an_error(settings: Settings) -> None:
    watch()
    settings.AUTOMATE_WATCHED_MODELS = {"shop.Item": {"tenant": "code.urn", "fields": []}}
    with pytest.raises(ImportError), transaction.atomic():
        Item.objects.create(name="Chair")
    assert not Item.objects.exists()


def test_models_of_the_package_are_not_watched(settings: Settings) -> None:
    settings.AUTOMATE_WATCHED_MODELS = {"automate_api.Endpoint": {}, "nowhere.Model": {}, "shop.Item": {}}
    before = len(post_save.receivers)
    connect()
    assert len(post_save.receivers) == before
    assert Endpoint not in [model for _label, model, _watched in watching._watched()]


@pytest.mark.django_db(transaction=True)
def test_a_workflow_that_changes_what_it_watches_ends_at_the_depth_cap(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.AUTOMATE_MAX_DEPTH = 3

    async def rename(ctx: StepContext) -> None:
        await ctx.once("rename", lambda: Item.objects.get().save())

    monkeypatch.setattr(WrittenStep, "script", staticmethod(rename), raising=False)
    monkeypatch.setitem(base._registry, WrittenStep.type, WrittenStep())
    trigger = watch(make_workflow(step("rename", "test.written")))
    Item.objects.create(name="Chair")
    work()
    assert [(run.depth, run.status) for run in runs(trigger)] == [
        (1, "succeeded"),
        (2, "succeeded"),
        (3, "succeeded"),
        (4, "failed"),
    ]
    assert WorkflowRun.objects.get(status="failed").error["code"] == "workflow_too_deep"

"""Rows are represented exactly as REST framework would, only sooner."""

import datetime
import json
import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer

from automate_api.v1.serializers.representation import Representation, prepare
from tests.hosts.shop.models import Item, Organization, Project, Task


class Shouting(serializers.CharField):
    """A host's own field."""

    def to_representation(self, value: Any) -> str:
        return super().to_representation(value).upper()


class ProjectSerializer(serializers.ModelSerializer[Project]):
    class Meta:
        model = Project
        fields = ("id", "name", "organization")


class EveryKindSerializer(serializers.ModelSerializer[Item]):
    """Every column, paths, methods, properties, nested rows, and what may be missing."""

    loud = Shouting(source="name")
    project_name = serializers.CharField(source="project.name", read_only=True)
    owner = serializers.PrimaryKeyRelatedField[Any](source="project.organization", read_only=True)
    nested = ProjectSerializer(source="project", read_only=True)
    label = serializers.SerializerMethodField()
    called = serializers.CharField(source="get_kind_display")
    text = serializers.CharField(source="__str__")
    missing = serializers.CharField(source="nothing", default="-")
    skipped = serializers.CharField(source="nothing_else", required=False)
    inside = serializers.IntegerField(source="notes.depth", allow_null=True)
    whole = serializers.JSONField(source="notes", binary=True)
    on = serializers.DateTimeField(source="created_at", format="%d.%m.%Y")
    moment = serializers.DateTimeField(source="created_at", format=None)
    local = serializers.DateTimeField(
        source="created_at", default_timezone=datetime.timezone(datetime.timedelta(hours=2))
    )
    rounded = serializers.IntegerField(source="weight")
    wordy = serializers.CharField(source="rank")
    flag = serializers.BooleanField(source="kind")
    secret = serializers.CharField(write_only=True)

    class Meta:
        model = Item
        fields = "__all__"

    def get_label(self, item: Item) -> str:
        return f"{item.name} for {self.context['who']}"


class StepSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    took = serializers.IntegerField(required=False)
    items = serializers.ListField(child=serializers.IntegerField(), required=False)
    error = serializers.DictField(allow_null=True, default=None)


class DictSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    steps = StepSerializer(many=True)
    deep = serializers.CharField(source="a.b", default="?")
    key = serializers.UUIDField(format="hex")
    price = serializers.DecimalField(max_digits=5, decimal_places=2)


class TaskSerializer(serializers.ModelSerializer[Task]):
    class Meta:
        model = Task
        fields = ("id", "project", "tags")


def both(cls: Any, instance: Any, **kwargs: Any) -> tuple[Any, Any]:
    """What REST framework makes of it, and what a prepared serializer does: of the first of its class and the next."""
    plain = cls(instance, **kwargs).data
    first, second = cls(instance, **kwargs), cls(instance, **kwargs)
    prepare(first)
    prepare(second)
    assert as_text(first.data) == as_text(second.data)
    return as_text(plain), as_text(second.data)


def as_text(data: Any) -> Any:
    return JSONRenderer().render(data)


def items() -> list[Item]:
    organization = Organization.objects.create(name="North")
    project = Project.objects.create(name="Fjord", organization=organization)
    moment = datetime.datetime(2026, 3, 29, 0, 30, 0, 123000, tzinfo=datetime.UTC)
    full = Item.objects.create(
        name="fjærd",
        created_at=moment,
        rank=3,
        price=Decimal("1.50"),
        weight=2.75,
        day=datetime.date(2026, 1, 2),
        hour=datetime.time(3, 4),
        lasts=datetime.timedelta(hours=5),
        code=uuid.uuid4(),
        sold=True,
        project=project,
        notes={"depth": 7},
    )
    return [Item.objects.get(pk=full.pk), Item.objects.get(pk=Item.objects.create(name="bare").pk)]


@pytest.mark.django_db
@pytest.mark.parametrize("zone", ["UTC", "Europe/Oslo", "America/St_Johns"])
def test_every_kind_of_field_is_represented_as_rest_framework_does(zone: str) -> None:
    with timezone.override(zone):
        plain, ours = both(EveryKindSerializer, items(), many=True, context={"who": "Ann"})
    assert plain == ours


@pytest.mark.django_db
def test_values_that_were_not_read_from_a_database_are_represented_as_rest_framework_does() -> None:
    project = Project.objects.create(name="Fjord", organization=Organization.objects.create(name="North"))
    odd: Any = Item(pk=1, name=7, kind="rare", rank="12", weight=3, sold="yes", project=project)
    odd.created_at, odd.notes = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC), [1]
    plain, ours = both(EveryKindSerializer, odd, context={"who": "Ann"})
    assert plain == ours


def test_dicts_are_represented_as_rest_framework_does() -> None:
    rows = [
        {"id": 1, "steps": [{"name": "a", "took": 3}, {"name": "b", "items": [1, 2]}], "key": uuid.uuid4(), "price": 1},
        {"id": "x", "steps": [], "key": uuid.uuid4(), "price": Decimal("2.5"), "a": {"b": "c"}},
    ]
    plain, ours = both(DictSerializer, rows, many=True)
    assert plain == ours


@pytest.mark.django_db
def test_relations_to_many_rows_are_represented_as_rest_framework_does() -> None:
    organization = Organization.objects.create(name="North")
    task = Task.objects.create(name="Dig", project=None)
    task.tags.add(organization)
    plain, ours = both(TaskSerializer, task)
    assert plain == ours
    assert json.loads(ours)["tags"] == [organization.pk]


@pytest.mark.parametrize("error", [ValueError, AttributeError, KeyError, TypeError])
def test_what_an_attribute_raises_is_raised_as_by_rest_framework(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(item: Item) -> Any:
        raise error("broken")

    class BrokenSerializer(serializers.Serializer[Any]):
        field = serializers.CharField(source="broken")

    monkeypatch.setattr(Item, "broken", property(broken), raising=False)
    messages = []
    for make_ready in (lambda _serializer: None, prepare):
        serializer = BrokenSerializer(Item())
        make_ready(serializer)
        with pytest.raises(error) as caught:
            serializer.data  # noqa: B018 - it raises
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


@pytest.mark.django_db
def test_a_change_of_rest_frameworks_settings_counts_at_once() -> None:
    item = items()[0]
    before = both(EveryKindSerializer, item, context={"who": "Ann"})
    changed = {"COERCE_DECIMAL_TO_STRING": False, "DATETIME_FORMAT": "%Y"}
    with override_settings(REST_FRAMEWORK=changed):
        plain, ours = both(EveryKindSerializer, item, context={"who": "Ann"})
    assert plain == ours != before[1]
    assert both(EveryKindSerializer, item, context={"who": "Ann"}) == before


def test_a_class_with_its_own_words_keeps_them() -> None:
    class Own(StepSerializer):
        def to_representation(self, instance: Any) -> Any:
            return {"own": super().to_representation(instance)}

    serializer = Own({"name": "a"})
    prepare(serializer)
    assert serializer.data == {"own": {"name": "a", "error": None}}


def test_a_method_put_on_a_field_is_called() -> None:
    serializer = StepSerializer({"name": "a"})
    prepare(serializer)
    serializer.fields["name"].to_representation = lambda value: f"{value}!"  # type: ignore[method-assign]
    assert serializer.data["name"] == "a!"


def test_prepared_serializers_use_it() -> None:
    serializer = StepSerializer([{"name": "a"}], many=True)
    prepare(serializer)
    assert isinstance(serializer.child.to_representation, Representation)  # type: ignore[attr-defined]

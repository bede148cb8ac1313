"""Fields are made once a class, and every serializer has its own to change."""

from typing import Any

from django.core.validators import MinLengthValidator
from rest_framework import serializers

from automate_api.v1.serializers.prototypes import take_fields
from tests.hosts.shop.models import Item


class ItemSerializer(serializers.ModelSerializer[Item]):
    tags = serializers.ListField(child=serializers.CharField(max_length=3), required=False)

    class Meta:
        model = Item
        fields = ["id", "name", "kind", "project", "tags"]


def taken(cls: Any = ItemSerializer, **kwargs: Any) -> Any:
    serializer = cls(**kwargs)
    assert take_fields(serializer)
    return serializer


def test_copied_fields_are_those_that_rest_framework_makes() -> None:
    taken()
    assert repr(taken()) == repr(ItemSerializer())
    for name, field in taken().fields.items():
        made = ItemSerializer().fields[name]
        assert type(field) is type(made)
        assert vars(field).keys() == vars(made).keys()


def test_fields_belong_to_their_serializer() -> None:
    serializer = taken(context={"who": "Ann"})
    field = serializer.fields["tags"]
    assert field.parent is serializer
    assert field.child.parent is field
    assert field.child.root is serializer
    assert field.child.context == {"who": "Ann"}


def test_what_is_done_to_one_serializer_is_not_done_to_the_next() -> None:
    serializer = taken()
    serializer.fields.pop("id")
    serializer.fields["name"].required = False
    serializer.fields["name"].validators.append(MinLengthValidator(5))
    serializer.fields["name"].error_messages["required"] = "Gone."
    serializer.fields["kind"].choices = [("other", "Other")]
    serializer.fields["tags"].child.validators.clear()
    serializer.fields["tags"].child.max_length = 9
    assert repr(taken()) == repr(ItemSerializer())
    after = taken(data={"name": "abc", "kind": "new", "tags": ["long"]})
    assert not after.is_valid()
    assert list(after.errors) == ["tags"]


def test_the_first_serializer_of_a_class_is_no_exception() -> None:
    class Fresh(ItemSerializer):
        pass

    taken(Fresh).fields["name"].validators.clear()
    assert len(taken(Fresh).fields["name"].validators) == len(Fresh().fields["name"].validators)


def test_a_class_that_decides_on_its_fields_by_code_keeps_doing_so() -> None:
    class Deciding(ItemSerializer):
        def get_fields(self) -> Any:
            return {name: field for name, field in super().get_fields().items() if name in self.context["only"]}

    serializer = Deciding(context={"only": ["name"]})
    assert not take_fields(serializer)
    assert list(serializer.fields) == ["name"]


def test_fields_taken_away_when_it_was_made_stay_away() -> None:
    class Slim(ItemSerializer):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.fields.pop("kind")

    serializer = Slim()
    assert not take_fields(serializer)
    assert "kind" not in serializer.fields


def test_a_changed_meta_counts_at_once() -> None:
    class Changing(ItemSerializer):
        class Meta(ItemSerializer.Meta):
            fields = ["id", "name", "tags"]

    assert list(taken(Changing).fields) == ["id", "name", "tags"]
    Changing.Meta.fields.append("kind")
    assert list(taken(Changing).fields) == ["id", "name", "tags", "kind"]
    Changing.Meta.fields = ["tags"]
    assert list(taken(Changing).fields) == ["tags"]


def test_a_hosts_own_field_is_made_anew_each_time() -> None:
    made = []

    class Own(serializers.CharField):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            made.append(self)

        def bind(self, field_name: str, parent: Any) -> None:
            super().bind(field_name, parent)
            self.bound_to = parent

    class WithOwn(serializers.Serializer[Any]):
        own = Own()
        owns = serializers.ListField(child=Own())

    taken(WithOwn)
    serializer = taken(WithOwn)
    assert serializer.fields["own"].bound_to is serializer
    assert serializer.fields["owns"].child.bound_to is serializer.fields["owns"]
    assert len({id(field) for field in made}) == len(made) > 4

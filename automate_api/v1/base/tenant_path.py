"""Where a model keeps its tenant, and how what is saved is held to it."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from django.core.exceptions import ValidationError as DoesNotFit
from django.db.models import Field, Model, QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ErrorDetail, PermissionDenied, ValidationError
from rest_framework.serializers import BaseSerializer

from automate_api.exceptions import NotFound


class TenantView(Protocol):
    """What saving needs of a view."""

    tenant_field: str

    def require_tenant(self) -> str: ...

    def get_queryset(self) -> QuerySet[Any]: ...


class TenantPath:
    """The way from a model to the column that names its tenant, through foreign keys.

    Raises:
        ImproperlyConfigured: there is no such way.
    """

    def __init__(self, model: type[Model], tenant_field: str) -> None:
        *self.parents, self.name = tenant_field.replace(".", "__").split("__")
        self.model = model
        self.lookup = "__".join((*self.parents, self.name))
        try:
            owner = model
            for parent in self.parents:
                owner = _parent_of(owner, parent)
            self.column: Field[Any, Any] = _concrete(owner, self.name)
        except FieldDoesNotExist as exc:
            raise ImproperlyConfigured(
                f"{model.__name__} has no {tenant_field!r}: set tenant_field on the view."
            ) from exc

    def value_of(self, tenant: str | None) -> Any:
        """The tenant as the column holds it; None if the column cannot hold it, for then no row is of it."""
        if tenant is None:
            return None
        column: Any = getattr(self.column, "target_field", self.column)
        try:
            return column.to_python(str(tenant))
        except DoesNotFit:
            return None


def _concrete(model: type[Model], name: str) -> "Field[Any, Any]":
    field = model._meta.get_field(name)  # noqa: SLF001 - Django's public name
    if not isinstance(field, Field):
        raise FieldDoesNotExist
    return field


def _parent_of(model: type[Model], name: str) -> type[Model]:
    field = _concrete(model, name)
    # Through anything but a foreign key a row could have several tenants.
    if not (field.many_to_one or field.one_to_one) or not isinstance(field.related_model, type):
        raise FieldDoesNotExist
    return field.related_model


def save_in_tenant(serializer: BaseSerializer[Any], view: TenantView) -> None:
    """Make this serializer's `save()` stamp the view's tenant on what it saves, or verify the parent's.

    On the instance, because it is usual to write `perform_create()` and call `serializer.save(owner=...)` in it. A
    serializer of another model than the view's is left alone; a proxy, a parent and a child of it are none.
    """
    save = serializer.save

    def save_stamped(**values: Any) -> Any:
        rows = view.get_queryset().model
        if not _are_kin(rows, _model_of(serializer) or rows):
            return save(**values)
        path = TenantPath(rows, view.tenant_field)
        tenant = path.value_of(view.require_tenant())
        if tenant is None:
            raise PermissionDenied(_("There is no tenant to create this in."))
        if not path.parents:
            return save(**{**values, path.column.attname: tenant})
        for attributes in _attributes(serializer):
            _verify_parent(serializer, {**attributes, **values}, path, tenant)
        return save(**values)

    stamped: Callable[..., Any] = save_stamped
    serializer.save = stamped  # type: ignore[method-assign]


def _are_kin(one: type[Model], other: type[Model]) -> bool:
    """Whether a row of one is, or may be, a row of the other."""
    tables = [model._meta.concrete_model or model for model in (one, other)]  # noqa: SLF001 - Django's public name
    return issubclass(*tables) or issubclass(*reversed(tables))


def _model_of(serializer: BaseSerializer[Any]) -> type[Model] | None:
    meta = getattr(getattr(serializer, "child", serializer), "Meta", None)
    model: type[Model] | None = getattr(meta, "model", None)
    return model


def _attributes(serializer: BaseSerializer[Any]) -> list[Mapping[str, Any]]:
    data: Any = serializer.validated_data
    return data if isinstance(data, list) else [data]


def _verify_parent(serializer: BaseSerializer[Any], row: Mapping[str, Any], path: TenantPath, tenant: Any) -> None:
    """Refuse a parent of another tenant as if it did not exist, and a new row without a parent."""
    first, *further = path.parents
    relation = _concrete(path.model, first)
    named = next((name for name in (first, relation.attname) if name in row), None)
    if named is None and serializer.instance is not None:
        return
    parent = row[named] if named else None
    if parent is None:
        raise ValidationError({_field_name(serializer, first): [_("This field is required.")]}, code="required")
    key = getattr(parent, relation.target_field.attname, parent)  # type: ignore[attr-defined]
    within = {relation.target_field.name: key, "__".join((*further, path.name)): tenant}  # type: ignore[attr-defined]
    if not relation.related_model._base_manager.filter(**within).exists():  # type: ignore[union-attr] # noqa: SLF001
        _refuse(serializer, named or first)


def _field_name(serializer: BaseSerializer[Any], source: str) -> str:
    fields: Mapping[str, Any] = getattr(getattr(serializer, "child", serializer), "fields", {})
    return next((name for name, field in fields.items() if field.source == source), source)


def _refuse(serializer: BaseSerializer[Any], source: str) -> None:
    """Raise what the serializer's own field raises for an id that is none."""
    name = _field_name(serializer, source)
    field: Any = getattr(getattr(serializer, "child", serializer), "fields", {}).get(name)
    sent = serializer.initial_data.get(name) if isinstance(serializer.initial_data, Mapping) else None
    try:
        field.fail("does_not_exist", pk_value=sent, slug_name=getattr(field, "slug_field", ""), value=sent)
    except ValidationError as exc:
        raise ValidationError({name: exc.detail}) from exc
    except (AttributeError, AssertionError):
        # Not a field of REST framework's relations: it has no words of its own for this.
        detail = ErrorDetail(str(NotFound.default_detail), "does_not_exist")
        raise ValidationError({name: [detail]}) from None

"""Filters and orders of lists: declared, and strict about what they are given."""

import datetime
import re
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache, reduce
from operator import or_
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError as DoesNotFit
from django.db import connections
from django.db.models import ForeignKey, ManyToManyField, Model, OneToOneField, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_filters import filters
from django_filters.fields import IsoDateTimeField
from django_filters.rest_framework import DjangoFilterBackend
from django_filters.rest_framework import FilterSet as RestFilterSet
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request

from automate_api.v1.query_params import filter_params, params_by_filter

#: No integer key is beyond this, and SQLite cannot even be asked for one.
_LARGEST_KEY = 2**63 - 1


class KeyFilter(filters.NumberFilter):
    """Rows by an integer key. A number that no key can have is like the key of no row."""

    field_class = forms.IntegerField  # type: ignore[assignment]  # the stubs want a decimal field

    def filter(self, qs: Any, value: Any) -> Any:
        """Those of `qs` with this key."""
        if value is not None and abs(value) > _LARGEST_KEY:
            return qs.none()
        return super().filter(qs, value)


class _MomentField(IsoDateTimeField):
    def clean(self, value: Any) -> datetime.datetime | None:
        moment: datetime.datetime | None = super().clean(value)
        if moment is not None and not datetime.MINYEAR < moment.year < datetime.MAXYEAR:
            # In another time zone it may have no date at all.
            raise DoesNotFit(self.error_messages["invalid"], code="invalid")
        if moment is not None and timezone.is_aware(moment) and not settings.USE_TZ:
            return timezone.make_naive(moment)
        return moment


class SearchFilter(filters.CharFilter):
    """Rows with a text, of at most 200 characters, somewhere in one of some columns, in upper or lower case.

    Args:
        columns: their names.
    """

    def __init__(self, *args: Any, columns: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **{"max_length": 200, **kwargs})
        self.columns = columns

    def filter(self, qs: Any, value: Any) -> Any:
        """Those of `qs` with `value` in them, every character of which stands for itself."""
        if not value:
            return qs
        # SQLite's LIKE knows the cases of ASCII alone; there regular expressions are Python's, and this one is plain.
        is_sqlite = connections[qs.db].vendor == "sqlite"
        lookup, text = ("iregex", re.escape(value)) if is_sqlite else ("icontains", value)
        return qs.filter(reduce(or_, (Q(**{f"{column}__{lookup}": text}) for column in self.columns)))


class _TruthField(forms.Field):
    # django-filter's takes whatever is neither true nor false for nothing, and so for all rows.
    widget = forms.TextInput
    default_error_messages = {"invalid": _("Write true or false.")}

    def to_python(self, value: Any) -> bool | None:
        text = "" if value is None else str(value).lower()
        if text not in _TRUTHS:
            raise DoesNotFit(self.error_messages["invalid"], code="invalid")
        return _TRUTHS[text]


_TRUTHS = {"": None, "true": True, "false": False, "1": True, "0": False}


class BooleanFilter(filters.BooleanFilter):
    """Rows by `true` or `false`, also as `1` or `0`, in upper or lower case."""

    field_class = _TruthField  # type: ignore[assignment]  # the stubs want a null boolean field


class MomentFilter(filters.IsoDateTimeFilter):
    """Rows by a time (ISO 8601), within the years 2 to 9998."""

    field_class = _MomentField


class FilterSet(RestFilterSet):
    """Base of the package's filters.

    A value that does not fit is a 400. Relations are filtered by id without looking the id up: one that is foreign or
    absent gives an empty page, and neither can be told from the other. Filters narrow lists; they are not applied when
    a single object is asked for.

    Override:
        help_texts (`{}`): what each parameter means, by its name, for the OpenAPI description.
    """

    help_texts: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, data: Any = None, queryset: Any = None, *, request: Any = None, prefix: Any = None) -> None:
        if prefix is None:
            # In front of the class's: what nobody asks for need not be copied, made a form of and cleaned.
            self.base_filters = OrderedDict(self.asked_by(data or {}))
        super().__init__(data, queryset, request=request, prefix=prefix)

    @classmethod
    def asked_by(cls, data: Collection[str]) -> Mapping[str, Any]:
        """The filters that the parameters `data` can make a difference to; all, if the class filters by code."""
        filters: Mapping[str, Any] = cls.base_filters
        by_code = any(getattr(cls, name) is not getattr(RestFilterSet, name) for name in _FILTERING)
        meta: Any = cls._meta  # type: ignore[attr-defined]  # django-filter's name for it
        if by_code or cls.__init__ is not FilterSet.__init__ or meta.form is not forms.Form:
            return filters
        params = params_by_filter(cls)
        asked = {
            name: found for name, found in filters.items() if _acts_unasked(found) or not params[name].isdisjoint(data)
        }
        # A method may look at what came of other filters.
        return filters if any(found.method is not None for found in asked.values()) else asked

    @classmethod
    def get_filters(cls) -> Any:
        """django-filter's, with the help texts."""
        found = super().get_filters()
        for name, text in cls.help_texts.items():
            if name in found:
                found[name].extra["help_text"] = text
        return found

    @classmethod
    def filter_for_lookup(cls, field: Any, lookup_type: str) -> tuple[Any, dict[str, Any]]:
        """django-filter's choice, but for relations the filter of the related model's id, and for what is true or false
        one that takes nothing else.
        """
        if isinstance(field, ForeignKey | OneToOneField | ManyToManyField) and lookup_type == "exact":
            filter_class, params = super().filter_for_lookup(field.target_field, lookup_type)
            if filter_class is filters.NumberFilter:
                filter_class = KeyFilter
            return filter_class or filters.CharFilter, params or {}
        chosen: tuple[Any, dict[str, Any]] = super().filter_for_lookup(field, lookup_type)
        is_boolean = isinstance(chosen[0], type) and issubclass(chosen[0], filters.BooleanFilter)
        return (BooleanFilter, chosen[1]) if is_boolean else chosen


# Where a filterset decides what becomes of the parameters together.
_FILTERING = ("filter_queryset", "qs", "form", "get_form_class", "is_valid", "errors")

# Modules whose filters do nothing for an empty value.
_KNOWN = ("django_filters.", "automate_api.")


def _acts_unasked(declared: filters.Filter) -> bool:
    """Whether a filter may do anything where its parameter is not given; django-filter's own and ours do not."""
    return bool(declared.extra.get("required")) or not type(declared).__module__.startswith(_KNOWN)


class FilterBackend(DjangoFilterBackend):
    """django-filter on `filterset_class` or `filterset_fields`; of the latter it makes a `FilterSet` of ours."""

    filterset_base = FilterSet

    def filter_queryset(self, request: Any, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        """The rows that the query parameters ask for.

        Raises:
            ValidationError: a value does not fit its filter (400).
        """
        filterset_class = self.get_filterset_class(view, queryset)
        if filterset_class is None:
            return queryset
        if issubclass(filterset_class, FilterSet):
            is_detail = (view.lookup_url_kwarg or view.lookup_field) in view.kwargs
            if is_detail or not filterset_class.asked_by(request.query_params):
                return queryset
        filtered: QuerySet[Any] = super().filter_queryset(request, queryset, view)
        return filtered

    def get_query_params(self, view: Any) -> set[str]:
        """The parameters that the view's filters read."""
        filterset_class = getattr(view, "filterset_class", None)
        if filterset_class is None and getattr(view, "filterset_fields", None):
            rows = view.get_queryset() if view.queryset is None else view.queryset
            filterset_class = self.get_filterset_class(view, rows)
        return filter_params(filterset_class)

    def get_filterset_class(self, view: Any, queryset: Any = None) -> Any:
        """The view's `filterset_class`, else the one of its `filterset_fields`, which is made once."""
        fields = getattr(view, "filterset_fields", None)
        if getattr(view, "filterset_class", None) or not fields or queryset is None:
            return super().get_filterset_class(view, queryset)
        return _filterset_of(self.filterset_base, queryset.model, _frozen(fields))


def _frozen(fields: Any) -> Any:
    """`filterset_fields` as a key: names, or names with lookups."""
    if isinstance(fields, Mapping):
        return tuple((name, tuple(lookups)) for name, lookups in fields.items())
    return fields if isinstance(fields, str) else tuple(fields)


@lru_cache(maxsize=512)
def _filterset_of(base: type[RestFilterSet], model: type[Model], fields: Any) -> type[RestFilterSet]:
    with_lookups = not isinstance(fields, str) and isinstance(fields[0], tuple)
    own = {"model": model, "fields": dict(fields) if with_lookups else fields}
    meta = type("Meta", (getattr(base, "Meta", object),), own)
    return type("AutoFilterSet", (base,), {"Meta": meta})


class OrderingBackend(BaseFilterBackend):
    """`?ordering=name,-created_at` by the fields the view declares in `ordering_fields`, else the view's `ordering`."""

    parameter = "ordering"

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        """The rows in the order asked for; as they are if none is.

        Raises:
            ValidationError: a field is not declared (400).
        """
        asked = request.query_params.get(self.parameter)
        if asked is not None:
            return queryset.order_by(*self._checked(asked, view))
        default = getattr(view, "ordering", ())
        default = (default,) if isinstance(default, str) else tuple(default)
        return queryset.order_by(*default) if default else queryset

    def _checked(self, asked: str, view: Any) -> list[str]:
        terms = [term.strip() for term in asked.split(",")]
        allowed = ordering_fields(view)
        if any(term.removeprefix("-") not in allowed for term in terms):
            detail = _("Order by one or more of: %(fields)s.") % {"fields": ", ".join(sorted(allowed)) or "-"}
            raise ValidationError({self.parameter: [ErrorDetail(detail, "invalid")]})
        return terms

    def get_query_params(self, view: Any) -> set[str]:
        """`ordering`, where the view declares any fields."""
        return {self.parameter} if ordering_fields(view) else set()

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """The parameter as OpenAPI has it."""
        allowed = ordering_fields(view)
        if not allowed:
            return []
        values = [sign + name for name in sorted(allowed) for sign in ("", "-")]
        schema = {"type": "array", "items": {"type": "string", "enum": values}}
        description = "Fields to order by, `-` before one for descending."
        parameter = {"name": self.parameter, "in": "query", "required": False, "description": description}
        return [{**parameter, "schema": schema, "style": "form", "explode": False}]


def ordering_fields(view: Any) -> Collection[str]:
    """The fields that `?ordering=` may name on this view."""
    declared: Sequence[str] = getattr(view, "ordering_fields", None) or ()
    return [declared] if isinstance(declared, str) else list(declared)


def newest_first(model: type[Model]) -> tuple[str, ...]:
    """The order of lists that declare none: `-created_at, -pk` where the model has that column, else `-pk`."""
    names = {field.name for field in model._meta.concrete_fields}  # noqa: SLF001 - Django's public name
    return ("-created_at", "-pk") if "created_at" in names else ("-pk",)

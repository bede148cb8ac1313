"""Query parameters: a view knows its own, and anything else is a mistake worth telling."""

from collections.abc import Collection, Iterator, Mapping
from copy import copy
from typing import Any
from weakref import WeakKeyDictionary

from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request

from automate_api.exceptions import FieldError, InvalidInput

_LONGEST_NAME = 64

_params: WeakKeyDictionary[Any, Mapping[str, frozenset[str]]] = WeakKeyDictionary()


def require_known_query_params(request: Request, known: Collection[str]) -> None:
    """Raise InvalidInput (400) for parameters that are not `known` and for values with NUL characters."""
    if not request.query_params:
        return
    errors = list(_errors(request, known))
    if errors:
        raise InvalidInput(errors)


def _errors(request: Request, known: Collection[str]) -> Iterator[FieldError]:
    for name, values in request.query_params.lists():
        if name not in known:
            yield FieldError(name[:_LONGEST_NAME], "unknown_parameter", str(_("There is no such query parameter.")))
        elif any("\x00" in value for value in values):
            yield FieldError(name, "invalid", str(_("NUL characters are not allowed.")))


def list_query_params(view: Any) -> frozenset[str]:
    """What a list view's filter backends and paginator read from the query."""
    known: set[str] = set()
    for backend in view.filter_backends:
        known |= _names(backend(), view)
    if view.paginator is not None:
        known |= _names(view.paginator, view)
    return frozenset(known)


def _names(source: Any, view: Any) -> set[str]:
    """The parameters of a backend or paginator: ours tell them, others' filtersets and schemas do."""
    if hasattr(source, "get_query_params"):
        return set(source.get_query_params(view))
    if hasattr(source, "get_filterset_class"):
        return filter_params(source.get_filterset_class(view, view.get_queryset()))
    if hasattr(source, "get_schema_operation_parameters"):
        return {parameter["name"] for parameter in source.get_schema_operation_parameters(view)}
    return set()


def filter_params(filterset_class: Any) -> set[str]:
    """The query parameters of a django-filter `FilterSet`, those of ranges included; none for None."""
    return set().union(*params_by_filter(filterset_class).values()) if filterset_class is not None else set()


def params_by_filter(filterset_class: Any) -> Mapping[str, frozenset[str]]:
    """The query parameters of each filter of a django-filter `FilterSet`."""
    known = _params.get(filterset_class)
    if known is None:
        declared = getattr(filterset_class, "base_filters", {})
        known = _params[filterset_class] = {name: _params_of(name, found) for name, found in declared.items()}
    return known


def _params_of(name: str, declared: Any) -> frozenset[str]:
    # A filter keeps the form field it makes, and the class's own is copied for every request.
    suffixes = getattr(copy(declared).field.widget, "suffixes", None) or [None]
    return frozenset(f"{name}_{suffix}" if suffix else name for suffix in suffixes)

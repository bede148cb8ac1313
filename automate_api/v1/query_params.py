"""Query parameters: a view knows its own, and anything else is a mistake worth telling."""

from collections.abc import Collection, Iterator
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request

from automate_api.exceptions import FieldError, InvalidInput

_LONGEST_NAME = 64


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
    names: set[str] = set()
    for name, declared in getattr(filterset_class, "base_filters", {}).items():
        suffixes = getattr(declared.field.widget, "suffixes", None) or [None]
        names |= {f"{name}_{suffix}" if suffix else name for suffix in suffixes}
    return names

"""Lists below a row: pages and filters of rows that are no rows of the view's own."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django_filters.utils import translate_validation
from rest_framework.response import Response

from automate_api.v1.query_params import filter_params, list_query_params


class ChildListsMixin:
    """For viewsets with actions that list what belongs to a row.

    Such an action is named in `child_lists`, and answers with `list_children()`. It may have a filterset of its own, as
    `@action(filterset_class=…)`.
    """

    child_lists: ClassVar[frozenset[str]] = frozenset()

    action: Any
    filterset_class: Any
    request: Any

    def get_query_params(self) -> frozenset[str]:
        """Also those of pages and filters of a list below a row."""
        known: frozenset[str] = super().get_query_params()  # type: ignore[misc]  # from the view
        if self.action not in self.child_lists:
            return known
        return known | list_query_params(self) | filter_params(self.filterset_class)

    def list_children(self, rows: QuerySet[Any]) -> Response:
        """A page of `rows` by the action's filters, in their own order.

        Raises:
            ValidationError: a parameter does not fit (400).
        """
        if self.filterset_class is not None:
            found = self.filterset_class(self.request.query_params, rows, request=self.request)
            if not found.is_valid():
                raise translate_validation(found.errors)
            rows = found.qs
        view: Any = self
        page = view.paginate_queryset(rows)
        answer: Response = view.get_paginated_response(view.get_serializer(page, many=True).data)
        return answer

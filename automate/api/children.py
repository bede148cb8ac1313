"""Views of rows that belong to another row, which their path names before them."""

from typing import Any, ClassVar

from django.db.models import Model, QuerySet
from rest_framework.generics import get_object_or_404

from automate_api.exceptions import NotFound
from automate_api.v1.base import TenantFilterMixin


class ChildMixin(TenantFilterMixin):
    """For views of rows below a parent that the caller may read; below any other there are none, which is a 404.

    `parent_field` is the foreign key to it, and `parent_keyword` the keyword of the route that has its id.
    """

    lookup_value_regex = "[^/]+"
    parent_model: ClassVar[type[Model]]
    parent_field: ClassVar[str]
    parent_keyword: ClassVar[str]

    def get_parent(self) -> Any:
        """The parent that the path names.

        Raises:
            NotFound: there is none that the caller may read.
        """
        manager: Any = self.parent_model._default_manager  # noqa: SLF001 - Django's public name for it
        key = self.kwargs[self.parent_keyword]
        found = get_object_or_404(manager.readable_by(self.get_actor()).order_by(), pk=key)
        if isinstance(found.pk, int) and str(found.pk) != key:
            # An integer id has one spelling.
            raise NotFound
        return found

    def get_queryset(self) -> QuerySet[Any]:
        """The rows of the parent."""
        rows = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return rows.none()
        return rows.filter(**{self.parent_field: self.get_parent()})

"""Rows of one tenant only."""

from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import PermissionDenied
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.serializers import BaseSerializer

from automate_api.models import Actor
from automate_api.tenancy import resolve_tenant
from automate_api.v1.base.order import ViewMixin
from automate_api.v1.base.tenant_path import TenantPath, save_in_tenant
from automate_api.v1.permissions import key_of

if TYPE_CHECKING:
    _View = GenericAPIView[Any]
else:
    _View = object


def tenant_of_request(request: Request) -> str | None:
    """The tenant a request acts in: its API key's, else the one the host's resolver names."""
    key = key_of(request)
    if key is not None:
        return key.tenant_id
    http_request: HttpRequest = request._request  # noqa: SLF001 - REST framework's documented way to Django's request
    return resolve_tenant(http_request)


class TenantFilterMixin(ViewMixin, _View):
    """Shows and makes rows of the caller's tenant, and no others.

    Whatever `get_queryset()` a subclass writes, the rows a list shows and `get_object()` finds are filtered; whatever
    `perform_create()` it writes, what its serializer saves is stamped. Where there is no tenant there are no rows, and
    nothing can be created.

    Override:
        tenant_field ("tenant_id"): the column, or a path to it through foreign keys (`project.organization_id`, also
            with double underscores). A path filters, and on create and update the parent named in the body must be
            of the tenant: one that is not is answered like one that does not exist.
        get_tenant(): which tenant.
    """

    tenant_field = "tenant_id"

    @classmethod
    def as_view(cls, *args: Any, **kwargs: Any) -> Any:
        """As REST framework's, after checking that the model has the field.

        Raises:
            ImproperlyConfigured: it has not.
        """
        model = getattr(getattr(cls, "queryset", None), "model", None)
        if model is not None:
            TenantPath(model, kwargs.get("tenant_field", cls.tenant_field))
        return super().as_view(*args, **kwargs)

    def get_tenant(self) -> str | None:
        """The caller's tenant as a string: the API key's, else the host's resolver's. None: no rows, no creation."""
        return tenant_of_request(self.request)

    def require_tenant(self) -> str:
        """The caller's tenant.

        Raises:
            PermissionDenied: there is none.
        """
        tenant = self.get_tenant()
        if tenant is None:
            raise PermissionDenied(_("There is no tenant to create this in."))
        return str(tenant)

    def get_actor(self) -> Actor:
        """Who acts, as the services take it: the user, the tenant, and the API key if there is one."""
        tenant = self.get_tenant()
        return Actor(self.request.user, None if tenant is None else str(tenant), key_of(self.request))

    def get_queryset(self) -> QuerySet[Any]:
        """The view's rows, of the caller's tenant."""
        return self.of_tenant(super().get_queryset())

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Filter as REST framework does; by tenant again where a subclass has its own `get_queryset()`."""
        if type(self).get_queryset is not TenantFilterMixin.get_queryset:
            # It may not have called ours, or may have widened what ours gave.
            queryset = self.of_tenant(queryset)
        return super().filter_queryset(queryset)

    def of_tenant(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those of `queryset` that are of the caller's tenant.

        Raises:
            ImproperlyConfigured: their model has no `tenant_field`.
        """
        path = TenantPath(queryset.model, self.tenant_field)
        tenant = path.value_of(self.get_tenant())
        return queryset.none() if tenant is None else queryset.filter(**{path.lookup: tenant})

    def get_serializer(self, *args: Any, **kwargs: Any) -> BaseSerializer[Any]:
        """The view's serializer; one that takes data saves into the caller's tenant only."""
        serializer = super().get_serializer(*args, **kwargs)
        if "data" in kwargs or len(args) > 1:
            save_in_tenant(serializer, self)
        return serializer

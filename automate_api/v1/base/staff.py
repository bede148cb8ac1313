"""Views for a tenant's staff."""

from typing import TYPE_CHECKING

from rest_framework.request import Request
from rest_framework.views import APIView

from automate_api.v1.base.order import ViewMixin
from automate_api.v1.permissions import require_authenticated, require_staff

if TYPE_CHECKING:
    _View = APIView
else:
    _View = object


class StaffOnlyMixin(ViewMixin, _View):
    """Staff (`is_staff`), or 403; 401 where nobody is signed in.

    The guard stands in `check_permissions()`, before the view's own permissions: `permission_classes`,
    `get_permissions()` and `@action(permission_classes=...)` can only add to it.
    """

    def check_permissions(self, request: Request) -> None:
        """Admit staff to the permissions that follow.

        Raises:
            NotAuthenticated, PermissionDenied: anybody else.
        """
        require_authenticated(request)
        require_staff(request)
        super().check_permissions(request)

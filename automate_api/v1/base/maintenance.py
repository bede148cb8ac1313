"""Views that answer 503 while maintenance goes on."""

from typing import TYPE_CHECKING, Any

from rest_framework.exceptions import APIException, ErrorDetail
from rest_framework.request import Request
from rest_framework.views import APIView

from automate_api.exceptions import UnderMaintenance
from automate_api.services.maintenance import require_no_maintenance
from automate_api.v1.base.order import ViewMixin

if TYPE_CHECKING:
    _View = APIView
else:
    _View = object


class InMaintenance(APIException):
    """503, for REST framework's own error handler as well as for ours."""

    status_code = 503

    def __init__(self, error: UnderMaintenance) -> None:
        super().__init__()
        self.wait = error.retry_after
        self.detail = ErrorDetail(error.detail, str(error.code))


class MaintenanceMixin(ViewMixin, _View):
    """Answers 503 with `Retry-After` in maintenance mode, before anybody is authenticated and before any work.

    `AUTOMATE_API_MAINTENANCE` or `manage.py maintenance on` begin it. Finding out costs one query, and none while the
    setting is on. A browser's preflight is answered all the same.
    """

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """REST framework's, unless there is maintenance.

        Raises:
            InMaintenance: there is (503).
        """
        refuse_in_maintenance()
        super().initial(request, *args, **kwargs)


def refuse_in_maintenance() -> None:
    """Raise InMaintenance (503) while there is maintenance."""
    try:
        require_no_maintenance()
    except UnderMaintenance as exc:
        raise InMaintenance(exc) from exc

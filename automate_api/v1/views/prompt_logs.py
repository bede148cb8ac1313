"""`prompt-logs/`: what was said to models, and what they said."""

from http import HTTPStatus
from typing import Any, ClassVar

from django.http import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request

from automate_api.models import PromptLog
from automate_api.services.prompt_archive import open_prompt_archive
from automate_api.v1.archives import ZIP, ZIP_FILE, ArchiveResponse
from automate_api.v1.base import BaseReadOnlyViewSet
from automate_api.v1.filtersets import PromptLogFilterSet
from automate_api.v1.negotiation import AnyForm
from automate_api.v1.serializers.prompt_logs import PromptLogSerializer
from automate_api.v1.views.domain import DomainMixin, is_asgi

PREFIX = "prefix"

_DOWNLOAD: dict[str, Any] = {
    "parameters": [
        OpenApiParameter(
            PREFIX,
            str,
            OpenApiParameter.QUERY,
            required=True,
            description=_("How the keys of the logs begin, letter by letter."),
        )
    ],
    "summary": _("Download prompt logs"),
    "description": _(
        "The logs of the last 30 days whose key begins with the prefix, as a zip file: of each the entries "
        "`{log_key}-system` and `{log_key}-history`, or `{log_key}-error` where it cannot be had. At most 1000."
    ),
    "responses": ZIP_FILE,
}


@extend_schema_view(
    list=extend_schema(description=_("Your prompt logs, newest first; for staff all of the tenant.")),
    retrieve=extend_schema(description=_("One prompt log.")),
)
class PromptLogViewSet(DomainMixin, BaseReadOnlyViewSet):
    """Prompt logs: each caller sees its own, staff all of the tenant.

    Override:
        may_read_log(log): whether the caller may read a log that is among those to download; by default all of them.
    """

    queryset = PromptLog.objects.all()
    serializer_class = PromptLogSerializer
    filterset_class = PromptLogFilterSet
    ordering_fields = ("created_at", "log_key")
    scope_resource = "prompt-logs"
    error_statuses: ClassVar[Any] = {"download": (HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY)}

    def get_query_params(self) -> frozenset[str]:
        """Also which logs to download."""
        return super().get_query_params() | ({PREFIX} if self.action == "download" else frozenset())

    def may_read_log(self, log: PromptLog) -> bool:
        """Whether the caller may read `log`; if not, the archive says so in its place. It may use the database."""
        return True

    @extend_schema(**_DOWNLOAD)
    @action(detail=False, methods=["get"], filter_backends=[], pagination_class=None, content_negotiation_class=AnyForm)
    def download(self, request: Request) -> HttpResponseBase:
        """As a zip file."""
        prefix = request.query_params.get(PREFIX, "")
        pages = open_prompt_archive(self.get_queryset(), prefix=prefix, may_read=self.may_read_log)
        is_empty = request.method == "HEAD"
        return ArchiveResponse(
            pages, filename="prompt-logs.zip", content_type=ZIP, is_async=is_asgi(request), is_empty=is_empty
        )

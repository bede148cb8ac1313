"""`workflows/<pk>/versions/`: workflows as they were."""

import re
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view

from automate.api.children import ChildMixin
from automate.api.serializers.workflows import WorkflowVersionSerializer
from automate.models import Workflow, WorkflowVersion
from automate_api.exceptions import NotFound
from automate_api.v1.base import BaseReadOnlyViewSet, StaffOnlyMixin

# A number has one spelling.
_NUMBER = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)


_WORKFLOW = OpenApiParameter(
    "workflow_pk", OpenApiTypes.INT, OpenApiParameter.PATH, description=_("The workflow's id.")
)
_VERSION = OpenApiParameter("version", OpenApiTypes.INT, OpenApiParameter.PATH, description=_("The version's number."))


@extend_schema_view(
    list=extend_schema(
        parameters=[_WORKFLOW], description=_("The workflow's definition at each of its versions, the latest first.")
    ),
    retrieve=extend_schema(
        parameters=[_WORKFLOW, _VERSION], description=_("The workflow's definition at one version.")
    ),
)
class WorkflowVersionViewSet(StaffOnlyMixin, ChildMixin, BaseReadOnlyViewSet):
    """Versions of a workflow: kept for good, and looked at by staff of the tenant."""

    queryset = WorkflowVersion.objects.all()
    serializer_class = WorkflowVersionSerializer
    tenant_field = "workflow__tenant_id"
    parent_model, parent_field, parent_keyword = Workflow, "workflow", "workflow_pk"
    lookup_field = lookup_url_kwarg = "version"
    ordering = ("-version",)
    scope_resource = "workflows"

    def get_object(self) -> Any:
        """The version that the path names."""
        if not _NUMBER.fullmatch(self.kwargs["version"]):
            raise NotFound
        return super().get_object()

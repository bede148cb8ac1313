"""`rules/explain/`: what a rule gives, and why."""

from http import HTTPStatus
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from automate.api.serializers.rules import ExplanationSerializer, RuleRequestSerializer
from automate.services.rules import explain_rule
from automate_api.v1.base import BaseAPIView, StaffOnlyMixin
from automate_api.v1.permissions import READ


class RuleExplainView(StaffOnlyMixin, BaseAPIView):
    """What a rule gives and why, for staff. Nothing is stored.

    Override:
        rate_limit (`"120/minute"`): how often each caller may ask.
    """

    scope_resource = "rules"
    scope_access = READ
    rate_limit = "120/minute"
    error_statuses: ClassVar[Any] = {"post": (HTTPStatus.SERVICE_UNAVAILABLE,)}

    @extend_schema(
        summary=_("Explain rule"),
        description=_(
            "What a rule gives when it is asked about a context, what each of its sub-expressions gives, and which of "
            "them decide. A rule that cannot be read is a 400 with `line` and `column`."
        ),
        request=RuleRequestSerializer,
        responses=OpenApiResponse(ExplanationSerializer, description=_("What it gives and why; also where it fails.")),
    )
    def post(self, request: Request) -> Response:
        """Explain it."""
        asked = RuleRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return Response(explain_rule(**asked.validated_data))

"""`triggers/`: what starts workflows."""

from http import HTTPStatus
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from automate.api.filtersets import TriggerFilterSet
from automate.api.serializers.triggers import IssuedTriggerSerializer, TriggerSerializer
from automate.models import Trigger
from automate.services.triggers import create_trigger, rotate_token, update_trigger
from automate_api.v1.base import BaseModelViewSet, StaffOnlyMixin
from automate_api.v1.views.domain import DomainMixin

_NOT_CONFIGURED = (HTTPStatus.SERVICE_UNAVAILABLE,)


@extend_schema_view(
    list=extend_schema(description=_("The tenant's triggers, without tokens and secrets.")),
    retrieve=extend_schema(description=_("One trigger, without its token and its secret.")),
    update=extend_schema(description=_("Replace a trigger. What a schedule missed before the change is not made up.")),
    partial_update=extend_schema(
        description=_("Change a trigger. What a schedule missed before the change is not made up.")
    ),
    destroy=extend_schema(description=_("Delete a trigger. The runs that it has started stay.")),
)
class TriggerViewSet(StaffOnlyMixin, DomainMixin, BaseModelViewSet):
    """Triggers: managed by staff of the tenant."""

    queryset = Trigger.objects.all()
    serializer_class = TriggerSerializer
    filterset_class = TriggerFilterSet
    ordering_fields = ("name", "created_at", "updated_at", "next_due")
    scope_resource = "triggers"
    error_statuses: ClassVar[Any] = dict.fromkeys(("create", "update", "partial_update", "rotate"), _NOT_CONFIGURED)

    @extend_schema(
        summary=_("Create trigger"),
        description=_(
            "Make a trigger. A hook's token, and its signing secret where none is given, are in this answer and "
            "nowhere else."
        ),
        responses={201: IssuedTriggerSerializer},
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Make one."""
        body = self.get_serializer(data=request.data)
        body.is_valid(raise_exception=True)
        trigger, token = create_trigger(actor=self.get_actor(), **body.validated_data)
        was_made = bool(trigger.signing_secret) and not body.validated_data.get("signing_secret")
        made_secret = trigger.signing_secret.reveal() if was_made else None
        return self._issued(trigger, token, made_secret, HTTPStatus.CREATED)

    def perform_update(self, serializer: Any) -> None:
        """Change it."""
        serializer.instance = update_trigger(serializer.instance, **serializer.validated_data)

    @extend_schema(
        summary=_("Rotate trigger token"),
        description=_("Give a hook a new token. The old address stops working at once."),
        request=None,
        responses=OpenApiResponse(IssuedTriggerSerializer, description=_("The trigger with its new token.")),
    )
    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, pk: str | None = None) -> Response:
        """Give it a new token."""
        trigger = self.get_object()
        return self._issued(trigger, rotate_token(trigger), None, HTTPStatus.OK)

    def _issued(self, trigger: Trigger, token: str | None, made_secret: str | None, code: int) -> Response:
        shown = {**self.get_serializer(trigger).data, "token": token, "made_secret": made_secret}
        return Response(shown, status=code, headers={"Cache-Control": "no-store"})

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
from automate.services.triggers import (
    create_trigger,
    delete_trigger,
    rotate_signing_secret,
    rotate_token,
    update_trigger,
)
from automate_api.v1.base import BaseModelViewSet, StaffOnlyMixin
from automate_api.v1.views.domain import DomainMixin

_STORING = ("create", "update", "partial_update", "rotate_secret")
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
    error_statuses: ClassVar[Any] = dict.fromkeys(
        ("create", "update", "partial_update", "rotate_secret"), _NOT_CONFIGURED
    )

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
        was_made = token is not None and not body.validated_data.get("signing_secret")
        return self._issued(trigger, HTTPStatus.CREATED, token, trigger.signing_secret.reveal() if was_made else None)

    def perform_update(self, serializer: Any) -> None:
        """Change it."""
        serializer.instance = update_trigger(serializer.instance, **serializer.validated_data)

    def perform_destroy(self, instance: Trigger) -> None:
        """Delete it."""
        delete_trigger(instance)

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
        return self._issued(trigger, HTTPStatus.OK, token=rotate_token(trigger))

    @extend_schema(
        summary=_("Rotate trigger secret"),
        description=_("Give a hook a new signing secret. What is signed with the old one is refused at once."),
        request=None,
        responses=OpenApiResponse(IssuedTriggerSerializer, description=_("The trigger with its new signing secret.")),
    )
    @action(detail=True, methods=["post"], url_path="rotate-secret", url_name="rotate-secret")
    def rotate_secret(self, request: Request, pk: str | None = None) -> Response:
        """Give it a new signing secret."""
        trigger = self.get_object()
        return self._issued(trigger, HTTPStatus.OK, signing_secret=rotate_signing_secret(trigger))

    def _issued(
        self, trigger: Trigger, code: int, token: str | None = None, signing_secret: str | None = None
    ) -> Response:
        shown = {**self.get_serializer(trigger).data, "token": token, "signing_secret": signing_secret}
        return Response(shown, status=code, headers={"Cache-Control": "no-store"})

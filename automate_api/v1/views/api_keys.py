"""`api-keys/`: credentials for programs."""

from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from automate_api.models import APIKey
from automate_api.services.api_keys import create_key, revoke_key, rotate_key
from automate_api.v1.base import BaseReadOnlyViewSet, StaffOnlyMixin
from automate_api.v1.filtersets import APIKeyFilterSet
from automate_api.v1.schema.problems import NO_CACHE
from automate_api.v1.serializers.api_keys import APIKeySerializer, IssuedAPIKeySerializer, RotationSerializer
from automate_api.v1.views.domain import DomainMixin


@extend_schema_view(
    list=extend_schema(description=_("The tenant's API keys, without their secrets.")),
    retrieve=extend_schema(description=_("One API key, without its secret.")),
)
class APIKeyViewSet(StaffOnlyMixin, DomainMixin, mixins.CreateModelMixin, BaseReadOnlyViewSet):
    """API keys: managed by staff of the tenant."""

    queryset = APIKey.objects.all()
    serializer_class = APIKeySerializer
    filterset_class = APIKeyFilterSet
    ordering_fields = ("name", "created_at", "expires_at")
    scope_resource = "api-keys"
    error_statuses: ClassVar[Any] = dict.fromkeys(("create", "rotate", "revoke"), (NO_CACHE,))

    @extend_schema(
        summary=_("Issue API key"),
        description=_("Issue a key. Its text is in this answer and nowhere else."),
        responses={201: IssuedAPIKeySerializer},
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Issue a key, for the caller or for another member of the tenant."""
        body = self.get_serializer(data=request.data)
        body.is_valid(raise_exception=True)
        return self._issued(*create_key(actor=self.get_actor(), **body.validated_data), status.HTTP_201_CREATED)

    @extend_schema(
        summary=_("Rotate API key"),
        description=_(
            "Give the key a new secret. The old one stops working at once, or works beside it for a while; one from "
            "before the old one stops in any case."
        ),
        request=RotationSerializer,
        responses=OpenApiResponse(IssuedAPIKeySerializer, description=_("The key with its new text.")),
    )
    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, pk: str | None = None) -> Response:
        """Give it a new secret."""
        key, asked = self.get_object(), RotationSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return self._issued(*rotate_key(key, actor=self.get_actor(), **asked.validated_data), status.HTTP_200_OK)

    @extend_schema(
        summary=_("Revoke API key"),
        description=_("Make the key useless for good. Revoking twice changes nothing."),
        request=None,
        responses=OpenApiResponse(APIKeySerializer, description=_("The key, revoked.")),
    )
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, pk: str | None = None) -> Response:
        """Make it useless."""
        key = self.get_object()
        revoke_key(key)
        key.refresh_from_db(fields=["revoked_at"])
        return Response(self.get_serializer(key).data)

    def _issued(self, key: APIKey, text: str, code: int) -> Response:
        answer = Response({**self.get_serializer(key).data, "api_key": text}, status=code)
        answer["Cache-Control"] = "no-store"
        return answer

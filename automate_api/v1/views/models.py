"""`models/`: every model the caller can reach."""

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from automate_api.services.models import reachable_models
from automate_api.v1.base import BaseAPIView
from automate_api.v1.serializers.models import ReachableModelSerializer
from automate_api.v1.views.domain import ActorMixin


class ModelListView(ActorMixin, BaseAPIView):
    """The models of the tenant's providers and of the LLM clients the caller may read."""

    scope_resource = "models"

    @extend_schema(
        summary=_("List models"),
        description=_("Every model that you can reach, by provider and name. The list is not in pages."),
        responses=OpenApiResponse(ReachableModelSerializer(many=True), description=_("The models.")),
    )
    def get(self, request: Request) -> Response:
        """Every model the caller can reach, by provider and name."""
        return Response(ReachableModelSerializer(reachable_models(actor=self.get_actor()), many=True).data)

"""`endpoints/`: what a tenant's members run."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from automate_api.models import Endpoint
from automate_api.services.endpoints import (
    create_endpoint,
    delete_endpoint,
    find_endpoint,
    update_endpoint,
)
from automate_api.v1.base import BaseModelViewSet
from automate_api.v1.filtersets import EndpointFilterSet
from automate_api.v1.prefer import JOB_ACCEPTED, PREFER, answer_run
from automate_api.v1.serializers.endpoints import EndpointSerializer, RunRequestSerializer
from automate_api.v1.serializers.executions import ExecutionSerializer
from automate_api.v1.views.domain import DomainMixin, RunsMixin

ID_OR_SLUG = OpenApiParameter(
    "id",
    str,
    OpenApiParameter.PATH,
    description=_("The endpoint's id or its slug."),
    examples=[OpenApiExample("slug", value="ask"), OpenApiExample("id", value="3")],
)


@extend_schema_view(
    list=extend_schema(description=_("The endpoints you may run; for staff all of the tenant.")),
    retrieve=extend_schema(parameters=[ID_OR_SLUG], description=_("One endpoint, by its id or slug.")),
    create=extend_schema(description=_("Make an endpoint.")),
    update=extend_schema(parameters=[ID_OR_SLUG], description=_("Replace an endpoint; its version counts up.")),
    partial_update=extend_schema(parameters=[ID_OR_SLUG], description=_("Change an endpoint; its version counts up.")),
    destroy=extend_schema(parameters=[ID_OR_SLUG], description=_("Delete an endpoint. Its executions stay.")),
)
class EndpointViewSet(RunsMixin, DomainMixin, BaseModelViewSet):
    """Endpoints: run by whom their `access` admits, managed by staff."""

    queryset = Endpoint.objects.with_grants()
    serializer_class = EndpointSerializer
    filterset_class = EndpointFilterSet
    ordering_fields = ("name", "created_at", "updated_at")
    scope_resource = "endpoints"
    staff_actions = frozenset({"create", "update", "partial_update", "destroy"})

    def get_object(self) -> Endpoint:
        """The endpoint of the path, which holds an id or a slug."""
        endpoint = find_endpoint(self.filter_queryset(self.get_queryset()), str(self.kwargs["pk"]))
        self.check_object_permissions(self.request, endpoint)
        return endpoint

    def perform_create(self, serializer: BaseSerializer[Any]) -> None:
        """Make it in the caller's tenant."""
        serializer.instance = create_endpoint(actor=self.get_actor(), **serializer.validated_data)

    def perform_update(self, serializer: Any) -> None:
        """Change it and count its version up."""
        serializer.instance = update_endpoint(serializer.instance, **serializer.validated_data)

    def perform_destroy(self, instance: Endpoint) -> None:
        """Delete it."""
        delete_endpoint(instance)

    @extend_schema(
        parameters=[ID_OR_SLUG, *PREFER],
        summary=_("Run endpoint"),
        description=_(
            "Run the endpoint to its end and answer with the execution, which is stored. With `Prefer: respond-async` "
            "the answer is a job, at once."
        ),
        request=RunRequestSerializer,
        responses={
            200: OpenApiResponse(ExecutionSerializer, description=_("The execution, which has succeeded.")),
            202: JOB_ACCEPTED,
        },
    )
    @action(detail=True, methods=["post"])
    def run(self, request: Request, pk: str | None = None) -> Response:
        """Run it now."""
        execution = self.get_execution(request, str(pk))
        return answer_run(request, execution)

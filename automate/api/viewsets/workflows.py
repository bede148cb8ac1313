"""`workflows/`: what happens by itself."""

from http import HTTPStatus
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from automate.api.filtersets import WorkflowFilterSet
from automate.api.locations import location_of_run
from automate.api.serializers.runs import WorkflowRunSerializer
from automate.api.serializers.workflows import (
    StoredValidationRequestSerializer,
    ValidationRequestSerializer,
    ValidationSerializer,
    WorkflowDocumentSerializer,
    WorkflowInputSerializer,
    WorkflowSerializer,
)
from automate.models import Workflow
from automate.services.schemas import published_schema
from automate.services.workflows import WorkflowService
from automate_api.v1.base import BaseModelViewSet, StaffOnlyMixin
from automate_api.v1.correlation import correlation_id_of
from automate_api.v1.negotiation import JSONRenderer
from automate_api.v1.prefer import location_of
from automate_api.v1.views.domain import DomainMixin

_NOT_CONFIGURED = (HTTPStatus.SERVICE_UNAVAILABLE,)
_NOTHING_MORE: dict[str, Any] = {"filter_backends": (), "pagination_class": None}
_FOUND = OpenApiResponse(ValidationSerializer, description=_("What is wrong, if anything is."))


class SchemaJSONRenderer(JSONRenderer):
    """JSON Schema under its own media type, for who asks for that or for nothing in particular."""

    media_type = "application/schema+json"
    format = "schema-json"


@extend_schema_view(
    list=extend_schema(description=_("The tenant's workflows.")),
    retrieve=extend_schema(description=_("One workflow, with its definition.")),
    create=extend_schema(
        description=_(
            "Make a workflow. Its definition is checked; each error names the step. It belongs to you, and its runs "
            "have your rights."
        )
    ),
    update=extend_schema(
        description=_(
            "Replace a workflow. Where the definition is another, its version counts up and it belongs to you."
        )
    ),
    partial_update=extend_schema(
        description=_(
            "Change a workflow. Where the definition is another, its version counts up and it belongs to you."
        )
    ),
    destroy=extend_schema(description=_("Cancel what runs of it, and delete it with its triggers. Its runs stay.")),
)
class WorkflowViewSet(StaffOnlyMixin, DomainMixin, BaseModelViewSet):
    """Workflows: made, run and looked at by staff of the tenant.

    Override:
        service_class (`WorkflowService`): what makes, changes, deletes, checks, runs, exports and imports them.
        get_service(): the service that acts for the caller.
    """

    queryset = Workflow.objects.all()
    serializer_class = WorkflowSerializer
    filterset_class = WorkflowFilterSet
    ordering_fields = ("name", "created_at", "updated_at")
    scope_resource = "workflows"
    service_class: ClassVar[type[WorkflowService]] = WorkflowService
    # What a run stores must be seen by workers while the request goes on.
    atomic_requests: ClassVar[bool] = False
    error_statuses: ClassVar[Any] = {
        **dict.fromkeys(("create", "update", "partial_update", "import_document"), _NOT_CONFIGURED),
        **dict.fromkeys(("run", "validate", "validate_definition"), _NOT_CONFIGURED),
    }

    def get_service(self) -> WorkflowService:
        """The service that acts for the caller."""
        return self.service_class(actor=self.get_actor())

    def perform_create(self, serializer: BaseSerializer[Any]) -> None:
        """Make it in the caller's tenant."""
        serializer.instance = self.get_service().create(**serializer.validated_data)

    def perform_update(self, serializer: Any) -> None:
        """Change it; a changed definition is a new version."""
        serializer.instance = self.get_service().update(serializer.instance, **serializer.validated_data)

    def perform_destroy(self, instance: Workflow) -> None:
        """Cancel what runs of it and delete it."""
        self.get_service().delete(instance)

    @extend_schema(
        parameters=[location_of(_("Where the run is."))],
        summary=_("Run workflow"),
        description=_("Begin a run, whatever the condition says. The answer comes at once; the run goes on."),
        request=WorkflowInputSerializer,
        responses={202: OpenApiResponse(WorkflowRunSerializer, description=_("The run, which has begun."))},
    )
    @action(detail=True, methods=["post"])
    def run(self, request: Request, pk: str | None = None) -> Response:
        """Begin a run."""
        workflow, asked = self.get_object(), WorkflowInputSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        correlation_id = correlation_id_of(request)
        begun = self.get_service().run(workflow, **asked.validated_data, correlation_id=correlation_id)
        shown = WorkflowRunSerializer(begun, context=self.get_serializer_context()).data
        return Response(shown, status=HTTPStatus.ACCEPTED, headers=location_of_run(request, begun))

    @extend_schema(
        summary=_("Check workflow"),
        description=_("What is wrong with a definition that this workflow might have, or with its own."),
        request=StoredValidationRequestSerializer,
        responses=_FOUND,
    )
    @action(detail=True, methods=["post"])
    def validate(self, request: Request, pk: str | None = None) -> Response:
        """Look at a definition, or at the one that is stored."""
        workflow, asked = self.get_object(), StoredValidationRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return self._validated(asked.validated_data.get("definition", workflow.definition))

    @extend_schema(
        summary=_("Check definition"),
        description=_("What is wrong with a definition that is not saved yet."),
        request=ValidationRequestSerializer,
        responses=_FOUND,
    )
    @action(detail=False, methods=["post"], url_path="validate", url_name="validate-definition")
    def validate_definition(self, request: Request) -> Response:
        """Look at a definition."""
        asked = ValidationRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return self._validated(asked.validated_data["definition"])

    def _validated(self, definition: Any) -> Response:
        errors = self.get_service().validate(definition)
        return Response({"valid": not errors, "errors": [error.as_dict() for error in errors]})

    @extend_schema(
        summary=_("Export workflow"),
        description=_("The workflow and its triggers as a document, without secrets, tokens and ids."),
        responses=OpenApiResponse(WorkflowDocumentSerializer, description=_("The document.")),
    )
    @action(detail=True, methods=["get"], **_NOTHING_MORE)
    def export(self, request: Request, pk: str | None = None) -> Response:
        """The workflow as a document."""
        return Response(self.get_service().export(self.get_object()))

    @extend_schema(
        summary=_("Import workflow"),
        description=_(
            "Make a workflow and its triggers of a document: all of it or nothing. It is switched off and has no "
            "secrets; tokens of its hooks are made by `triggers/{id}/rotate/`."
        ),
        request=WorkflowDocumentSerializer,
        responses={201: OpenApiResponse(WorkflowSerializer, description=_("The workflow that was made."))},
    )
    @action(detail=False, methods=["post"], url_path="import", url_name="import")
    def import_document(self, request: Request) -> Response:
        """A workflow of a document."""
        WorkflowDocumentSerializer(data=request.data).is_valid(raise_exception=True)
        made = self.get_service().import_document(request.data)
        return Response(self.get_serializer(made).data, status=HTTPStatus.CREATED)

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "schema",
                str,
                OpenApiParameter.PATH,
                enum=["definition", "document"],
                description=_("Of what: a definition, or a document as `export/` writes it."),
            )
        ],
        summary=_("Retrieve JSON Schema"),
        description=_("The JSON Schema (draft 2020-12) of definitions or of documents, with the host's own steps."),
        responses={
            (200, "application/schema+json"): OpenApiResponse(
                {"type": "object", "additionalProperties": {}},
                description=_("The schema."),
                examples=[OpenApiExample("schema", value={"$id": "urn:automate:schema:workflow-definition:1"})],
            )
        },
    )
    @action(
        detail=False,
        methods=["get"],
        url_path="schemas/(?P<schema>[^/]+)",
        url_name="schema",
        renderer_classes=[SchemaJSONRenderer, JSONRenderer],
        **_NOTHING_MORE,
    )
    def published_schema(self, request: Request, schema: str = "") -> Response:
        """What definitions and documents look like."""
        return Response(published_schema(schema))

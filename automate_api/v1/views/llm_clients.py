"""`llm-clients/`: models with their prompts and parameters."""

from http import HTTPStatus
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer, Serializer

from automate_api.engine.transports import EventStream
from automate_api.models import Execution, LLMClient
from automate_api.services.llm_clients import (
    clone_llm_client,
    create_llm_client,
    delete_llm_client,
    rename_llm_client,
    restorable_llm_clients,
    restore_llm_client,
    share_llm_client,
    update_llm_client,
)
from automate_api.services.runs import prepare_chat, prepare_run
from automate_api.v1.base import BaseModelViewSet
from automate_api.v1.correlation import correlation_id_of
from automate_api.v1.filtersets import LLMClientFilterSet
from automate_api.v1.negotiation import prefers_event_stream
from automate_api.v1.prefer import JOB_ACCEPTED, PREFER, answer_run
from automate_api.v1.schema.problems import NO_CACHE
from automate_api.v1.serializers.executions import ExecutionSerializer
from automate_api.v1.serializers.llm_clients import (
    ChatRequestSerializer,
    LLMClientSerializer,
    NewNameSerializer,
    SharingSerializer,
    chat_request_of,
)
from automate_api.v1.serializers.run_events import EVENT_STREAM
from automate_api.v1.views.domain import DomainMixin, is_asgi


@extend_schema_view(
    list=extend_schema(description=_("Your LLM clients and those shared with you; for staff all of the tenant.")),
    retrieve=extend_schema(description=_("One LLM client.")),
    create=extend_schema(description=_("Make an LLM client. It belongs to you.")),
    update=extend_schema(description=_("Replace an LLM client of yours; staff may replace any of the tenant.")),
    partial_update=extend_schema(description=_("Change an LLM client of yours; staff may change any of the tenant.")),
    destroy=extend_schema(
        description=_("Delete an LLM client that no endpoint uses. Until it expires it can be restored.")
    ),
)
class LLMClientViewSet(DomainMixin, BaseModelViewSet):
    """LLM clients: read by whom they are shared with, changed by their owner and by staff."""

    queryset = LLMClient.objects.with_shares()
    serializer_class = LLMClientSerializer
    filterset_class = LLMClientFilterSet
    ordering_fields = ("name", "created_at", "updated_at")
    scope_resource = "llm-clients"
    error_statuses: ClassVar[Any] = dict.fromkeys(
        ("create", "update", "partial_update", "destroy", "clone", "rename", "sharing", "restore"), (NO_CACHE,)
    )
    # As of `RunsMixin`.
    atomic_requests: ClassVar[bool] = False

    def _readable_among(self, rows: Any) -> QuerySet[Any]:
        """Those the caller may read; where deleted ones are asked for, those it may restore."""
        wants_deleted = self.action == "list" and self.request.query_params.get("deleted") == "true"
        if wants_deleted or self.action == "restore":
            return restorable_llm_clients(actor=self.get_actor(), among=rows)
        readable = super()._readable_among(rows)
        # A run needs the provider, and shows nobody's shares.
        return readable.select_related("provider").prefetch_related(None) if self.action == "chat" else readable

    def perform_create(self, serializer: BaseSerializer[Any]) -> None:
        """Make it the caller's."""
        serializer.instance = create_llm_client(actor=self.get_actor(), **serializer.validated_data)

    def perform_update(self, serializer: Any) -> None:
        """Change it where the caller may."""
        serializer.instance = update_llm_client(
            serializer.instance, actor=self.get_actor(), **serializer.validated_data
        )

    def perform_destroy(self, instance: LLMClient) -> None:
        """Delete it where the caller may and nothing uses it."""
        delete_llm_client(instance, actor=self.get_actor())

    def perform_clone(self, instance: LLMClient, *, name: str) -> LLMClient:
        """Copy it; the copy is the caller's."""
        return clone_llm_client(instance, actor=self.get_actor(), name=name)

    def perform_rename(self, instance: LLMClient, *, name: str) -> LLMClient:
        """Rename it where the caller may."""
        return rename_llm_client(instance, actor=self.get_actor(), name=name)

    def perform_sharing(self, instance: LLMClient, **sharing: Any) -> LLMClient:
        """Share it where the caller may."""
        return share_llm_client(instance, actor=self.get_actor(), **sharing)

    def perform_restore(self, instance: LLMClient) -> LLMClient:
        """Restore it where the caller may."""
        return restore_llm_client(instance, actor=self.get_actor())

    def get_execution(self, request: Request, key: str) -> Execution:
        """What the request asks the LLM client for, checked and not stored yet.

        Raises:
            AutomateError: what `get_object` and `prepare_chat` raise.
        """
        return prepare_chat(
            self.get_object(),
            actor=self.get_actor(),
            correlation_id=correlation_id_of(request),
            **chat_request_of(request),
        )

    @extend_schema(
        summary=_("Clone LLM client"),
        description=_(
            "Copy an LLM client that you can see, with its configuration, under a name and a slug of its own. The copy "
            "is yours: keys, shares and logs are not copied."
        ),
        request=NewNameSerializer,
        responses={201: OpenApiResponse(LLMClientSerializer, description=_("The copy."))},
    )
    @action(detail=True, methods=["post"])
    def clone(self, request: Request, pk: str | None = None) -> Response:
        """Copy it."""
        original, asked = self.get_object(), self._asked(NewNameSerializer)
        return self._answer(self.perform_clone(original, **asked), status=HTTPStatus.CREATED)

    @extend_schema(
        summary=_("Rename LLM client"),
        description=_("Rename an LLM client of yours; staff may rename any of the tenant. The slug stays."),
        request=NewNameSerializer,
        responses=OpenApiResponse(LLMClientSerializer, description=_("The LLM client under its new name.")),
    )
    @action(detail=True, methods=["post"])
    def rename(self, request: Request, pk: str | None = None) -> Response:
        """Call it something else."""
        client, asked = self.get_object(), self._asked(NewNameSerializer)
        return self._answer(self.perform_rename(client, **asked))

    @extend_schema(
        summary=_("Share LLM client"),
        description=_(
            "Say who else may use an LLM client of yours: exactly these from now on. Staff may do it for any of the "
            "tenant. Its version stays."
        ),
        request=SharingSerializer,
        responses=OpenApiResponse(LLMClientSerializer, description=_("The LLM client as it is shared now.")),
    )
    @action(detail=True, methods=["put"])
    def sharing(self, request: Request, pk: str | None = None) -> Response:
        """Share it with these and nobody else."""
        client, asked = self.get_object(), self._asked(SharingSerializer)
        return self._answer(self.perform_sharing(client, **asked))

    @extend_schema(
        summary=_("Restore LLM client"),
        description=_(
            "Undo the deletion of an LLM client of yours; staff may do it for any of the tenant. It is shared with "
            "whom it was shared with. One that has expired is gone."
        ),
        request=None,
        responses=OpenApiResponse(LLMClientSerializer, description=_("The LLM client as it was.")),
    )
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: str | None = None) -> Response:
        """Undo its deletion."""
        return self._answer(self.perform_restore(self.get_object()))

    @extend_schema(
        parameters=PREFER,
        summary=_("Chat with LLM client"),
        description=_(
            "Ask an LLM client that you can see, without an endpoint, and answer with the execution, which is stored. "
            "With `Accept: text/event-stream` the answer is its events as they come, and the run ends with the stream. "
            "Otherwise, with `Prefer: respond-async`, it is a job, at once."
        ),
        request=ChatRequestSerializer,
        responses={
            200: OpenApiResponse(ExecutionSerializer, description=_("The execution, which has succeeded.")),
            (200, "text/event-stream"): EVENT_STREAM,
            202: JOB_ACCEPTED,
        },
    )
    @action(detail=True, methods=["post"])
    def chat(self, request: Request, pk: str | None = None) -> HttpResponseBase:
        """Ask it."""
        execution = self.get_execution(request, str(pk))
        if prefers_event_stream(request):
            return EventStream(prepare_run(execution, stream=True), is_async=is_asgi(request))
        return answer_run(request, execution)

    def _asked(self, serializer_class: type[Serializer[Any]]) -> dict[str, Any]:
        serializer = serializer_class(data=self.request.data, context=self.get_serializer_context())
        serializer.is_valid(raise_exception=True)
        asked: dict[str, Any] = serializer.validated_data
        return asked

    def _answer(self, client: LLMClient, *, status: int = HTTPStatus.OK) -> Response:
        return Response(self.get_serializer(client).data, status=status)

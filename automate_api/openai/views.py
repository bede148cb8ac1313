"""The façade's views: `models`, `chat/completions` and `embeddings`."""

from typing import Any, ClassVar

from django.http import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from automate_api.exceptions import FieldError, InvalidInput
from automate_api.models import Execution
from automate_api.openai.base import FacadeView
from automate_api.openai.serializers import (
    EmbeddingListSerializer,
    EmbeddingRequestSerializer,
    ServedModelListSerializer,
    ServedModelSerializer,
    embeddings_of,
    model_of,
)
from automate_api.services.completions import Asked, prepare_completion, prepare_on, read_completion_request
from automate_api.services.embeddings import read_embedding_request
from automate_api.services.models import find_model, find_served, served_models
from automate_api.services.runs import result_of
from automate_api.v1.correlation import correlation_id_of
from automate_api.v1.schema import problems
from automate_api.v1.serializers.completions import CHUNKS, CompletionRequestSerializer, CompletionSerializer
from automate_api.v1.views.completions import answer_completion

_NAME = OpenApiParameter(
    "id",
    str,
    OpenApiParameter.PATH,
    description=_("The model's name, which may have slashes."),
    examples=[OpenApiExample("client", value="helper"), OpenApiExample("provider", value="models/gpt-4o-mini")],
)


class ModelListView(FacadeView):
    """The models that the caller may name."""

    scope_resource = "models"

    @extend_schema(
        summary=_("List models (OpenAI)"),
        description=_(
            "Your LLM clients and those shared with you, by their slugs, and the models that they and your tenant's "
            "providers name, as `provider/model`. Others of a provider may be named in a completion as well."
        ),
        responses=OpenApiResponse(ServedModelListSerializer, description=_("The models.")),
    )
    def get(self, request: Request) -> Response:
        """All of them."""
        models = [model_of(model) for model in served_models(actor=self.get_actor())]
        return Response({"object": "list", "data": models})


class ModelView(FacadeView):
    """One of them."""

    scope_resource = "models"
    error_statuses: ClassVar[Any] = {"get": (problems.NO_MODEL,)}

    @extend_schema(
        parameters=[_NAME],
        summary=_("Retrieve model (OpenAI)"),
        description=_("One of the models that the list has."),
        responses=OpenApiResponse(ServedModelSerializer, description=_("The model.")),
    )
    def get(self, request: Request, pk: str) -> Response:
        """It."""
        return Response(model_of(find_served(pk, actor=self.get_actor())))


class ChatCompletionView(FacadeView):
    """A chat completion."""

    scope_resource = "chat"
    scope_access = "run"
    # As of `RunsMixin`.
    atomic_requests: ClassVar[bool] = False
    error_statuses: ClassVar[Any] = {"post": (*problems.PASSED_ON, problems.NO_MODEL)}

    @extend_schema(
        summary=_("Chat completion (OpenAI)"),
        description=_(
            "Go on with a conversation, as an LLM client or with a provider's model. The client's system prompt comes "
            "before your messages; its parameters and tools count where you send none. The answer has one choice, in "
            "chunks where `stream` is true. The run is an execution like any other. What is not listed is refused."
        ),
        request=CompletionRequestSerializer,
        responses={
            200: OpenApiResponse(CompletionSerializer, description=_("The completion.")),
            (200, "text/event-stream"): CHUNKS,
        },
    )
    def post(self, request: Request) -> HttpResponseBase:
        """Run it."""
        asked = read_completion_request(request.data)
        return answer_completion(request, self.get_execution(request, asked), asked, name=asked.model)

    def get_execution(self, request: Request, asked: Asked) -> Execution:
        """What a body asks for, checked and not stored yet.

        Raises:
            AutomateError: what `find_model` and `prepare_completion` raise; InvalidInput where no model is named.
        """
        if asked.model is None:
            raise InvalidInput([FieldError("model", "required", str(_("This field is required.")))])
        actor = self.get_actor()
        return prepare_completion(
            find_model(asked.model, actor=actor),
            asked.body,
            actor=actor,
            correlation_id=correlation_id_of(request),
            task_type="openai.chat",
        )


class EmbeddingView(FacadeView):
    """Vectors for texts."""

    scope_resource = "embeddings"
    scope_access = "run"
    # As of `RunsMixin`.
    atomic_requests: ClassVar[bool] = False
    error_statuses: ClassVar[Any] = {"post": (*problems.PASSED_ON, problems.NO_MODEL)}

    @extend_schema(
        summary=_("Embeddings (OpenAI)"),
        description=_(
            "One vector for each text, in their order, as numbers or as the base64 of little-endian 32-bit floats. The "
            "run is an execution like any other. Tokens instead of texts are not taken."
        ),
        request=EmbeddingRequestSerializer,
        responses=OpenApiResponse(EmbeddingListSerializer, description=_("The vectors.")),
    )
    def post(self, request: Request) -> Response:
        """Embed them."""
        asked, actor = read_embedding_request(request.data), self.get_actor()
        execution = prepare_on(
            find_model(asked.model, actor=actor),
            actor=actor,
            correlation_id=correlation_id_of(request),
            input={"texts": asked.texts},
            params=asked.params,
            task_type="llm.embed",
        )
        return Response(embeddings_of(result_of(execution), model=asked.model, as_base64=asked.as_base64))

"""Routes of version 1."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from automate_api.v1.base.routing import StreamPattern, always
from automate_api.v1.completions import streams
from automate_api.v1.negotiation import prefers_event_stream
from automate_api.v1.views import (
    APIKeyViewSet,
    ArtifactViewSet,
    EndpointViewSet,
    EventIngestView,
    ExecutionViewSet,
    IndexView,
    JobViewSet,
    LLMClientViewSet,
    ModelListView,
    PromptLogViewSet,
    ProviderViewSet,
)
from automate_api.v1.views.schema import RedocView, SchemaView, SwaggerView

router = SimpleRouter()
router.register("providers", ProviderViewSet, basename="provider")
router.register("llm-clients", LLMClientViewSet, basename="llm-client")
router.register("endpoints", EndpointViewSet, basename="endpoint")
router.register("executions", ExecutionViewSet, basename="execution")
router.register("jobs", JobViewSet, basename="job")
router.register("artifacts", ArtifactViewSet, basename="artifact")
router.register("events", EventIngestView, basename="event")
router.register("prompt-logs", PromptLogViewSet, basename="prompt-log")
router.register("api-keys", APIKeyViewSet, basename="api-key")

# A chat that is no stream takes as long as the model does.
_routes = StreamPattern.among(router.urls, "llm-client-chat", streams=prefers_event_stream)
_routes = StreamPattern.among(_routes, "provider-passthrough", streams=streams)
_routes = StreamPattern.among(_routes, "artifact-download", handles_files=always)

urlpatterns = [
    path("", IndexView.as_view(), name="index"),
    *StreamPattern.among(_routes, "job-events"),
    path("models/", ModelListView.as_view(), name="model-list"),
    path("schema/", SchemaView.as_view(), name="schema"),
    path("docs/", SwaggerView.as_view(), name="docs"),
    path("redoc/", RedocView.as_view(), name="redoc"),
]

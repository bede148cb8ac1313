"""Routes of version 1."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from automate_api.v1.base.routing import StreamPattern
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

urlpatterns = [
    path("", IndexView.as_view(), name="index"),
    *StreamPattern.among(router.urls, "job-events", "artifact-download"),
    path("models/", ModelListView.as_view(), name="model-list"),
    path("schema/", SchemaView.as_view(), name="schema"),
    path("docs/", SwaggerView.as_view(), name="docs"),
    path("redoc/", RedocView.as_view(), name="redoc"),
]

"""Routes of workflows; mount them where you like, usually at `/api/v1/`, beside those of `automate_api`."""

from django.urls import URLPattern, URLResolver, path
from rest_framework.routers import SimpleRouter

from automate.api.views import HookView, RuleExplainView
from automate.api.viewsets import (
    TriggerViewSet,
    WorkflowRunViewSet,
    WorkflowStepViewSet,
    WorkflowVersionViewSet,
    WorkflowViewSet,
)

app_name = "automate"

router = SimpleRouter()
router.register("workflows", WorkflowViewSet, basename="workflow")
router.register("workflows/(?P<workflow_pk>[^/]+)/versions", WorkflowVersionViewSet, basename="workflow-version")
router.register("workflow-runs", WorkflowRunViewSet, basename="workflow-run")
router.register("workflow-runs/(?P<run_pk>[^/]+)/steps", WorkflowStepViewSet, basename="workflow-step")
router.register("triggers", TriggerViewSet, basename="trigger")

urlpatterns: list[URLPattern | URLResolver] = [
    *router.urls,
    path("rules/explain/", RuleExplainView.as_view(), name="rule-explain"),
    path("hooks/<str:token>/", HookView.as_view(), name="hook"),
]

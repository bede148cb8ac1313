"""The views of workflows, which a host may subclass and mount itself."""

from automate.api.viewsets.runs import WorkflowRunViewSet
from automate.api.viewsets.steps import WorkflowStepViewSet
from automate.api.viewsets.triggers import TriggerViewSet
from automate.api.viewsets.versions import WorkflowVersionViewSet
from automate.api.viewsets.workflows import WorkflowViewSet

__all__ = ["TriggerViewSet", "WorkflowRunViewSet", "WorkflowStepViewSet", "WorkflowVersionViewSet", "WorkflowViewSet"]

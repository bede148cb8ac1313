"""Tables of workflows."""

from automate.models.run import StepRun, WorkflowRun
from automate.models.trigger import Trigger
from automate.models.workflow import Workflow, WorkflowVersion

__all__ = ["StepRun", "Trigger", "Workflow", "WorkflowRun", "WorkflowVersion"]

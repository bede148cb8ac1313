"""A viewset of workflows with a service of the host's own."""

from typing import Any

from automate.api.viewsets import WorkflowViewSet
from automate.services import WorkflowService
from automate_api.exceptions import FieldError


class CarefulService(WorkflowService):
    """Wants few steps."""

    def validate(self, definition: Any) -> list[FieldError]:
        errors = super().validate(definition)
        if not errors and len(definition["steps"]) > 2:
            errors.append(FieldError("definition.steps", "too_many", "Two steps are enough."))
        return errors


class MyWorkflowViewSet(WorkflowViewSet):
    service_class = CarefulService
    page_size = 2

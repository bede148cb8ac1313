"""Every error as this protocol has it: `{"detail", "code"}`."""

from functools import partial
from typing import Any, ClassVar

from drf_spectacular.plumbing import ComponentRegistry

from automate_api.exceptions import InvalidInput
from automate_api.v1.errors import Problem, ProblemResponse, answered
from automate_api.v1.negotiation import JSON
from automate_api.v1.schema.components import SCHEMA, component, object_of
from automate_api.v1.schema.problems import Form, error_code


class ErrorResponse(ProblemResponse):
    """The answer for a problem in this form, whatever renderers the view has and whatever the caller accepts."""

    form: ClassVar[str] = JSON

    def data_of(self, problem: Problem) -> dict[str, Any]:
        """The members of the answer."""
        return plain(problem)


exception_handler = partial(answered, form=ErrorResponse)


def plain(problem: Problem) -> dict[str, str]:
    """A problem's members in this protocol. Of what was sent it says what does not fit."""
    faults = [f"{fault.field}: {fault.detail}" for fault in problem.errors if fault.field]
    told = faults if problem.code == InvalidInput.code else []
    return {"detail": " ".join(told) or problem.detail, "code": problem.code}


def _error(registry: ComponentRegistry) -> dict[str, str]:
    members = {
        "detail": {"type": "string", "description": "What happened, for people, in the caller's language."},
        "code": error_code(registry),
    }
    described = partial(object_of, "An error of the organization routes.", members)
    return component(registry, SCHEMA, "AutomateOrganizationError", described)


FORM = Form("Organization", JSON, _error, plain)

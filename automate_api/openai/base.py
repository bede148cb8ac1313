"""What the façade's views share: the package's policy, and errors in the protocol's form."""

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

from drf_spectacular.plumbing import ComponentRegistry
from rest_framework.exceptions import NotFound
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from automate_api.v1.base import BaseAPIView
from automate_api.v1.completions import error_object
from automate_api.v1.errors import PASSED_ON, Problem, ProblemResponse, answered
from automate_api.v1.negotiation import JSON, JSONRenderer
from automate_api.v1.schema.completions import or_null
from automate_api.v1.schema.components import SCHEMA, component, object_of
from automate_api.v1.schema.problems import Form, error_code
from automate_api.v1.views.domain import ActorMixin

_STRING = {"type": "string"}


def error_of(problem: Problem) -> dict[str, Any]:
    """`{"error": {"message", "type", "param", "code"}}`; of several wrong fields `param` is the first."""
    told = [f"{error.field}: {error.detail}" if error.field else error.detail for error in problem.errors]
    param = problem.errors[0].field or None if problem.errors else None
    message = " ".join(told) or problem.detail
    return {"error": error_object(message, problem.code, status=problem.status, param=param)}


class ErrorResponse(ProblemResponse):
    """The answer for a problem in the protocol's form."""

    form: ClassVar[str] = JSON

    def data_of(self, problem: Problem) -> dict[str, Any]:
        """The members of the answer."""
        return error_of(problem)


handle = partial(answered, form=ErrorResponse, statuses=PASSED_ON)


class Renderer(JSONRenderer):
    """JSON, and where it cannot be written an error in the protocol's form."""

    def get_problem(self, exc: Exception, context: Any) -> ProblemResponse:
        """The answer where `exc` keeps the data from being written."""
        return handle(exc, context)


def _error(registry: ComponentRegistry) -> dict[str, str]:
    members = {
        "message": {**_STRING, "description": "What happened, for people, in the caller's language."},
        "type": {**_STRING, "description": "The kind of error, by its status."},
        "param": or_null({**_STRING, "description": "Which field does not fit, as a dotted path."}),
        "code": error_code(registry),
    }
    inner = component(registry, SCHEMA, "AutomateOpenAIErrorObject", lambda: object_of("What went wrong.", members))
    return component(
        registry, SCHEMA, "AutomateOpenAIError", lambda: object_of("An error of the OpenAI protocol.", {"error": inner})
    )


class FacadeView(ActorMixin, BaseAPIView):
    """`BaseAPIView` for the façade: errors in the protocol's form."""

    renderer_classes: Sequence[type[BaseRenderer]] = (Renderer,)
    error_form = Form("OpenAI", JSON, _error, error_of)

    def get_exception_handler(self) -> Any:
        """Errors in the protocol's form."""
        return handle


class NowhereView(FacadeView):
    """Every path that is none of the façade's: 404 in the protocol's form, once it is known who asks."""

    http_method_names = []

    def check_scope(self, request: Request) -> None:
        """There is nothing here that a scope could be for."""

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Raise NotFound."""
        raise NotFound

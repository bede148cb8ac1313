"""How a chat completion is answered, whichever view it was asked of."""

from django.http import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from automate_api.engine.transports import EventStream
from automate_api.models import Execution
from automate_api.services.completions import Asked
from automate_api.services.runs import prepare_run, result_of
from automate_api.v1.completions import ChunkFraming, completion_of
from automate_api.v1.views.domain import is_asgi


def answer_completion(request: Request, execution: Execution, asked: Asked, *, name: str | None) -> HttpResponseBase:
    """Run an execution that is not stored yet, and answer with its completion, or with its chunks as they come.

    Args:
        request: the caller's.
        execution: of `prepare_completion`.
        asked: the same body.
        name: what the caller calls the model; None: as the model server does.

    Raises:
        AutomateError: what ended the run, where it is not streamed.
    """
    if asked.stream:
        framing = ChunkFraming(execution, name=name, include_usage=asked.include_usage)
        return EventStream(prepare_run(execution, stream=True), is_async=is_asgi(request), framing=framing)
    return Response(completion_of(execution, result_of(execution), name=name))

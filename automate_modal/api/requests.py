"""What may be sent to run an endpoint: JSON, or a form with files."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from automate_api.models import Execution
from automate_api.services.run_uploads import Upload, stored_uploads
from automate_api.services.runs import capability_of, prepare_execution
from automate_api.v1.correlation import correlation_id_of
from automate_api.v1.parsers import StrictJSONParser, read_json
from automate_api.v1.serializers.endpoints import RunRequestSerializer, checked_run_request, run_request_of
from automate_api.v1.uploads import UploadParser
from automate_api.v1.views.domain import ActorMixin, RunsMixin

#: Parts of a form that are JSON.
_JSON_PARTS = ("input", "params")

_FORM: dict[str, Any] = {
    "type": "object",
    "description": _(
        "The same as a form. Every other part is a file, named after the member of `input` it stands for."
    ),
    "properties": {
        "input": {"type": "string", "description": _("The input as JSON, without what is sent as files.")},
        "params": {"type": "string", "description": _("The parameters as JSON.")},
        "task_type": {"type": "string", "description": _("One of the endpoint's task types.")},
    },
    "additionalProperties": {"type": "string", "format": "binary"},
    "example": {
        "params": '{"language": "en"}',
        "task_type": "audio.stt",
        "audio": "(the bytes of greeting.wav)",
    },
}

#: For `@extend_schema(request=…)`.
RUN_REQUEST = {"application/json": RunRequestSerializer, "multipart/form-data": _FORM}


class RunsWithFilesMixin(RunsMixin, ActorMixin):
    """For views that run endpoints, which take files in the place of artifacts' ids."""

    parser_classes: ClassVar[Sequence[type[BaseParser]]] = (StrictJSONParser, UploadParser)

    def get_execution(self, request: Request, key: str) -> Execution:
        """What the request asks the endpoint for, checked and not stored yet; its files are stored as artifacts.

        Raises:
            AutomateError: what `get_runnable`, `stored_uploads` and `prepare_execution` raise. No file is left then.
        """
        endpoint, actor = self.get_runnable(key), self.get_actor()
        asked, files = run_form_of(request)
        capability = capability_of(endpoint, asked.get("task_type"))
        with stored_uploads(asked["input"], files, capability=capability, actor=actor) as given:
            return prepare_execution(
                endpoint, actor=actor, correlation_id=correlation_id_of(request), **{**asked, "input": given}
            )


def run_form_of(request: Request) -> tuple[dict[str, Any], dict[str, list[Upload]]]:
    """What `run_request_of` gives, and the files by the names of their parts.

    Raises:
        ValidationError: it does not fit.
    """
    form = request.data
    if not isinstance(form, MultiValueDict):
        return run_request_of(request), {}
    parts = {name: values for name, values in form.lists() if name not in request.FILES}
    files = {name: [_upload(file) for file in found] for name, found in request.FILES.lists()}
    twice = [name for name, values in parts.items() if len(values) > 1]
    # REST framework has both in one list.
    twice += [name for name, found in files.items() if len(form.getlist(name)) > len(found)]
    if twice:
        raise ValidationError({name: [_("This part is sent more than once.")] for name in twice})
    sent = {"input": "{}", **{name: values[0] for name, values in parts.items()}}
    return checked_run_request({name: _value(name, text) for name, text in sent.items()}), files


def _value(name: str, text: str) -> Any:
    if name not in _JSON_PARTS:
        return text
    try:
        return read_json(text.encode())
    except ParseError as exc:
        raise ValidationError({name: [exc.detail]}) from exc


def _upload(file: Any) -> Upload:
    return Upload(file.file, file.name or "", file.content_type or "")

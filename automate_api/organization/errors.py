"""Every error as this protocol has it: `{"detail", "code"}`."""

import json
from collections.abc import Mapping
from typing import Any

from rest_framework.response import Response

from automate_api.exceptions import InvalidInput
from automate_api.v1 import errors

MEDIA_TYPE = "application/json"


class ErrorResponse(Response):
    """The answer for a problem, in this form whatever renderers the view has and whatever the caller accepts."""

    @property
    def rendered_content(self) -> Any:
        """The error as JSON."""
        self.headers["Content-Type"] = MEDIA_TYPE
        return json.dumps(self.data, separators=(",", ":")).encode()


def exception_handler(exc: Exception, context: Mapping[str, Any]) -> ErrorResponse:
    """Answer `exc` as the other routes do, statuses and headers included, but in this protocol's form."""
    problem = errors.exception_handler(exc, context)
    headers = {name: value for name, value in problem.headers.items() if name != "Content-Type"}
    return ErrorResponse(plain(problem.data), status=problem.status_code, headers=headers)


def plain(problem: Mapping[str, Any]) -> dict[str, str]:
    """A problem's members in this protocol. Of what was sent it says what does not fit."""
    faults = [f"{fault['field']}: {fault['detail']}" for fault in problem.get("errors", ()) if fault["field"]]
    detail = problem["detail"]
    if faults and problem["code"] == InvalidInput.code:
        detail = " ".join(faults)
    return {"detail": detail, "code": problem["code"]}

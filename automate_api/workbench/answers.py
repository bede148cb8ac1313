"""Answers whose JSON is at hand."""

import json
from typing import Any

from rest_framework.response import Response

from automate_api.v1.negotiation import JSON

_UNREAD = object()


class RenderedResponse(Response):
    """`body`, which is JSON, sent as it is; whoever looks at `data` finds what is in it, and has that sent instead."""

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self._body, self._data = body, _UNREAD

    @property
    def data(self) -> Any:
        """What the body says."""
        if self._data is _UNREAD:
            self._data = json.loads(self._body)
        return self._data

    @data.setter
    def data(self, value: Any) -> None:
        self._data = value

    @property
    def rendered_content(self) -> Any:
        """The body, unless somebody has looked at it and perhaps changed it."""
        if self._data is not _UNREAD:
            return super().rendered_content
        self.headers["Content-Type"] = JSON
        return self._body

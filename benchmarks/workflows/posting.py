"""Posting events: through the whole view, without a socket."""

import json
from dataclasses import dataclass, field

from django.test import Client

_PAYLOAD = {"order": "A-1001", "total": 129, "currency": "EUR", "lines": [{"sku": "chair", "count": 2}]}


@dataclass
class Poster:
    """Posts with a key, as a client does."""

    key: str
    _client: Client = field(default_factory=Client)

    def post(self, kind: str, events: int) -> None:
        """Post so many events of this type in one request.

        Raises:
            RuntimeError: they were not taken.
        """
        body = json.dumps([{"type": kind, "source": "bench", "payload": _PAYLOAD}] * events)
        headers = {"authorization": f"Bearer {self.key}"}
        answer = self._client.post("/events/", body, content_type="application/json", headers=headers)
        if answer.status_code != 201:
            raise RuntimeError(f"Events were answered with {answer.status_code}: {answer.content[:500]!r}")

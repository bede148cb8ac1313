"""How the story is told: who calls, and what an answer looks like from afar."""

import io
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from tests.upstream import FakeUpstream

Chapter = dict[str, Any]


def shape(value: Any, name: str = "") -> Any:
    """What kind of thing this is, and of what."""
    if isinstance(value, dict):
        return {key: shape(item, key) for key, item in sorted(value.items())}
    if isinstance(value, list):
        return [shape(item, name) for item in value[:1]]
    if name in {"user", "owner", "users"} and value is not None:
        return "a user" if shape(value) == kind_of_user() else f"no user: {value!r}"
    if not isinstance(value, str):
        return type(value).__name__
    if name in {"code", "status", "type", "title"}:
        return value
    return next((kind for kind, fits in _KINDS.items() if fits(value)), "str")


def kind_of_user() -> str:
    """What the host's user model has for an id."""
    return "uuid" if get_user_model()._meta.pk.get_internal_type() == "UUIDField" else "int"


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _is_moment(text: str) -> bool:
    """RFC 3339, with an offset."""
    try:
        return "T" in text and datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


_KINDS: dict[str, Callable[[str], Any]] = {
    "uuid": _is_uuid,
    "moment": _is_moment,
    "decimal": re.compile(r"\d+\.\d+").fullmatch,
}


@dataclass
class Caller:
    """Somebody with a key, a session, or nothing."""

    client: Client
    key: str = ""
    user: Any = None
    tenant_id: str = ""

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send it. A path that was answered, as `next` is, may begin below the host's script name."""
        path = path.removeprefix("http://testserver").removeprefix(settings.FORCE_SCRIPT_NAME or "")
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        data = "" if body is None else json.dumps(body)
        return self.client.generic(method, path, data, content_type="application/json", headers=headers)


def route(name: str, **kwargs: Any) -> str:
    """The path of a route of the package's in this host."""
    return reverse(f"{getattr(settings, 'STORY_NAMESPACE', '')}{name}", kwargs=kwargs or None)


def api(name: str, **kwargs: Any) -> str:
    return route(f"automate_api:{name}", **kwargs)


def told(answer: Any) -> Any:
    """The answer, in short."""
    kind = answer.headers.get("Content-Type", "")
    body = shape(json.loads(answer.content)) if "json" in kind and not answer.streaming else len(answer.content) > 0
    return [answer.status_code, kind, body]


def same(foreign: Any, absent: Any) -> list[Any]:
    """The status of the two answers, and whether nothing tells them apart."""
    return [foreign.status_code, foreign.content == absent.content and foreign.status_code == absent.status_code]


def failure_of(command: str, **options: Any) -> str | None:
    """What a command of `manage.py` says where it fails; None where it does not."""
    output, errors = io.StringIO(), io.StringIO()
    try:
        with redirect_stdout(output):
            call_command(command, stdout=output, stderr=errors, **options)
    except (Exception, SystemExit) as exc:  # noqa: BLE001 - told, whatever it is
        return f"{exc!r} {errors.getvalue()} {output.getvalue()[:1000]}"
    return None


@contextmanager
def model_server() -> Iterator[FakeUpstream]:
    upstream = FakeUpstream()
    upstream.start()
    try:
        yield upstream
    finally:
        upstream.stop()

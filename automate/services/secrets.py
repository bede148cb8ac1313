"""A workflow's secrets: by their names, encrypted together, merged when they are changed, and shown by name alone."""

import json
import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from automate.graph.schema import SECRET_PATTERN
from automate.models import Workflow
from automate_api.exceptions import FieldError, InvalidInput, NotConfigured
from automate_api.services.secrets import encrypting

#: How many a workflow may have, and how long each may be.
MOST_SECRETS, LONGEST_SECRET = 50, 4_000

_NAME = re.compile(SECRET_PATTERN.removeprefix("^").removesuffix("$"), re.ASCII)
# They become values of headers, and one with a line break in it would be two headers.
_CHARACTERS = range(0x20, 0x7F)


def secrets_of(workflow: Workflow) -> dict[str, str]:
    """The workflow's secrets in clear, by their names: keep them out of anything stored or logged.

    Raises:
        NotConfigured: none of the host's encryption keys decrypts them.
    """
    with encrypting():
        text = workflow.secrets.reveal()
    found: dict[str, str] = json.loads(text) if text else {}
    return found


def secret_names(workflow: Workflow) -> list[str] | None:
    """The names of the workflow's secrets, sorted; None where no key of the host decrypts them."""
    try:
        return sorted(secrets_of(workflow))
    except NotConfigured:
        return None


def set_secrets(workflow: Workflow, changes: Mapping[str, str | None]) -> None:
    """Merge `changes` into the secrets of `workflow`, which is not saved: a string sets one, None takes it away.

    Raises:
        InvalidInput: a name or a value does not fit, or there would be too many.
        NotConfigured: the host has no key to read or to encrypt them under.
    """
    if errors := _errors(changes):
        raise InvalidInput(errors)
    merged = {name: value for name, value in {**secrets_of(workflow), **changes}.items() if value is not None}
    if len(merged) > MOST_SECRETS:
        detail = str(_("A workflow has at most %(most)d secrets.") % {"most": MOST_SECRETS})
        raise InvalidInput([FieldError("secrets", "max_length", detail)])
    with encrypting():
        workflow.secrets = json.dumps(merged, sort_keys=True) if merged else ""


def _errors(changes: Mapping[str, Any]) -> list[FieldError]:
    # No message repeats a name that is none, nor anything of a value.
    if not all(_NAME.fullmatch(name) for name in changes):
        named = _("A secret's name has up to 64 letters, digits and _, and begins with no digit.")
        return [FieldError("secrets", "invalid_name", str(named))]
    detail = str(_("A secret is 1 to %(most)d characters of printable ASCII.") % {"most": LONGEST_SECRET})
    return [
        FieldError(f"secrets.{name}", "invalid", detail)
        for name, value in changes.items()
        if value is not None and not _fits(value)
    ]


def _fits(value: Any) -> bool:
    return (
        isinstance(value, str)
        and 0 < len(value) <= LONGEST_SECRET
        and all(ord(character) in _CHARACTERS for character in value)
    )

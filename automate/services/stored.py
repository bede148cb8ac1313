"""What may be stored of what steps were given and what they gave."""

import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.utils.translation import gettext_lazy as _

from automate.conf import settings
from automate_api.exceptions import AutomateError, InvalidInput, OutputTooLarge, StepFailed
from automate_api.security.redaction import redact
from automate_api.services.recording import storable

_MOST_FAULTS, _LONGEST_DETAIL = 5, 1000


def stored(value: Any) -> Any:
    """`value`, redacted, and without what a database cannot hold."""
    return redact(value, also=storable)


def sized(value: Any) -> Any:
    """`value`.

    Raises:
        OutputTooLarge: as JSON it has more bytes than `AUTOMATE_STEP_OUTPUT_MAX_BYTES`.
        StepFailed: it is no JSON, as NaN is none, and PostgreSQL would refuse it with all else that is stored now.
    """
    try:
        text = json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as exc:
        raise StepFailed(_("What it gave is no JSON.")) from exc
    if len(text.encode()) > settings.step_output_max_bytes:
        raise OutputTooLarge
    return value


def error_of(error: AutomateError) -> dict[str, str]:
    """The error of a run or a step as stored, `{code, detail}`: a rule's quotes values, and a host's says anything."""
    told: dict[str, str] = stored({"code": str(error.code), "detail": detail_of(error)})
    return told


def detail_of(error: AutomateError) -> str:
    """What is wrong, for a person: of settings that do not fit also which, since nobody sees the errors of fields."""
    if not isinstance(error, InvalidInput) or error.detail != str(error.default_detail):
        return error.detail
    faults = [f"{fault.field}: {fault.detail}" if fault.field else fault.detail for fault in error.errors]
    return " ".join(faults[:_MOST_FAULTS])[:_LONGEST_DETAIL] or error.detail

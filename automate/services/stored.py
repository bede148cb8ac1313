"""What may be stored of what steps were given and what they gave."""

import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.utils.translation import gettext_lazy as _

from automate.conf import settings
from automate_api.exceptions import OutputTooLarge, StepFailed
from automate_api.security.redaction import redact
from automate_api.services.recording import storable


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

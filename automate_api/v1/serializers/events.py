"""Events on the wire."""

import json
import re
from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings as django_settings
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.settings import api_settings

from automate_api.conf import settings
from automate_api.events import RESERVED, TYPE
from automate_api.models import Event
from automate_api.services.events import ACCEPTED, DUPLICATE, RESERVED_SOURCE
from automate_api.v1.serializers.fields import MomentField, ObjectField, helped
from automate_api.v1.serializers.rows import RowSerializer

#: The most events in a request.
MAX_BATCH = 1000
#: How deep a payload may be nested; the payload itself is the first level.
MAX_DEPTH = 32

# No control characters, and not blank.
_TEXT = r"[ \xa0]*[^\x00-\x20\x7f-\xa0][^\x00-\x1f\x7f-\x9f]*"
_NOT_A_TYPE = _("A type has letters, digits and any of _.:/- and begins with a letter or digit.")
_NOT_A_TEXT = _("This has no control characters, and is not blank.")

# What is plain at a first look; whatever is not is looked at by the fields.
_PLAIN_SOURCE = re.compile(rf"(?!{RESERVED})[!-~](?:[ -~]{{0,198}}[!-~])?")
_PLAIN_KEY = re.compile(r"[!-~](?:[ -~]{0,253}[!-~])?")
_PLAIN_MOMENT = re.compile(r"[1-8]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)


@extend_schema_field({"type": "object", "additionalProperties": {}})
class PayloadField(ObjectField):
    """A JSON object that is neither nested too deeply nor too long."""

    default_error_messages: ClassVar[Any] = {
        "too_deep": _("This is nested more than {limit} deep."),
        "too_long": _("This has more than {limit} bytes."),
    }

    def to_internal_value(self, data: Any) -> Any:
        """`data` where it is such an object; a ValidationError for any other value."""
        payload, limit = super().to_internal_value(data), settings.event_max_bytes
        if not _is_shallow(payload, json.dumps(payload)):
            self.fail("too_deep", limit=MAX_DEPTH)
        if len(_compact(payload)) > limit:
            self.fail("too_long", limit=limit)
        return payload


class EventBatchSerializer(serializers.ListSerializer[Any]):
    """Up to 1,000 events. What is wrong with one is said under its place in the list."""

    def to_internal_value(self, data: Any) -> list[Any]:
        """The events; a ValidationError that tells of each that does not fit."""
        if not isinstance(data, list) or not 1 <= len(data) <= MAX_BATCH:
            detail = ErrorDetail(str(_("A list has 1 to %d events.") % MAX_BATCH), "length")
            raise ValidationError({api_settings.NON_FIELD_ERRORS_KEY: [detail]})
        # A serializer of a host's may have rules of its own.
        is_ours = type(self.child) is EventSerializer
        events, errors, max_bytes = [], {}, settings.event_max_bytes
        for place, item in enumerate(data):
            try:
                events.append((is_ours and plain_event(item, max_bytes)) or self.run_child_validation(item))
            except ValidationError as exc:
                errors[str(place)] = exc.detail
        if errors:
            raise ValidationError(errors)
        return events


class EventSerializer(RowSerializer[Event]):
    """One event: something that happened elsewhere."""

    type = serializers.RegexField(
        rf"\A{TYPE.pattern}\Z",
        max_length=200,
        trim_whitespace=False,
        error_messages={"invalid": _NOT_A_TYPE},
        help_text=_("What happened, such as `order.paid`."),
    )
    source = serializers.RegexField(  # type: ignore[assignment]  # the metaclass takes it away
        rf"\A{_TEXT}\Z",
        max_length=200,
        trim_whitespace=False,
        error_messages={"invalid": _NOT_A_TEXT},
        help_text=_(
            "Where it happened. Idempotency keys are unique within it. Those that begin with `automate:` are the "
            "server's own."
        ),
    )
    payload = PayloadField(
        required=False,
        help_text=_(
            "What there is to tell of it; `{}` where left out. At most 64 KB, unless the server says otherwise."
        ),
    )
    idempotency_key = serializers.RegexField(
        rf"\A{_TEXT}\Z",
        required=False,
        allow_null=True,
        max_length=255,
        trim_whitespace=False,
        error_messages={"invalid": _NOT_A_TEXT},
        help_text=_("What its source calls it: an event with a key that is known already is not stored again."),
    )
    occurred_at = MomentField(required=False, help_text=_("When it happened; now where left out."))

    class Meta:
        model = Event
        list_serializer_class = EventBatchSerializer
        fields = (
            "id",
            "type",
            "source",
            "payload",
            "idempotency_key",
            "occurred_at",
            "correlation_id",
            "user",
            "created_at",
        )
        read_only_fields = ("id", "correlation_id", "user", "created_at")
        extra_kwargs = helped(
            correlation_id=_("Of the request that brought it."),
            user=_("Who sent it; null: deleted since."),
        )
        validators: list[Any] = []

    def validate_source(self, source: str) -> str:
        """Refuse what would pass for an event of this package's own, such as a schedule's."""
        if source.startswith(RESERVED):
            raise ValidationError(RESERVED_SOURCE, "reserved")
        return source


class IngestedEventSerializer(serializers.Serializer[Any]):
    """What became of an event that was sent."""

    id = serializers.UUIDField(help_text=_("The event, as it is stored."))
    status = serializers.ChoiceField(
        ((ACCEPTED, _("accepted")), (DUPLICATE, _("duplicate"))),
        help_text=_("`accepted`, or `duplicate` where its source has sent it before."),
    )


def plain_event(item: Any, max_bytes: int) -> dict[str, Any] | None:
    """What `EventSerializer` makes of `item`, in a fraction of the time; None where that takes a closer look.

    `max_bytes` is `settings.event_max_bytes`, which is read once for all items.
    """
    if type(item) is not dict:
        return None
    kind, source, key = item.get("type"), item.get("source"), item.get("idempotency_key")
    if type(kind) is not str or not TYPE.fullmatch(kind) or type(source) is not str:
        return None
    if not _PLAIN_SOURCE.fullmatch(source) or not (key is None or (type(key) is str and _PLAIN_KEY.fullmatch(key))):
        return None
    event: dict[str, Any] = {"type": kind, "source": source}
    if "idempotency_key" in item:
        event["idempotency_key"] = key
    if "payload" in item:
        if not _is_plain_payload(item["payload"], max_bytes):
            return None
        event["payload"] = item["payload"]
    if "occurred_at" in item:
        moment = event["occurred_at"] = _plain_moment(item["occurred_at"])
        if moment is None:
            return None
    return event


def _is_plain_payload(payload: Any, max_bytes: int) -> bool:
    if type(payload) is not dict:
        return False
    # With its spaces and escapes it is never shorter than what is counted.
    text = json.dumps(payload)
    return len(text) <= max_bytes and _is_shallow(payload, text)


def _plain_moment(text: Any) -> datetime | None:
    if type(text) is not str or not _PLAIN_MOMENT.fullmatch(text) or not django_settings.USE_TZ:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _compact(payload: Any) -> bytes:
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _is_shallow(payload: Any, text: str) -> bool:
    """Whether `payload`, which is `text` as JSON, is nested at most 32 deep."""
    if text.count("{") + text.count("[") <= MAX_DEPTH:
        return True
    level = [payload]
    for _depth in range(MAX_DEPTH):
        below: list[Any] = []
        for item in level:
            below += item.values() if isinstance(item, dict) else item
        level = [item for item in below if isinstance(item, dict | list)]
        if not level:
            return True
    return False

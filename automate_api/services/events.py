"""Events: take what happened elsewhere, each once, and have the host's handlers called."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from automate_api.conf import settings
from automate_api.events import RESERVED, depth, handlers_wanting
from automate_api.exceptions import FieldError, InvalidInput, StorageUnavailable
from automate_api.ids import uuid7
from automate_api.models import Actor, Event
from automate_api.models.batches import BatchInsert, BatchKeys
from automate_api.security.redaction import redact
from automate_api.services.jobs import create_job
from automate_api.services.leases import from_now
from automate_api.services.recording import storable, writing
from automate_api.services.rows import tenant_of
from automate_api.services.runs import prepare_task

#: What becomes of an event: it is new, or its source has sent it before.
ACCEPTED, DUPLICATE = "accepted", "duplicate"

#: The task type of the job that calls the handlers.
HANDLE = "event.handle"

#: What is said of a source that only this package has.
RESERVED_SOURCE = _("Only the server itself sends events from a source that begins with automate:.")

_ROW = ("id", "type", "source", "payload", "idempotency_key", "occurred_at")
_events = BatchInsert(Event, columns=_ROW, unique=("tenant_id", "source", "idempotency_key"))
_known = BatchKeys(Event, by=("source", "idempotency_key"), same=("tenant_id",))

_LONGEST = 200
# Somebody deletes an event in the very moment in which it is sent again; not time and again.
_MOST_ROUNDS = 5

_Row = dict[str, Any]


def ingest(
    items: Sequence[Mapping[str, Any]], *, actor: Actor, correlation_id: str, own: bool = False
) -> list[tuple[UUID, str]]:
    """Store events, all or none, and have a worker call the handlers of those that are new once that is committed.

    However many there are, the number of statements is the same. An event with an idempotency key that its source has
    in the tenant already, or earlier in `items`, is not stored again, whatever else it says. Those that are new are as
    deep as `automate_api.events.depth` says.

    Args:
        items: `type` and `source`, and perhaps `payload`, `idempotency_key` and `occurred_at`, checked.
        actor: who sends them.
        correlation_id: stored with the events, and with the execution that handles them.
        own: whether it is this package that sends them, from a source that begins with `automate_api.events.RESERVED`.

    Returns:
        For each of `items` the id of the event, and `ACCEPTED` or `DUPLICATE`.

    Raises:
        PermissionDenied: the actor has no tenant.
        InvalidInput: somebody else sends from such a source.
        NotConfigured: there are handlers to call, and the host has no key to encrypt a job's request under.
        StorageUnavailable: others delete these very events all the time.
    """
    if not own:
        _require_foreign(items)
    tenant_id, rows = tenant_of(actor), _rows(items)
    common = {"tenant_id": tenant_id, "correlation_id": correlation_id}
    # Before the transaction, which on SQLite keeps all other writers waiting.
    wanted = set(handlers_wanting({row["type"] for row in rows}, tenant_id=tenant_id))
    try:
        return _ingest(rows, wanted, common, user_id=actor.user.pk)
    except IntegrityError:
        if get_user_model()._default_manager.filter(pk=actor.user.pk).exists():  # noqa: SLF001 - Django's public name
            raise
        # Whoever sent them was deleted meanwhile, and what they tell of has happened all the same.
        return _ingest(rows, wanted, common, user_id=None)


def count_expired() -> int:
    """How many events have been kept for `AUTOMATE_API_EVENT_RETENTION`."""
    return int(_expired().count())


def prune(*, batch: int = 1000) -> Iterator[int]:
    """Delete events that have been kept for long enough, the oldest first; yields how many, batch by batch."""
    while chosen := list(_expired().order_by("pk").values_list("pk", flat=True)[:batch]):
        with writing():
            deleted, _by_model = Event.objects.filter(pk__in=chosen).delete()
        yield deleted


def _expired() -> Any:
    retention = settings.event_retention
    if retention is None:
        return Event.objects.none()
    return Event.objects.filter(created_at__lte=from_now(-float(retention)))


def _require_foreign(items: Sequence[Mapping[str, Any]]) -> None:
    """Refuse events that would pass for this package's own, such as a schedule's."""
    places = [place for place, item in enumerate(items) if item["source"].startswith(RESERVED)]
    fields = [f"{place}.source" if len(items) > 1 else "source" for place in places]
    if fields:
        raise InvalidInput([FieldError(name, "reserved", str(RESERVED_SOURCE)) for name in fields])


def _ingest(rows: list[_Row], wanted: set[str], common: dict[str, Any], *, user_id: Any) -> list[tuple[UUID, str]]:
    for _round in range(_MOST_ROUNDS):
        try:
            with writing(), transaction.atomic():
                return _ingest_all(rows, wanted, common, user_id=user_id)
        except _Gone:
            # Again in another transaction: on with this one, the next lock would be out of order.
            continue
    raise StorageUnavailable(_("The events could not be stored."))


def _ingest_all(rows: list[_Row], wanted: set[str], common: dict[str, Any], *, user_id: Any) -> list[tuple[UUID, str]]:
    stored = _stored(rows, user=user_id, created_at=timezone.now(), depth=depth.get(), **common)
    ids: list[UUID] = [stored.get(_key_of(row)) or row["id"] for row in rows]
    new = [row for row, pk in zip(rows, ids, strict=True) if pk == row["id"]]
    if told := [str(row["id"]) for row in new if row["type"] in wanted]:
        create_job(prepare_task(HANDLE, user_id=user_id, input={"events": told}, **common))
    return [(pk, ACCEPTED if pk == row["id"] else DUPLICATE) for row, pk in zip(rows, ids, strict=True)]


class _Gone(Exception):
    """An event that was there is there no longer."""


def _stored(rows: list[_Row], **common: Any) -> dict[Any, UUID]:
    """Insert what is not there yet; the ids of all that have a key, by source and key."""
    first: dict[Any, _Row] = {}
    new = [row for row in rows if row["idempotency_key"] is None or first.setdefault(_key_of(row), row) is row]
    # Two that have keys in common wait for each other in the same order.
    new.sort(key=lambda row: (row["source"], row["idempotency_key"] or ""))
    if _events.insert(new, **common) == len(new):
        return {key: row["id"] for key, row in first.items()}
    found = _known.find(list(first), common["tenant_id"])
    if len(found) < len(first):
        raise _Gone
    return found


def _key_of(row: _Row) -> Any:
    return row["source"], row["idempotency_key"]


def _rows(items: Sequence[Mapping[str, Any]]) -> list[_Row]:
    now = timezone.now()
    # By columns, for a list for each event would be a thousand more to make, and for the garbage collector to visit.
    told = [[item.get(name) for item in items] for name in ("type", "source", "idempotency_key")]
    told.append([item.get("payload", {}) for item in items])
    rows = []
    for item, kind, source, key, payload in zip(items, *redact(told, also=storable), strict=True):
        sent = item["source"], item.get("idempotency_key")
        row = {"id": uuid7(), "type": kind[:_LONGEST], "source": source[:_LONGEST], "payload": payload}
        row["idempotency_key"] = key if key is None or (source, key) == sent else _sealed(*sent)
        row["occurred_at"] = item.get("occurred_at", now)
        rows.append(row)
    return rows


def _sealed(source: str, key: str) -> str:
    """What stands for a key that must not be stored as it is, or whose source must not: others have others."""
    digest = salted_hmac("automate_api.events", json.dumps([source, key]), algorithm="sha256").hexdigest()
    return f"[redacted] {digest}"

"""django-ninja: bearer token, tenant by hand, pydantic, and one `bulk_create()` with one look at what it skipped."""

import uuid
from datetime import datetime
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from ninja import Field, NinjaAPI, Schema
from ninja.security import HttpBearer
from rest_framework.authtoken.models import Token

from benchmarks.events.models import NinjaEvent, tenant_of


class BearerToken(HttpBearer):
    """REST framework's tokens."""

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        """The token's user."""
        found = Token.objects.select_related("user").filter(key=token, user__is_active=True).first()
        return None if found is None else found.user


class EventIn(Schema):
    """An event as a caller writes it."""

    type: str = Field(max_length=200)
    source: str = Field(max_length=200)
    payload: dict[str, Any] = {}
    idempotency_key: str | None = Field(None, max_length=255)
    occurred_at: datetime


class Stored(Schema):
    """What became of it."""

    id: uuid.UUID
    status: str


api = NinjaAPI(auth=BearerToken(), urls_namespace="ninja", docs_url=None, openapi_url=None)


@api.post("events", response={201: list[Stored]})
def create_events(request: Any, data: list[EventIn]) -> Any:
    """Store a list."""
    return 201, _store(data, request.auth)


@api.post("event", response={201: Stored})
def create_event(request: Any, data: EventIn) -> Any:
    """Store one."""
    return 201, _store([data], request.auth)[0]


def _store(data: list[EventIn], user: Any) -> list[dict[str, Any]]:
    common = {"tenant_id": tenant_of(user), "user": user, "correlation_id": uuid.uuid4().hex}
    events = [NinjaEvent(**common, **item.dict()) for item in data]
    with transaction.atomic():
        NinjaEvent.objects.bulk_create(events, ignore_conflicts=True)
        stored = _stored(events, common["tenant_id"])
    found = ((event, stored.get((event.source, event.idempotency_key), event.pk)) for event in events)
    return [{"id": pk, "status": "accepted" if pk == event.pk else "duplicate"} for event, pk in found]


def _stored(events: list[NinjaEvent], tenant_id: str) -> dict[tuple[str, str | None], uuid.UUID]:
    """The ids under which the events' keys are stored; of those without a key nothing is asked."""
    keys = {event.idempotency_key: event.source for event in events if event.idempotency_key is not None}
    if not keys:
        return {}
    # By all columns of the index.
    rows = NinjaEvent.objects.filter(tenant_id=tenant_id, source__in=set(keys.values()), idempotency_key__in=keys)
    return {(source, key): pk for pk, source, key in rows.values_list("id", "source", "idempotency_key")}

"""Plain REST framework: token, tenant by hand, `ModelSerializer(many=True)` and `save()`; and the same, tuned."""

import uuid
from typing import Any

from django.db import transaction
from rest_framework import authentication, permissions, renderers, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from benchmarks.events.models import PlainEvent, tenant_of


class BearerToken(authentication.TokenAuthentication):
    """REST framework's tokens."""

    keyword = "Bearer"


class EventSerializer(serializers.ModelSerializer[PlainEvent]):
    """An event as a caller writes it."""

    class Meta:
        model = PlainEvent
        fields = ("id", "type", "source", "payload", "idempotency_key", "occurred_at")


class OnceSerializer(EventSerializer):
    """The same, that knows again what is stored already: without that a duplicate would be a 500."""

    def create(self, validated_data: dict[str, Any]) -> PlainEvent:
        """Find it, or make it."""
        known_by = {name: validated_data.pop(name) for name in ("tenant_id", "source", "idempotency_key")}
        event, event.is_new = PlainEvent.objects.get_or_create(**known_by, defaults=validated_data)  # type: ignore[attr-defined]
        return event


class EventView(APIView):
    """Stores one event or a list of them, and answers with them, as REST framework's generic views do."""

    authentication_classes = (BearerToken,)
    permission_classes = (permissions.IsAuthenticated,)
    renderer_classes = (renderers.JSONRenderer,)
    throttle_classes: Any = ()
    serializer_class: type[EventSerializer] = EventSerializer

    def post(self, request: Request) -> Response:
        """Check, store, answer."""
        serializer: Any = self.serializer_class(data=request.data, many=isinstance(request.data, list))
        serializer.is_valid(raise_exception=True)
        self.save(serializer)
        return Response(self.shown(serializer), status=201)

    def save(self, serializer: Any) -> None:
        """Store them for the caller."""
        user = self.request.user
        serializer.save(tenant_id=tenant_of(user), user=user, correlation_id=uuid.uuid4().hex)

    def shown(self, serializer: Any) -> Any:
        """What is answered."""
        return serializer.data


class TunedEventView(EventView):
    """The same in one transaction, and with the package's answer: id and status, no more."""

    def save(self, serializer: Any) -> None:
        """All or nothing."""
        with transaction.atomic():
            super().save(serializer)

    def shown(self, serializer: Any) -> Any:
        """What became of each."""
        saved = serializer.instance
        return [_told(event) for event in saved] if isinstance(saved, list) else _told(saved)


class OnceEventView(TunedEventView):
    """The same for callers who send what they have sent before."""

    serializer_class = OnceSerializer


def _told(event: Any) -> dict[str, str]:
    return {"id": str(event.pk), "status": "accepted" if getattr(event, "is_new", True) else "duplicate"}

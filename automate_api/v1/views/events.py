"""`events/`: what happened elsewhere."""

from collections.abc import Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any, ClassVar
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse, PolymorphicProxySerializer, extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.request import Request
from rest_framework.response import Response

from automate_api.models import Event
from automate_api.services.events import ingest
from automate_api.v1.base import BaseViewSet, PaginationMixin
from automate_api.v1.correlation import correlation_id_of
from automate_api.v1.filtersets import EventFilterSet
from automate_api.v1.serializers.events import EventSerializer, IngestedEventSerializer
from automate_api.v1.views.domain import DomainMixin

_ONE_OR_MANY = partial(PolymorphicProxySerializer, resource_type_field_name=None, many=False)


@extend_schema_view(list=extend_schema(description=_("The events you have sent, newest first; for staff all.")))
class EventIngestView(DomainMixin, mixins.ListModelMixin, PaginationMixin, BaseViewSet):
    """Events: sent by members, who see their own; staff see all of the tenant. `ATOMIC_REQUESTS` does not hold it.

    Override:
        perform_ingest(events): stores what was sent, checked.
    """

    queryset = Event.objects.all()
    serializer_class = EventSerializer
    filterset_class = EventFilterSet
    ordering_fields = ("created_at", "occurred_at")
    scope_resource = "events"
    # What it stores it stores in one transaction, whose failure it can still answer.
    atomic_requests: ClassVar[bool] = False
    error_statuses: ClassVar[Any] = {"create": (HTTPStatus.SERVICE_UNAVAILABLE,)}

    @extend_schema(
        summary=_("Send events"),
        description=_(
            "Send one event, or a list of 1 to 1,000, of which all are stored or none. Of each the answer has the id, "
            "and whether it is new: one with an idempotency key that its source has sent before is not stored again."
        ),
        request=_ONE_OR_MANY(
            component_name="AutomateEventOrEvents", serializers=[EventSerializer, EventSerializer(many=True)]
        ),
        responses={
            201: OpenApiResponse(
                _ONE_OR_MANY(
                    component_name="AutomateIngestedEventOrEvents",
                    serializers=[IngestedEventSerializer, IngestedEventSerializer(many=True)],
                ),
                description=_("What became of the event, or of each in the order of the list."),
            )
        },
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Take one event or many."""
        is_list = isinstance(request.data, list)
        body = self.get_serializer(data=request.data, many=is_list)
        body.is_valid(raise_exception=True)
        taken = self.perform_ingest(body.validated_data if is_list else [body.validated_data])
        answers = [{"id": str(pk), "status": status} for pk, status in taken]
        return Response(answers if is_list else answers[0], status=HTTPStatus.CREATED)

    def perform_ingest(self, events: Sequence[Mapping[str, Any]]) -> list[tuple[UUID, str]]:
        """Store them; of each the id, and `"accepted"` or `"duplicate"`."""
        return ingest(events, actor=self.get_actor(), correlation_id=correlation_id_of(self.request))

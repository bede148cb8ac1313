"""Views of the multi-modal gateway: endpoints by other transports than a synchronous answer."""

from http import HTTPStatus
from typing import Any, ClassVar

from django.http import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from automate_api.engine.transports import EventStream
from automate_api.services.runs import prepare_run
from automate_api.v1.base import BaseAPIView
from automate_api.v1.serializers.endpoints import RunRequestSerializer, run_request_of
from automate_api.v1.serializers.events import EVENT_STREAM
from automate_api.v1.views.domain import ActorMixin, RunsMixin, is_asgi
from automate_api.v1.views.endpoints import ID_OR_SLUG


class EndpointStreamView(RunsMixin, ActorMixin, BaseAPIView):
    """Run an endpoint and stream its events."""

    scope_resource = "endpoints"
    scope_access = "run"
    # Later failures are events.
    error_statuses: ClassVar[Any] = {"post": (HTTPStatus.SERVICE_UNAVAILABLE,)}

    @extend_schema(
        parameters=[ID_OR_SLUG],
        summary=_("Stream endpoint"),
        description=_(
            "Run the endpoint and stream its events as they come. After validation the answer is always 200; what "
            "fails later is an `error` event. The stream ends after `final`, `error` or `cancelled`, and the run ends "
            "with the stream. Sent again with the same idempotency key, it answers with the last event alone."
        ),
        request=RunRequestSerializer,
        responses={(200, "text/event-stream"): EVENT_STREAM},
    )
    def post(self, request: Request, pk: str) -> HttpResponseBase:
        """Start the stream."""
        asked = run_request_of(request)
        run, _execution = prepare_run(
            self.get_runnable(pk),
            actor=self.get_actor(),
            correlation_id=request.correlation_id,  # type: ignore[attr-defined]
            stream=True,
            **asked,
        )
        return EventStream(run, is_async=is_asgi(request))

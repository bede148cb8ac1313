"""`hooks/`: where others call to start a workflow."""

import hashlib
from http import HTTPStatus
from typing import Any, ClassVar
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from automate.conf import settings
from automate.services.hooks import Received, authenticate, receive
from automate_api.security.redaction import remember_revealed
from automate_api.v1.base import BaseAPIView, PublicAPIMixin
from automate_api.v1.correlation import correlation_id_of
from automate_api.v1.serializers.events import IngestedEventSerializer, PayloadField

_TOKEN = OpenApiParameter(
    "token", OpenApiTypes.STR, OpenApiParameter.PATH, description=_("What the trigger's address was made with.")
)


class HookView(PublicAPIMixin, BaseAPIView):
    """Requests to hooks: from anybody who knows the address and signs what is sent. Nobody is signed in.

    Limits count each IP address, and each hook. Whatever keeps a request from its hook, the answer is the same.

    Override:
        perform_receive(received, payload): stores what was sent.
    """

    # Of a header with other credentials nobody here knows anything.
    authentication_classes = ()
    scope_resource = "hooks"
    rate_limit_group = "hooks"
    # Senders call from few addresses, whatever hooks they call.
    public_rate_limit = "600/minute"
    # Of the setting that counts each hook.
    setting_prefix = "AUTOMATE_HOOK"
    # What it stores it stores in one transaction, whose failure it can still answer.
    atomic_requests: ClassVar[bool] = False
    error_statuses: ClassVar[Any] = {"post": (HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE)}

    def get_rate_limit(self) -> str | None:
        """`AUTOMATE_HOOK_RATE_LIMIT`, of each hook."""
        return settings.hook_rate_limit

    def rate_limit_key(self, request: Request) -> str:
        """The hook, whether there is one or not."""
        return hashlib.sha256(self.kwargs["token"].encode(errors="surrogatepass")).hexdigest()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """As of every view; the token is a secret, also where something fails."""
        remember_revealed(kwargs["token"])
        super().initial(request, *args, **kwargs)

    def check_permissions(self, request: Request) -> None:
        """As of every view, limits among it; then the signature, before anybody reads what is signed."""
        super().check_permissions(request)
        if request.method == "POST":
            self.received = authenticate(self.kwargs["token"], headers=request.headers, body=request.body)

    @extend_schema(
        parameters=[_TOKEN],
        summary=_("Call a hook"),
        description=_(
            "Start the workflow of a hook with a JSON object, signed by Standard Webhooks (`webhook-id`, "
            "`webhook-timestamp`, `webhook-signature`) or as GitHub does (`X-Hub-Signature-256`). What has been sent "
            "before, by its `webhook-id` or `X-GitHub-Delivery`, is a duplicate, and starts nothing again. A hook that "
            "does not exist or is switched off, and a wrong signature, are a 404 alike."
        ),
        request=OpenApiTypes.OBJECT,
        examples=[OpenApiExample("paid", value={"type": "order.paid", "data": {"order": 7}}, request_only=True)],
        responses={202: OpenApiResponse(IngestedEventSerializer, description=_("The event that was made of it."))},
    )
    def post(self, request: Request, token: str) -> Response:
        """Take what was sent."""
        payload = PayloadField().run_validation(request.data)
        if not request.body:
            raise ParseError(_("The body is not JSON."))
        pk, status = self.perform_receive(self.received, payload)
        return Response({"id": str(pk), "status": status}, status=HTTPStatus.ACCEPTED)

    def perform_receive(self, received: Received, payload: dict[str, Any]) -> tuple[UUID, str]:
        """Store it; the event's id, and `"accepted"` or `"duplicate"`."""
        return receive(received, payload=payload, correlation_id=correlation_id_of(self.request))

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        """As of every view; but Django does not log the address of what was refused, since it is a secret."""
        response = super().finalize_response(request, response, *args, **kwargs)
        response._has_been_logged = True  # noqa: SLF001 - what Django's own views of errors set
        return response

"""The index: which lists there are, for whoever browses."""

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from automate_api.v1.base import BaseAPIView
from automate_api.v1.schema.examples import EXAMPLES

_LISTS = (
    "provider",
    "llm-client",
    "endpoint",
    "execution",
    "job",
    "artifact",
    "event",
    "prompt-log",
    "api-key",
    "model",
)
_PAGES = ("schema", "docs", "redoc")


class IndexView(BaseAPIView):
    """The addresses of the lists and of the schema."""

    scope_resource = "index"

    @extend_schema(
        summary=_("List addresses"),
        description=_("The addresses of the lists and of the schema, by name."),
        responses=OpenApiResponse(
            {"type": "object", "additionalProperties": {"type": "string", "format": "uri"}},
            description=_("The addresses."),
            examples=[OpenApiExample("addresses", value=EXAMPLES["AutomateIndex"])],
        ),
    )
    def get(self, request: Request) -> Response:
        """Names and absolute addresses."""
        namespace = request.resolver_match.namespace if request.resolver_match else ""
        names = [*(f"{name}-list" for name in _LISTS), *_PAGES]
        prefix = f"{namespace}:" if namespace else ""
        return Response({name.removesuffix("-list"): reverse(prefix + name, request=request) for name in names})

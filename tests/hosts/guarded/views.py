"""One view for each promise of `CORSMixin`, `RateLimitMixin` and `PublicAPIMixin`."""

from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from rest_framework import serializers, viewsets
from rest_framework.authentication import BasicAuthentication, SessionAuthentication
from rest_framework.decorators import action
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from automate_api.v1.base import (
    BaseAPIView,
    BaseModelViewSet,
    BaseViewSet,
    CORSMixin,
    PublicAPIMixin,
    RateLimitMixin,
)
from automate_api.v1.parsers import StrictJSONParser
from tests.hosts.shop.models import Item

APP = "https://app.example.com"


class Nobody(BasePermission):
    """A permission that nobody has."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return False


class ItemSerializer(serializers.ModelSerializer[Item]):
    class Meta:
        model = Item
        fields = ("id", "name")


# -- origins ---------------------------------------------------------------------------------------------------------


class CrossViewSet(BaseViewSet):
    """On a base."""

    cors_origins = (APP, "http://localhost:5173")

    def list(self, request: Request) -> Response:
        return Response([])

    def create(self, request: Request) -> Response:
        return Response({}, status=201)


class CredentialsView(BaseAPIView):
    cors_origins = (APP,)
    cors_allow_credentials = True
    cors_methods = ("GET",)
    cors_headers = ("x-one",)
    cors_expose_headers = ()
    cors_max_age = 5

    def get(self, request: Request) -> Response:
        return Response({})


class AnyOriginViewSet(CORSMixin, viewsets.ViewSet):
    """On a plain view."""

    authentication_classes = (BasicAuthentication,)
    permission_classes = (IsAuthenticated,)
    cors_origins = ("*",)

    def list(self, request: Request) -> Response:
        return Response([])


class OwnOriginsView(CORSMixin, APIView):
    """Origins that the request decides."""

    authentication_classes = ()
    permission_classes = ()

    @property
    def cors_origins(self) -> tuple[str, ...]:
        return (f"https://{self.kwargs['shop']}.example.com",)

    def get(self, request: Request, shop: str) -> Response:
        return Response({"shop": shop})


class SameOriginView(BaseAPIView):
    def get(self, request: Request) -> Response:
        return Response({})


# -- limits ----------------------------------------------------------------------------------------------------------


class PlainLimitedViewSet(RateLimitMixin, viewsets.ViewSet):
    authentication_classes = (BasicAuthentication,)
    permission_classes = ()
    rate_limit = "2/day"

    def list(self, request: Request) -> Response:
        return Response([])

    @action(detail=False, permission_classes=[])
    def extra(self, request: Request) -> Response:
        return Response([])


class DefaultLimitedView(RateLimitMixin, APIView):
    authentication_classes = ()
    permission_classes = ()

    def get(self, request: Request) -> Response:
        return Response({})


class BrowsableLimitedViewSet(RateLimitMixin, viewsets.ModelViewSet[Item]):
    """Its renderer asks for the permissions of every method."""

    queryset = Item.objects.all()
    serializer_class = ItemSerializer
    authentication_classes = (SessionAuthentication,)
    permission_classes = ()
    renderer_classes = (BrowsableAPIRenderer, JSONRenderer)
    rate_limit = "2/day"


class LimitedViewSet(BaseViewSet):
    rate_limit = "2/day"

    def list(self, request: Request) -> Response:
        return Response([])


class GroupedView(BaseAPIView):
    rate_limit = "2/day"
    rate_limit_group = "reports"

    def get(self, request: Request) -> Response:
        return Response({})


class OtherGroupedView(GroupedView):
    pass


class TenantLimitedView(BaseAPIView):
    rate_limit = "2/day"
    rate_limit_key = "tenant"

    def get(self, request: Request) -> Response:
        return Response({})


class AddressLimitedView(BaseAPIView):
    rate_limit = "2/day"
    rate_limit_key = "ip"

    def get(self, request: Request) -> Response:
        return Response({})


class DeniedLimitedView(BaseAPIView):
    rate_limit = "2/day"
    permission_classes = (Nobody,)

    def get(self, request: Request) -> Response:
        return Response({})


class DevicesView(BaseAPIView):
    rate_limit = "2/day"
    rate_limit_key = staticmethod(lambda request: request.headers["X-Device"])

    def get(self, request: Request) -> Response:
        return Response({})


class MethodKeyView(DevicesView):
    def rate_limit_key(self, request: Request) -> str:
        return str(request.headers["X-Device"])


class FunctionKeyView(DevicesView):
    def rate_limit_key(request: Request) -> str:  # noqa: N805 - a host may write it so
        return str(request.headers["X-Device"])


class DefaultedKeyView(DevicesView):
    rate_limit_key = lambda request, header="X-Device": request.headers[header]  # noqa: E731


class ChosenLimitView(BaseAPIView):
    setting_prefix = "SHOP"

    def get(self, request: Request) -> Response:
        return Response({})


class WrongLimitView(BaseAPIView):
    rate_limit = "often"

    def get(self, request: Request) -> Response:
        return Response({})


# -- everybody -------------------------------------------------------------------------------------------------------


class PlainPublicViewSet(PublicAPIMixin, viewsets.ViewSet):
    public_rate_limit = "2/day"

    def list(self, request: Request) -> Response:
        return Response([])


class PublicViewSet(PublicAPIMixin, BaseViewSet):
    staff_actions = frozenset({"secret"})

    def list(self, request: Request) -> Response:
        return Response({"user": request.user.get_username()})

    @action(detail=False)
    def secret(self, request: Request) -> Response:
        return Response({})


class BothLimitsView(PublicAPIMixin, BaseAPIView):
    rate_limit = "3/day"
    public_rate_limit = "5/day"

    def get(self, request: Request) -> Response:
        return Response({})


class UnlimitedPublicView(PublicAPIMixin, BaseAPIView):
    public_rate_limit = ""

    def get(self, request: Request) -> Response:
        return Response({})


class ClosedPublicView(PublicAPIMixin, BaseAPIView):
    permission_classes = (Nobody,)

    def get(self, request: Request) -> Response:
        return Response({})


# -- requests that are sent again ------------------------------------------------------------------------------------


class ItemViewSet(BaseModelViewSet):
    """Rows of a host's own."""

    queryset = Item.objects.all()
    serializer_class = ItemSerializer
    scope_resource = "items"

    @action(detail=False, methods=["post"])
    def half(self, request: Request) -> Response:
        Item.objects.create(name="half")
        raise RuntimeError("in the middle")

    @action(detail=False, methods=["post"])
    def large(self, request: Request) -> Response:
        Item.objects.create(name="large")
        return Response({"text": "x" * request.data["size"]})

    @action(detail=False, methods=["post"])
    def busy(self, request: Request) -> Response:
        Item.objects.create(name="busy")
        return Response({}, status=request.data["status"], headers={"Retry-After": "3", "X-Own": "y"})

    @action(detail=False, methods=["post"])
    def plain(self, request: Request) -> HttpResponse:
        Item.objects.create(name="plain")
        return HttpResponse(b"\xff\x00plain", content_type="application/octet-stream")

    @action(detail=False, methods=["post"])
    def raw(self, request: Request) -> HttpResponse:
        return HttpResponse(request.body)

    @action(detail=False, methods=["post"])
    def stream(self, request: Request) -> StreamingHttpResponse:
        Item.objects.create(name="stream")
        return StreamingHttpResponse(iter([b"a", b"b"]))

    @action(detail=False, methods=["post"], parser_classes=[StrictJSONParser, MultiPartParser, FormParser])
    def upload(self, request: Request) -> Response:
        content = request.data["file"].read()
        Item.objects.create(name=request.data["name"])
        return Response({"size": len(content)})

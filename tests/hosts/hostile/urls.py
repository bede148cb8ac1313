"""Views for everybody, and the package's routes below a prefix and a namespace."""

from django.urls import include, path
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from automate_api.models import Provider
from automate_api.v1.base import (
    BaseAPIView,
    PaginationMixin,
    PublicAPIMixin,
    RateLimitMixin,
    StaffOnlyMixin,
    TenantFilterMixin,
)
from automate_api.v1.serializers.providers import ProviderSerializer


class PublicView(PublicAPIMixin, BaseAPIView):
    """Nobody is signed in, and `request.user` is None."""

    public_rate_limit = "3/day"
    rate_limit = "3/day"

    @extend_schema(request=None, responses={200: None})
    def get(self, request: Request) -> Response:
        return Response({"user": request.user is not None})

    @extend_schema(request=None, responses={200: None})
    def post(self, request: Request) -> Response:
        return Response(request.data, status=201)


class PlainView(APIView):
    """On REST framework's own view: everybody is let in, unless a mixin guards it."""

    renderer_classes = (JSONRenderer,)
    schema = None

    def get(self, request: Request) -> Response:
        return Response({"let": "in"})


class PlainStaffView(StaffOnlyMixin, PlainView):
    """For staff."""


class PlainLimitedView(RateLimitMixin, PlainView):
    """Once a day."""

    throttle_classes = ()
    rate_limit = "1/day"


class PlainPublicView(PublicAPIMixin, PlainView):
    """For everybody, once a day."""

    throttle_classes = ()
    public_rate_limit = "1/day"


class PlainTenantView(TenantFilterMixin, PaginationMixin, ListAPIView[Provider]):
    """Rows of a tenant, of which nobody has one."""

    renderer_classes = (JSONRenderer,)
    schema = None
    queryset = Provider.objects.all()
    serializer_class = ProviderSerializer
    throttle_classes = ()


inner = [
    path("api/v1/", include("automate_api.urls")),
    path("api/v1/", include("automate.urls")),
    path("api/v1/modal/", include("automate_modal.urls")),
    path("", include("automate_api.workbench.urls")),
]
urlpatterns = [
    path("public/", PublicView.as_view(), name="public"),
    path("plain/staff/", PlainStaffView.as_view()),
    path("plain/limited/", PlainLimitedView.as_view()),
    path("plain/public/", PlainPublicView.as_view()),
    path("plain/tenant/", PlainTenantView.as_view()),
    path("deep/er/", include((inner, "outer"))),
]

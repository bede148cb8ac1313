"""Routes of the careless host, and views that its checks find."""

from typing import Any

from django.urls import include, path, re_path
from django.views.static import serve
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from automate_api.models import Provider
from automate_api.v1.base.cors import CORSMixin
from automate_api.v1.serializers.providers import ProviderSerializer


class EverybodysProviders(viewsets.ReadOnlyModelViewSet[Provider]):
    """W006: every tenant's rows."""

    serializer_class = ProviderSerializer

    def get_queryset(self) -> Any:
        return Provider.objects.all()


class EveryPage(CORSMixin, viewsets.ViewSet):
    """E013: `*`, where the middleware allows credentials. E014: an origin with a path."""

    cors_origins = ("*", "https://app.example.com/")

    def list(self, request: Request) -> Response:
        return Response([])


router = SimpleRouter()
router.register("everybodys", EverybodysProviders, basename="everybodys")
router.register("pages", EveryPage, basename="page")

urlpatterns = [
    path("", include(router.urls)),
    path("api/v1/", include("automate_api.urls")),
    # W031: everybody's files.
    re_path(r"^media/(?P<path>.*)$", serve, {"document_root": "media"}),
]

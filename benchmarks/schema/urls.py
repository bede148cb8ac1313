"""The package's routes under four prefixes, and drf-spectacular's view of them."""

from django.urls import include, path
from drf_spectacular.views import SpectacularJSONAPIView

from automate_api.v1.urls import urlpatterns as routes

urlpatterns = [
    *(path(f"{name}/", include((routes, name), namespace=name)) for name in ("one", "two", "three", "four")),
    path(
        "spectacular/",
        SpectacularJSONAPIView.as_view(authentication_classes=(), permission_classes=(), serve_public=True),
    ),
]

"""The package's routes."""

from django.urls import include, path

urlpatterns = [
    path("api/v1/", include("automate_api.urls")),
    path("api/v1/", include("automate.urls")),
    path("api/v1/modal/", include("automate_modal.urls")),
]

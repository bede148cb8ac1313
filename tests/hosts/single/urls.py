"""The package's routes alone, at the root."""

from django.urls import include, path

urlpatterns = [path("", include("automate_api.urls"))]

"""The admin, and the package's routes."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/v1/", include("automate_api.urls")),
    path("api/v1/", include("automate.urls")),
    path("api/v1/modal/", include("automate_modal.urls")),
    path("", include("automate_api.workbench.urls")),
]

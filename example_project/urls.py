"""Routes of the example host: one include an app."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    path("", RedirectView.as_view(url="/api/v1/docs/")),
    path("admin/", admin.site.urls),
    path("api/v1/", include("automate_api.urls")),
    path("api/v1/", include("automate.urls")),
    path("api/v1/modal/", include("automate_modal.urls")),
    path("", include("automate_api.workbench.urls")),
    path("v1/<slug:organization>/", include("automate_api.organization.urls")),
    path("openai/v1/", include("automate_api.openai.urls")),
]

"""Mount version 1 of the API: `path("api/v1/", include("automate_api.urls"))`."""

from automate_api.v1.urls import router, urlpatterns

app_name = "automate_api"

__all__ = ["app_name", "router", "urlpatterns"]

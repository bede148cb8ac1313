"""Routes of the organization admin API; mount them at `v1/<slug:organization>/`."""

from django.urls import path, re_path
from rest_framework.routers import SimpleRouter

from automate_api.organization.views import ModelsView, PromptLogsView, SignInView, UnknownRouteView

app_name = "automate_organization"

router = SimpleRouter()

urlpatterns = [
    *router.urls,
    path("user/signin_with_api_key", SignInView.as_view(), name="signin-with-api-key"),
    path("admin/get_models/", ModelsView.as_view(), name="get-models"),
    path("admin/get_prompt_logs/", PromptLogsView.as_view(), name="get-prompt-logs"),
    # With a slash too few or too many: Django would redirect, or the host answer in a form of its own.
    re_path(r"^(?:user|admin)(?:/[\s\S]*)?\Z", UnknownRouteView.as_view(), name="unknown"),
]

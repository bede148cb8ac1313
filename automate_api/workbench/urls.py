"""Mount the workbench's routes: `path("", include("automate_api.workbench.urls"))`. They hold their whole paths."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter
from rest_framework.routers import SimpleRouter

from automate_api.workbench.views import (
    PromptListApiCloneView,
    PromptListApiDeleteView,
    PromptListApiRenameView,
    PromptListApiView,
    ProviderApiView,
)


class AnyNameConverter(StringConverter):
    """A name as people give them: with slashes and line breaks, or empty; whether it fits, the view says."""

    regex = r"[\s\S]*"


register_converter(AnyNameConverter, "automate_any_name")

router = SimpleRouter()

_list = "workbench/api/listview/"

urlpatterns = [
    *router.urls,
    path(_list, PromptListApiView.as_view(), name="workbench_list"),
    # Ids are read by the views, so that what is none is answered as in all other routes.
    path(
        f"{_list}clone/<str:llm_client_id>/<automate_any_name:new_name>/",
        PromptListApiCloneView.as_view(),
        name="workbench_clone",
    ),
    path(f"{_list}clone/<str:llm_client_id>/", PromptListApiCloneView.as_view(), name="workbench_clone_by_query"),
    path(
        f"{_list}rename/<str:llm_client_id>/<automate_any_name:new_name>/",
        PromptListApiRenameView.as_view(),
        name="workbench_rename",
    ),
    path(f"{_list}rename/<str:llm_client_id>/", PromptListApiRenameView.as_view(), name="workbench_rename_by_query"),
    path(f"{_list}delete/<str:llm_client_id>/", PromptListApiDeleteView.as_view(), name="workbench_delete"),
    path(f"{_list}<str:ownership_filter>/", PromptListApiView.as_view(), name="workbench_list_filtered"),
    path("dashboard/passthrough/api/providers/", ProviderApiView.as_view(), name="api_providers"),
]

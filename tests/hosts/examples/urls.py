"""Routes of the host."""

from django.urls import include, path
from rest_framework.routers import DefaultRouter

from tests.hosts.examples.views import (
    actions,
    configured,
    cross_origin,
    endpoints,
    limited,
    projects,
    public,
    staff,
    tenants,
    workflows,
)

router = DefaultRouter()
router.register("notes", actions.MyModelViewSet)
router.register("active", staff.ActiveNoteViewSet, basename="active")
router.register("projects", tenants.MyViewSet)
router.register("paged-projects", tenants.PagedViewSet, basename="paged-project")
router.register("public", public.PublicViewSet, basename="public")
router.register("cross-origin", cross_origin.MyViewSet, basename="cross-origin")
router.register("same-origin", cross_origin.ClosedViewSet, basename="same-origin")
router.register("limited", limited.MyViewSet, basename="limited")
router.register("configured", configured.MyViewSet, basename="configured")
router.register("endpoints", endpoints.MyEndpointViewSet)
router.register("workflows", workflows.MyWorkflowViewSet)

below = DefaultRouter()
below.register("notes", projects.NoteViewSet, basename="project-note")
below.register("staff-notes", projects.StaffNoteViewSet, basename="staff-note")

urlpatterns = [
    path("", include(router.urls)),
    path("projects/<int:project_id>/", include(below.urls)),
    path("listed-projects/", tenants.ProjectListView.as_view()),
    path("by-hand/notes/<int:pk>/", actions.MyModelViewSet.as_view({"post": "activate"})),
    path("by-hand/active/<int:pk>/", staff.ActiveNoteViewSet.as_view({"get": "read"})),
    path("api/v1/", include("automate_api.urls")),
    path("api/v1/", include("automate.urls")),
]

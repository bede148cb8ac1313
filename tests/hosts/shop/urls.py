"""Routes of the host: its own, and the package's."""

from django.urls import include, path
from rest_framework.routers import DefaultRouter, SimpleRouter

from tests.hosts.shop import views

router = SimpleRouter()
router.register("items", views.ItemViewSet)
router.register("own", views.OwnQuerysetViewSet, basename="own")
router.register("tasks", views.TaskViewSet)
router.register("searched", views.SearchedViewSet, basename="searched")
router.register("staff-items", views.StaffItemViewSet, basename="staff-item")
router.register("opened", views.OpenedViewSet, basename="opened")
router.register("plain-staff", views.PlainStaffViewSet, basename="plain-staff")
router.register("plain-configurable", views.PlainConfigurableViewSet, basename="plain-configurable")

plain = DefaultRouter()
plain.register("projects", views.PlainProjectViewSet)

urlpatterns = [
    path("", include(router.urls)),
    path("plain/", include(plain.urls)),
    path("echo/", views.EchoView.as_view(), name="echo"),
    path("echo/<str:word>/", views.EchoView.as_view(), name="echo-word"),
    path("basic/", views.BasicView.as_view(), name="basic"),
    path("stream/", views.StreamView.as_view(), name="stream"),
    path("plain-response/", views.PlainResponseView.as_view(), name="plain-response"),
    path("fail/<str:kind>/", views.FailingView.as_view(), name="fail"),
    path("items-by-hand/<int:pk>/run/", views.ItemViewSet.as_view({"post": "run"}), name="run-by-hand"),
    path("api/v1/", include("automate_api.urls")),
    path("api/v1/", include("automate.urls")),
    path("api/v1/modal/", include("automate_modal.urls")),
]

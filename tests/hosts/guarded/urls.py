"""Routes of the host."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from tests.hosts.guarded import views

router = SimpleRouter()
router.register("cross", views.CrossViewSet, basename="cross")
router.register("any-origin", views.AnyOriginViewSet, basename="any-origin")
router.register("plain-limited", views.PlainLimitedViewSet, basename="plain-limited")
router.register("browsable", views.BrowsableLimitedViewSet, basename="browsable")
router.register("limited", views.LimitedViewSet, basename="limited")
router.register("plain-public", views.PlainPublicViewSet, basename="plain-public")
router.register("public", views.PublicViewSet, basename="public")
router.register("items", views.ItemViewSet)

urlpatterns = [
    path("", include(router.urls)),
    path("credentials/", views.CredentialsView.as_view()),
    path("own-origins/<str:shop>/", views.OwnOriginsView.as_view()),
    path("same-origin/", views.SameOriginView.as_view()),
    path("default-limited/", views.DefaultLimitedView.as_view()),
    path("grouped/", views.GroupedView.as_view()),
    path("other-grouped/", views.OtherGroupedView.as_view()),
    path("by-tenant/", views.TenantLimitedView.as_view()),
    path("by-address/", views.AddressLimitedView.as_view()),
    path("denied/", views.DeniedLimitedView.as_view()),
    path("by-device/", views.DevicesView.as_view()),
    path("by-method/", views.MethodKeyView.as_view()),
    path("by-function/", views.FunctionKeyView.as_view()),
    path("by-default/", views.DefaultedKeyView.as_view()),
    path("chosen/", views.ChosenLimitView.as_view()),
    path("wrong-limit/", views.WrongLimitView.as_view()),
    path("both/", views.BothLimitsView.as_view()),
    path("unlimited-public/", views.UnlimitedPublicView.as_view()),
    path("closed-public/", views.ClosedPublicView.as_view()),
    path("api/v1/", include("automate_api.urls")),
    path("api/v1/", include("automate.urls")),
    path("api/v1/modal/", include("automate_modal.urls")),
]

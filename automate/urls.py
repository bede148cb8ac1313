"""Routes of workflows; mount them where you like, usually at `/api/v1/`, beside those of `automate_api`."""

from django.urls import URLPattern, URLResolver, path
from rest_framework.routers import SimpleRouter

from automate.api.hooks import HookView

app_name = "automate"

router = SimpleRouter()

urlpatterns: list[URLPattern | URLResolver] = [
    *router.urls,
    path("hooks/<str:token>/", HookView.as_view(), name="hook"),
]

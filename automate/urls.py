"""Routes of workflows; mount them where you like, usually at `/api/v1/`, beside those of `automate_api`."""

from django.urls import URLPattern, URLResolver
from rest_framework.routers import SimpleRouter

app_name = "automate"

router = SimpleRouter()

urlpatterns: list[URLPattern | URLResolver] = [*router.urls]

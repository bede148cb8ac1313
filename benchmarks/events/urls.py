"""The contenders' routes."""

from django.urls import include, path

from benchmarks.events import plain, with_ninja

urlpatterns = [
    path("plain/events/", plain.EventView.as_view()),
    path("plain-tuned/events/", plain.TunedEventView.as_view()),
    path("plain-once/events/", plain.OnceEventView.as_view()),
    path("ninja/", with_ninja.api.urls),
    path("api/", include("automate_api.urls")),
]

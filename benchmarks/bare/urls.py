"""The one route."""

from django.urls import path

from benchmarks.bare.views import ChatView

urlpatterns = [path("v1/chat/completions", ChatView.as_view())]

"""Mount the façade: `path("openai/v1/", include("automate_api.openai.urls"))`. Every path below it is its own.

No path ends in a slash, and nothing is redirected: the protocol's clients follow no redirect of a POST.
"""

from django.urls import path, re_path
from rest_framework.routers import SimpleRouter

from automate_api.openai.base import NowhereView
from automate_api.openai.views import ChatCompletionView, EmbeddingView, ModelListView, ModelView
from automate_api.v1.base.routing import StreamPattern
from automate_api.v1.completions import streams

app_name = "automate_openai"

router = SimpleRouter(trailing_slash=False)

urlpatterns = [
    *router.urls,
    path("models", ModelListView.as_view(), name="model-list"),
    path("models/<path:pk>", ModelView.as_view(), name="model-detail"),
    StreamPattern("chat/completions", ChatCompletionView.as_view(), name="chat-completion", streams=streams),
    path("embeddings", EmbeddingView.as_view(), name="embedding"),
    # A dot would leave line breaks to the host.
    re_path(r"^(?P<rest>[\s\S]*)\Z", NowhereView.as_view(), name="nowhere"),
]

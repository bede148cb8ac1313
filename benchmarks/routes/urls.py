"""The contenders' routes."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from benchmarks.routes import ours, plain, with_ninja

router = SimpleRouter()
router.register("plain/items", plain.Items, "plain-item")
router.register("plain/llm-clients", plain.LLMClients, "plain-llm-client")
router.register("plain/executions", plain.Executions, "plain-execution")
router.register("throttled/items", plain.ThrottledItems, "throttled-item")
router.register("throttled/llm-clients", plain.ThrottledLLMClients, "throttled-llm-client")
router.register("throttled/executions", plain.ThrottledExecutions, "throttled-execution")
router.register("ours/items", ours.Items, "item")

urlpatterns = [
    path("bare/ping/", plain.BarePing.as_view()),
    path("plain/ping/", plain.Ping.as_view()),
    path("throttled/ping/", plain.ThrottledPing.as_view()),
    path("ours/ping/", ours.Ping.as_view()),
    path("ninja/", with_ninja.api.urls),
    path("ninja-throttled/", with_ninja.throttled.urls),
    path("api/", include("automate_api.urls")),
    *router.urls,
]

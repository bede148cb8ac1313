"""A viewset of the package's, below a router of REST framework's that adds format suffixes and an index."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from automate_api.v1.views import EndpointViewSet


class MyEndpointViewSet(EndpointViewSet):
    page_size = 2
    extra_query_params = ("verbose",)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        answer = super().list(request, *args, **kwargs)
        answer["X-Verbose"] = request.query_params.get("verbose", "")
        return answer

"""A view that fails halfway, and the package's routes."""

from typing import ClassVar

from django.contrib.auth.models import Group
from django.urls import include, path
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from automate_api.v1.base import BaseAPIView


class HalfwayView(BaseAPIView):
    """Writes, and then refuses or fails."""

    @extend_schema(request=None, responses={200: None})
    def post(self, request: Request, how: str) -> Response:
        Group.objects.create(name=type(self).__name__)
        if how == "done":
            return Response({}, status=201)
        raise ValidationError("No.") if how == "refused" else RuntimeError(how)


class LooseHalfwayView(HalfwayView):
    """Not held by `ATOMIC_REQUESTS`."""

    atomic_requests: ClassVar[bool] = False


urlpatterns = [
    path("halfway/<str:how>/", HalfwayView.as_view(), name="halfway"),
    path("loose/<str:how>/", LooseHalfwayView.as_view(), name="loose"),
    path("api/v1/", include("automate_api.urls")),
    path("api/v1/", include("automate.urls")),
    path("api/v1/modal/", include("automate_modal.urls")),
    path("", include("automate_api.workbench.urls")),
]

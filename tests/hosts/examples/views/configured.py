"""By a setting."""

from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from automate_api.v1.base import ConfigurableMixin


class MyViewSet(ConfigurableMixin, viewsets.ViewSet):
    def list(self, request: Request) -> Response:
        return Response({"page_size": self.get_setting("PAGE_SIZE", 25)})

"""Rows of the caller's tenant."""

from rest_framework import generics, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from automate_api.v1.base import PaginationMixin, TenantFilterMixin
from tests.hosts.examples.models import Project


class ProjectSerializer(serializers.ModelSerializer[Project]):
    class Meta:
        model = Project
        fields = ("id", "name", "organization")
        extra_kwargs = {"organization": {"required": False}}


class MyViewSet(TenantFilterMixin, viewsets.ModelViewSet):
    queryset = Project.objects.all()
    serializer_class = ProjectSerializer
    tenant_field = "organization_id"

    @action(detail=True)
    def letters(self, request: Request, pk: str | None = None) -> Response:
        return Response(list(self.get_object().name))


class PagedViewSet(PaginationMixin, MyViewSet):
    """Pages too."""

    page_size = 1


class ProjectListView(TenantFilterMixin, generics.ListCreateAPIView):
    """A generic view that is no viewset."""

    queryset = Project.objects.all()
    serializer_class = ProjectSerializer
    tenant_field = "organization_id"

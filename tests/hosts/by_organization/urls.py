"""The host's projects, and the package's routes."""

from django.urls import include, path
from rest_framework import serializers
from rest_framework.routers import SimpleRouter

from automate_api.v1.base import BaseModelViewSet, TenantFilterMixin
from tests.hosts.by_organization.models import Project


class ProjectSerializer(serializers.ModelSerializer[Project]):
    class Meta:
        model = Project
        fields = ("id", "name")


class ProjectViewSet(TenantFilterMixin, BaseModelViewSet):
    """Projects of one's organization."""

    queryset = Project.objects.all()
    serializer_class = ProjectSerializer
    tenant_field = "organization_id"


router = SimpleRouter()
router.register("projects", ProjectViewSet)

urlpatterns = [
    path("", include(router.urls)),
    path("api/v1/", include("automate_api.urls")),
    path("api/v1/", include("automate.urls")),
    path("api/v1/modal/", include("automate_modal.urls")),
    path("", include("automate_api.workbench.urls")),
]

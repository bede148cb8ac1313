"""A permission that reads the path and the user."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers, viewsets
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from automate_api.v1.base import BaseModelViewSet, StaffOnlyMixin
from tests.hosts.examples.models import Note


class NoteSerializer(serializers.ModelSerializer[Note]):
    class Meta:
        model = Note
        fields = ("id", "text", "active")


class IsProjectMember(BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        project_id = view.kwargs.get("project_id")
        return bool(request.user.projects.filter(pk=project_id).exists())


class NoteViewSet(BaseModelViewSet):
    queryset = Note.objects.all()
    serializer_class = NoteSerializer
    permission_classes = [IsProjectMember]

    def get_queryset(self) -> QuerySet[Note]:
        return super().get_queryset().filter(project_id=self.kwargs["project_id"])

    def perform_create(self, serializer: serializers.BaseSerializer[Note]) -> None:
        serializer.save(project_id=self.kwargs["project_id"])


class StaffNoteViewSet(StaffOnlyMixin, viewsets.ModelViewSet[Note]):
    """On REST framework's own viewset, where an anonymous user would have no `projects` to read."""

    queryset = Note.objects.all()
    serializer_class = NoteSerializer
    permission_classes = [IsProjectMember]

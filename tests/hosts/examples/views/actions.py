"""Actions."""

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from automate_api.v1.base import BaseModelViewSet
from tests.hosts.examples.models import Note
from tests.hosts.examples.views.projects import NoteSerializer


class MyModelViewSet(BaseModelViewSet):
    queryset = Note.objects.all()
    serializer_class = NoteSerializer
    scope_resource = "notes"

    @action(detail=True, methods=["post"])
    def activate(self, request, pk=None):  # type: ignore[no-untyped-def]
        note = self.get_object()
        note.active = True
        note.save()
        return Response(self.get_serializer(note).data)

    @action(detail=False)
    def stats(self, request: Request) -> Response:
        return Response({"active": self.get_queryset().filter(active=True).count()})

"""A base class of the host's own."""

from django.db.models import QuerySet
from rest_framework.decorators import action
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from automate_api.v1.base import BaseViewSet, StaffOnlyMixin
from tests.hosts.examples.models import Note


class MyAppBaseViewSet(StaffOnlyMixin, BaseViewSet):
    queryset = Note.objects.all()

    def get_queryset(self) -> QuerySet[Note]:
        return super().get_queryset().filter(active=True)


class ActiveNoteViewSet(MyAppBaseViewSet):
    permission_classes = [AllowAny]

    def list(self, request: Request) -> Response:
        return Response([note.text for note in self.get_queryset()])

    @action(detail=True, permission_classes=[AllowAny])
    def read(self, request: Request, pk: str | None = None) -> Response:
        return Response(self.get_object().text)

"""Routes that each break one promise, to prove that the walk would find it; and one that keeps all."""

from typing import Any

import django_filters as filters
from django.urls import path
from rest_framework import serializers
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from automate_api.models import LLMClient, Provider
from automate_api.v1.base import BaseModelViewSet
from automate_api.v1.filters import FilterSet
from automate_api.v1.serializers.fields import ReadableRelatedField
from automate_api.v1.views.domain import DomainMixin


class ClientSerializer(serializers.ModelSerializer[LLMClient]):
    provider = ReadableRelatedField(queryset=Provider.objects.all())

    class Meta:
        model = LLMClient
        fields = ("id", "name", "provider")


class ClientFilterSet(FilterSet):
    class Meta:
        model = LLMClient
        fields = ("provider",)


class Sound(DomainMixin, BaseModelViewSet):
    """LLM clients of a provider, below it and by themselves."""

    queryset = LLMClient.objects.all()
    serializer_class: Any = ClientSerializer
    filterset_class: Any = ClientFilterSet
    scope_resource = "sound"

    def get_queryset(self) -> Any:
        below = self.kwargs.get("provider_pk")
        rows = super().get_queryset()
        return rows if below is None else rows.filter(provider=below)

    def perform_create(self, serializer: Any) -> None:
        serializer.save(owner=self.request.user, model="m", slug=f"made-{LLMClient.objects.count()}")

    def perform_update(self, serializer: Any) -> None:
        if not self.get_actor().is_staff and serializer.instance.owner != self.request.user:
            raise PermissionDenied
        serializer.save()


class ForAnybody(Sound):
    def check_authenticated(self, request: Request) -> None:
        pass

    def check_scope(self, request: Request) -> None:
        pass


class ForAnyKey(Sound):
    def check_scope(self, request: Request) -> None:
        pass


class ForReaders(Sound):
    def perform_update(self, serializer: Any) -> None:
        serializer.save()


class Telling(Sound):
    def get_object(self) -> Any:
        if LLMClient.objects.filter(pk=self.kwargs["pk"]).exists() and not self._is_readable():
            raise PermissionDenied
        return super().get_object()

    def _is_readable(self) -> bool:
        return bool(self.get_queryset().filter(pk=self.kwargs["pk"]).exists())


class Repeating(Sound):
    def get_object(self) -> Any:
        if not self.get_queryset().filter(pk=self.kwargs["pk"]).exists():
            raise NotFound(f"There is no client {self.kwargs['pk']}.")
        return super().get_object()


class Hinting(Sound):
    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["X-Known"] = str(LLMClient.objects.filter(pk=kwargs.get("pk")).exists())
        return response


class Hasty(Sound):
    def get_object(self) -> Any:
        LLMClient.objects.filter(pk=self.kwargs["pk"]).update(name="Seen")
        return super().get_object()


class ForEveryTenant(Sound):
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        rows = ClientSerializer(LLMClient.objects.all(), many=True).data
        return Response({"next": None, "previous": None, "results": rows})


class LookingUp(Sound):
    class filterset_class(FilterSet):  # noqa: N801 - the attribute's name
        provider = filters.ModelChoiceFilter(queryset=Provider.objects.all())

        class Meta:
            model = LLMClient
            fields = ("provider",)


class Trusting(Sound):
    class serializer_class(ClientSerializer):  # noqa: N801 - the attribute's name
        provider = serializers.PrimaryKeyRelatedField(queryset=Provider.objects.all())


class Obeying(Sound):
    def perform_create(self, serializer: Any) -> None:
        super().perform_create(serializer)
        said = self.request.data.get("owner", self.request.user.pk)
        LLMClient.objects.filter(pk=serializer.instance.pk).update(owner=said)


class Careless(Sound):
    def get_queryset(self) -> Any:
        return DomainMixin.get_queryset(self)


class ForStaff(Sound):
    permission_classes = (AllowAny,)


VIEWS = {
    view.__name__.lower(): view
    for view in (
        Sound, ForAnybody, ForAnyKey, ForReaders, ForStaff, Telling, Repeating, Hinting, Hasty, ForEveryTenant,
        LookingUp, Trusting, Obeying, Careless,
    )
}  # fmt: skip

urlpatterns = [
    route
    for name, view in VIEWS.items()
    for route in (
        path(f"{name}/", view.as_view({"get": "list", "post": "create"}), name=f"{name}-list"),
        path(f"{name}/<str:pk>/", view.as_view({"get": "retrieve", "patch": "partial_update"}), name=f"{name}-detail"),
        path(f"{name}/in/<str:provider_pk>/<str:pk>/", view.as_view({"get": "retrieve"}), name=f"{name}-child"),
    )
]

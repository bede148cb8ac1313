"""Views of a host on the package's base classes and mixins, one for each promise."""

from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as ModelValidationError
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django_filters import filters
from rest_framework import exceptions, serializers, viewsets
from rest_framework.authentication import BasicAuthentication
from rest_framework.decorators import action
from rest_framework.filters import SearchFilter
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from automate_api import exceptions as ours
from automate_api.v1.base import (
    BaseAPIView,
    BaseModelViewSet,
    BaseReadOnlyViewSet,
    BaseViewSet,
    ConfigurableMixin,
    PaginationMixin,
    StaffOnlyMixin,
    TenantFilterMixin,
)
from automate_api.v1.filters import FilterSet
from automate_api.v1.parsers import StrictJSONParser
from tests.hosts.shop.models import Item, Project, Task


class ItemSerializer(serializers.ModelSerializer[Item]):
    class Meta:
        model = Item
        fields = ("id", "tenant_id", "name", "kind", "created_at", "rank", "project", "notes")


class ProjectSerializer(serializers.ModelSerializer[Project]):
    class Meta:
        model = Project
        fields = ("id", "name")


class TaskSerializer(serializers.ModelSerializer[Task]):
    class Meta:
        model = Task
        fields = ("id", "name", "project")


class ItemFilterSet(FilterSet):
    rank = filters.RangeFilter()

    class Meta:
        model = Item
        fields = ("kind", "project", "code")


class NotOnMondays(BasePermission):
    """A permission of the host's."""

    message = "Not on Mondays."
    code = "monday"

    def has_permission(self, request: Request, view: Any) -> bool:
        return "X-Monday" not in request.headers


class ItemViewSet(TenantFilterMixin, BaseModelViewSet):
    """Things for sale.

    Override:
        nothing: this line is for developers.
    """

    queryset = Item.objects.all()
    serializer_class = ItemSerializer
    filterset_class = ItemFilterSet
    ordering_fields = ("name", "rank", "created_at")
    scope_resource = "items"
    staff_actions = frozenset({"destroy", "count_all"})
    extra_query_params = ("verbose",)
    permission_classes = (NotOnMondays,)

    @action(detail=True, methods=["post"])
    def run(self, request: Request, pk: str | None = None) -> Response:
        return Response({"ran": self.get_object().pk})

    @action(detail=False, methods=["get"], permission_classes=[AllowAny])
    def count_all(self, request: Request) -> Response:
        return Response({"count": self.filter_queryset(self.get_queryset()).count()})


class OwnQuerysetViewSet(TenantFilterMixin, BaseModelViewSet):
    """Forgets the mixin in every method that it can."""

    serializer_class = ItemSerializer
    scope_resource = "items"

    def get_queryset(self) -> Any:
        return Item.objects.all()

    def perform_create(self, serializer: BaseSerializer[Any]) -> None:
        serializer.save(rank=7)


class TaskViewSet(TenantFilterMixin, BaseModelViewSet):
    """Tenants further up."""

    queryset = Task.objects.all()
    serializer_class = TaskSerializer
    tenant_field = "project.organization_id"
    scope_resource = "tasks"


class PlainProjectViewSet(TenantFilterMixin, PaginationMixin, viewsets.ModelViewSet[Project]):
    """Mixins on REST framework's own views."""

    queryset = Project.objects.all()
    serializer_class = ProjectSerializer
    authentication_classes = (BasicAuthentication,)
    tenant_field = "organization_id"
    page_size = 2
    max_page_size = 3


class PlainStaffViewSet(StaffOnlyMixin, viewsets.ViewSet):
    authentication_classes = (BasicAuthentication,)
    permission_classes = (AllowAny,)

    def get_permissions(self) -> list[Any]:
        return []

    def list(self, request: Request) -> Response:
        return Response([])

    @action(detail=False, permission_classes=[AllowAny])
    def extra(self, request: Request) -> Response:
        return Response([])


class PlainConfigurableViewSet(ConfigurableMixin, viewsets.ViewSet):
    authentication_classes = ()
    permission_classes = ()

    def list(self, request: Request) -> Response:
        return Response({"page_size": self.get_setting("PAGE_SIZE", 25)})


class MyAppBaseViewSet(StaffOnlyMixin, BaseViewSet):
    queryset = Item.objects.all()
    serializer_class = ItemSerializer

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(name__startswith="m")


class StaffItemViewSet(MyAppBaseViewSet):
    permission_classes = (AllowAny,)

    def get_permissions(self) -> list[Any]:
        return []

    def list(self, request: Request) -> Response:
        return Response([item.name for item in self.get_queryset().order_by("name")])

    @action(detail=False, permission_classes=[AllowAny])
    def extra(self, request: Request) -> Response:
        return Response([])


class OpenedViewSet(BaseViewSet):
    """Tries to have no guard at all. It has no `scope_resource` either."""

    permission_classes = (AllowAny,)

    def get_permissions(self) -> list[Any]:
        return []

    def list(self, request: Request) -> Response:
        return Response({"user": request.user.get_username()})

    @action(detail=False, permission_classes=[AllowAny], authentication_classes=[])
    def extra(self, request: Request) -> Response:
        return Response([])


class SearchedViewSet(BaseReadOnlyViewSet):
    """Filters by REST framework's own backend and by `filterset_fields`."""

    queryset = Item.objects.all()
    serializer_class = ItemSerializer
    filter_backends = (*BaseReadOnlyViewSet.filter_backends, SearchFilter)
    search_fields = ("name",)
    filterset_fields = ("sold", "project")
    ordering = ("name",)
    scope_resource = "items"
    page_size = 4
    max_page_size = 5


class EchoView(BaseAPIView):
    """Says what it was sent."""

    parser_classes = (StrictJSONParser, FormParser, MultiPartParser)
    scope_resource = "echo"
    scope_access = "run"

    def get(self, request: Request, **kwargs: Any) -> Response:
        return Response({"correlation_id": request.correlation_id, **kwargs})  # type: ignore[attr-defined]

    def post(self, request: Request, **kwargs: Any) -> Response:
        return Response({"data": request.data})


class BasicView(BaseAPIView):
    """Brings its own authenticator."""

    authentication_classes = (BasicAuthentication,)

    def get(self, request: Request) -> Response:
        return Response({"user": request.user.get_username()})


class StreamView(BaseAPIView):
    scope_resource = "echo"

    def get(self, request: Request) -> StreamingHttpResponse:
        return StreamingHttpResponse(iter([b"data: {}\n\n"]), content_type="text/event-stream")


class PlainResponseView(BaseAPIView):
    def get(self, request: Request) -> HttpResponse:
        return HttpResponse("plain")


class Teapot(exceptions.APIException):
    status_code = 418
    default_detail = "Short and stout."
    default_code = "teapot"


class Bespoke(ours.Conflict):
    """A host's own, below one of ours."""


def _with_extensions() -> ours.AutomateError:
    error = ours.UpstreamBrokeOff()
    error.extensions = {"execution": "abc", "status": "not to be overridden"}
    return error


NESTED = {"name": ["one", "two"], "lines": [{}, {"price": ["three"]}], "non_field_errors": ["four"]}

FAILURES: dict[str, Any] = {
    "invalid": lambda: ours.InvalidInput([ours.FieldError("a.b", "wrong", "Wrong.")]),
    "limited": lambda: ours.RateLimited(retry_after=7),
    "upstream-limited": lambda: ours.UpstreamRateLimited(retry_after=1.2),
    "upstream-unavailable": ours.UpstreamUnavailable,
    "not-configured": ours.NotConfigured,
    "extended": _with_extensions,
    "bespoke": Bespoke,
    "nested": lambda: exceptions.ValidationError(NESTED),
    "bare": lambda: exceptions.ValidationError("Alone."),
    "model": lambda: ModelValidationError({"name": ModelValidationError("Too short.", code="short")}),
    "absent": lambda: Http404("No Item matches id 4711."),
    "rest-absent": exceptions.NotFound,
    "denied": PermissionDenied,
    "too-big": RequestDataTooBig,
    "suspicious": lambda: SuspiciousOperation("secret detail"),
    "bad": lambda: BadRequest("secret detail"),
    "throttled": lambda: exceptions.Throttled(wait=12.1),
    "teapot": Teapot,
}


class FailingView(BaseAPIView):
    """Fails as it is told."""

    def get(self, request: Request, kind: str) -> Response:
        failure: Exception = FAILURES[kind]()
        raise failure

    def post(self, request: Request, kind: str) -> Response:
        Item.objects.create(name="half done")
        request.data  # noqa: B018 - read, so that it is known what was sent
        raise RuntimeError(kind)

"""`artifacts/`: files that callers bring and runs make."""

from http import HTTPStatus
from typing import Any, ClassVar

from django.http import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.mixins import DestroyModelMixin
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from automate_api.models import Artifact
from automate_api.services.artifacts import delete_artifact, signed_url, upload_artifact
from automate_api.v1.base import BaseReadOnlyViewSet
from automate_api.v1.downloads import answer_download
from automate_api.v1.filtersets import ArtifactFilterSet
from automate_api.v1.negotiation import AnyForm
from automate_api.v1.parsers import StrictJSONParser
from automate_api.v1.prefer import location_of, url_of
from automate_api.v1.schema.problems import NO_STORAGE, NOT_A_FORM
from automate_api.v1.serializers.artifacts import ArtifactSerializer, UploadSerializer
from automate_api.v1.uploads import UploadParser
from automate_api.v1.views.domain import DomainMixin, is_asgi

#: For views whose keyword spectacular cannot look up.
ARTIFACT_ID = OpenApiParameter("id", OpenApiTypes.UUID, OpenApiParameter.PATH, description=_("The artifact's id."))

_SENT = {
    "Range": _("One range of bytes, such as `bytes=0-1023`, `bytes=1024-` or `bytes=-500`. Several are passed over."),
    "If-Range": _("An `ETag` or a `Last-Modified`: the range is passed over where the file is another."),
    "If-Match": _("An `ETag`: 412 where the file is another."),
    "If-None-Match": _("An `ETag`: 304 where the file is still this one."),
    "If-Modified-Since": _("A time: 304 where the file is not newer."),
    "If-Unmodified-Since": _("A time: 412 where the file is newer."),
}
_RECEIVED = {
    "ETag": _("The SHA-256 of the file, quoted."),
    "Last-Modified": _("When it was made."),
    "Accept-Ranges": _("`bytes`: parts can be asked for."),
    "Content-Disposition": _("The name to save it under; it is never shown in a browser."),
}
_PART = OpenApiParameter(
    "Content-Range", str, OpenApiParameter.HEADER, description=_("Which bytes, of how many."), response=[206]
)
_BYTES = {"type": "string", "format": "binary", "description": _("The bytes, of the type of the artifact.")}
_EXAMPLE = [OpenApiExample("the bytes", value="(the bytes of greeting.wav)", media_type="*/*")]

#: For `@extend_schema` of a view that sends the file of an artifact.
DOWNLOAD: dict[str, Any] = {
    "parameters": [
        *(OpenApiParameter(name, str, OpenApiParameter.HEADER, description=text) for name, text in _SENT.items()),
        *(
            OpenApiParameter(name, str, OpenApiParameter.HEADER, description=text, response=[200, 206])
            for name, text in _RECEIVED.items()
        ),
        _PART,
        location_of(_("Where the storage has the file, for some minutes."), HTTPStatus.FOUND),
    ],
    "summary": _("Download artifact"),
    "description": _(
        "The file: whole, or one range of it. Where the storage gives signed addresses, the answer leads to one, and "
        "conditions and ranges are for the storage to look at. `Accept` makes no difference."
    ),
    "responses": {
        (200, "*/*"): OpenApiResponse(_BYTES, description=_("The file."), examples=_EXAMPLE),
        (206, "*/*"): OpenApiResponse(_BYTES, description=_("The range."), examples=_EXAMPLE),
        302: OpenApiResponse(description=_("The storage has it, under a signed address.")),
        304: OpenApiResponse(description=_("The file is the one that the caller has.")),
    },
}

#: The errors that it has.
DOWNLOAD_ERRORS = (HTTPStatus.PRECONDITION_FAILED, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, NO_STORAGE)


class DownloadMixin:
    """For views that send the file of an artifact.

    Override:
        get_redirect_url(artifact): where the file is to be had instead of here.
    """

    request: Any

    def get_redirect_url(self, artifact: Artifact) -> str | None:
        """Where to send whoever may read the artifact; None: the file is sent from here.

        The address must be of use for a short time only, since whoever has it has the file.
        """
        return signed_url(artifact)

    def _download(self, artifact: Artifact) -> HttpResponseBase:
        redirect_url = self.get_redirect_url(artifact)
        return answer_download(self.request, artifact, is_async=is_asgi(self.request), redirect_url=redirect_url)


@extend_schema_view(
    list=extend_schema(description=_("Your artifacts, newest first; for staff all of the tenant.")),
    retrieve=extend_schema(description=_("One artifact: what sort of file it is, and where it comes from.")),
    create=extend_schema(
        description=_("Store a file. It is there whole or not at all."),
        parameters=[location_of(_("Where the artifact is."), HTTPStatus.CREATED)],
        request=UploadSerializer,
        responses={201: ArtifactSerializer},
    ),
    destroy=extend_schema(description=_("Delete the artifact and its file.")),
)
class ArtifactViewSet(DownloadMixin, DestroyModelMixin, DomainMixin, BaseReadOnlyViewSet):
    """Artifacts: each caller sees, makes and deletes its own, staff all of the tenant.

    Override:
        perform_upload(file): what stores an upload.
    """

    queryset = Artifact.objects.all()
    serializer_class = ArtifactSerializer
    filterset_class = ArtifactFilterSet
    ordering_fields = ("created_at",)
    scope_resource = "artifacts"
    parser_classes = (UploadParser,)
    # A file cannot be rolled back.
    atomic_requests: ClassVar[bool] = False
    error_statuses: ClassVar[Any] = {"create": (NOT_A_FORM, NO_STORAGE), "download": DOWNLOAD_ERRORS}

    def get_parsers(self) -> list[BaseParser]:
        """`parser_classes` for an upload; whatever else is sent here is JSON or nothing."""
        method = getattr(self.request, "method", None) or ""
        is_upload = (self.action_map or {}).get(method.lower()) == "create"
        return super().get_parsers() if is_upload else [StrictJSONParser()]

    def create(self, request: Request) -> Response:
        """Store a file."""
        upload = UploadSerializer(data=request.data)
        upload.is_valid(raise_exception=True)
        artifact = self.perform_upload(upload.validated_data["file"])
        headers = {"Location": url_of(request, "artifact-detail", artifact)}
        return Response(self.get_serializer(artifact).data, status=HTTPStatus.CREATED, headers=headers)

    def perform_upload(self, file: Any) -> Artifact:
        """Store an upload (`UploadedFile`) for the caller."""
        return upload_artifact(file, actor=self.get_actor(), name=file.name or "", content_type=file.content_type or "")

    def perform_destroy(self, instance: Artifact) -> None:
        """Delete the row, and then the file."""
        delete_artifact(instance)

    @extend_schema(**DOWNLOAD)
    @action(detail=True, methods=["get"], filter_backends=[], pagination_class=None, content_negotiation_class=AnyForm)
    def download(self, request: Request, pk: str | None = None) -> HttpResponseBase:
        """Its file."""
        return self._download(self.get_object())

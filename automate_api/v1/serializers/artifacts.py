"""Artifacts on the wire."""

from typing import Any, ClassVar

from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.utils import html

from automate_api.models import Artifact
from automate_api.v1.serializers.fields import helped
from automate_api.v1.serializers.rows import RowSerializer


class ArtifactSerializer(RowSerializer[Artifact]):
    """One artifact: what sort of file it is, and where it comes from."""

    class Meta:
        model = Artifact
        fields = (
            "id",
            "name",
            "kind",
            "content_type",
            "size",
            "sha256",
            "job",
            "execution",
            "user",
            "created_at",
            "expires_at",
        )
        read_only_fields = fields
        extra_kwargs = helped(
            name=_("As the caller or the run calls it, without what no file should be called by."),
            kind=_("What sort of file it is, by its media type."),
            content_type=_("Its media type, as the caller or the run says; nobody has looked."),
            size=_("Bytes."),
            sha256=_("The SHA-256 of its bytes, in hexadecimal digits."),
            job=_("The job that has made it; null: none, or it is gone."),
            execution=_("The run that has made it; null: it was uploaded, or the run is gone."),
            user=_("Whose it is; null: deleted since."),
            expires_at=_("When it is gone; null: never."),
        )


@extend_schema_field({"type": "string", "format": "binary"})
class OneFileField(serializers.FileField):
    """One file of a form: neither none nor several, nor text."""

    default_error_messages: ClassVar[Any] = {"one_file": _("Send one file.")}

    def get_value(self, dictionary: Any) -> Any:
        """The file, or a list where there are more."""
        sent = dictionary.getlist(self.field_name) if html.is_html_input(dictionary) else []
        return sent if len(sent) > 1 else super().get_value(dictionary)

    def to_internal_value(self, data: Any) -> Any:
        """The file; a ValidationError for anything else."""
        if isinstance(data, list):
            self.fail("one_file")
        return super().to_internal_value(data)


class UploadSerializer(serializers.Serializer[Any]):
    """A file to be stored."""

    file = OneFileField(allow_empty_file=True, help_text=_("The file, with its name and its media type."))

    def validate(self, attrs: Any) -> Any:
        """Refuse files under other names: nobody would find them again."""
        sent: Any = self.initial_data
        others = [name for name in sent if name != "file" and _has_file(sent, name)]
        if others:
            detail = ErrorDetail(str(_("Send one file, as `file`.")), code="one_file")
            raise serializers.ValidationError({name: [detail] for name in others})
        return attrs


def _has_file(sent: Any, name: str) -> bool:
    return any(isinstance(value, UploadedFile) for value in sent.getlist(name))

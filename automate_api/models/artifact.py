"""Artifacts: files that callers bring and runs make."""

import logging
from functools import partial
from typing import Any, ClassVar, Self

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import models, transaction
from django.db.models.signals import post_delete
from django.utils.translation import gettext_lazy as _

from automate_api.ids import uuid7
from automate_api.models.execution import Execution
from automate_api.models.job import Job
from automate_api.models.now import Now
from automate_api.models.tenant import Actor, OwnedQuerySet, TenantModel

logger = logging.getLogger(__name__)


class ArtifactQuerySet(OwnedQuerySet):
    """Artifacts by whether their time is over; the database's clock decides."""

    def readable_by(self, actor: Actor) -> Self:
        """Those of the actor whose time is not over: an expired one is gone, whether or not it has been deleted yet."""
        return super().readable_by(actor).filter(models.Q(expires_at__isnull=True) | models.Q(expires_at__gt=Now()))

    def expired(self) -> Self:
        """Those whose time is over."""
        return self.filter(expires_at__lte=Now())


class Artifact(TenantModel):
    """One file, whole: its row is made after its last byte was stored."""

    class Kind(models.TextChoices):
        """What sort of file it is, by its content type."""

        AUDIO = "audio", _("audio")
        IMAGE = "image", _("image")
        TEXT = "text", _("text")
        VIDEO = "video", _("video")
        FILE = "file", _("other file")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, verbose_name=_("user"), null=True, related_name="+"
    )
    execution = models.ForeignKey(
        Execution, models.SET_NULL, verbose_name=_("execution"), null=True, related_name="artifacts"
    )
    job = models.ForeignKey(Job, models.SET_NULL, verbose_name=_("job"), null=True, related_name="artifacts")
    name = models.CharField(_("name"), max_length=255)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices)
    content_type = models.CharField(_("content type"), max_length=127)
    size = models.PositiveBigIntegerField(_("size"), help_text=_("Bytes."))
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    # Its name in the storage says nothing, neither of the caller nor to a server that would guess a type from it.
    file = models.FileField(_("file"), max_length=200, unique=True, editable=False)
    expires_at = models.DateTimeField(_("expires at"), null=True)

    objects: ClassVar[Any] = ArtifactQuerySet.as_manager()

    class Meta:
        verbose_name = _("artifact")
        verbose_name_plural = _("artifacts")
        ordering = ("-created_at", "-pk")
        indexes = (
            models.Index(fields=("tenant_id", "-created_at", "-id"), name="automate_artifact_list"),
            models.Index(fields=("tenant_id", "user", "-created_at", "-id"), name="automate_artifact_mine"),
            models.Index(
                fields=("expires_at",), name="automate_artifact_expiry", condition=models.Q(expires_at__isnull=False)
            ),
        )

    def __str__(self) -> str:
        return self.name


def _delete_file(instance: Artifact, using: str, **kwargs: Any) -> None:
    """However a row is deleted, its file goes with it: once that is committed, so that no row loses its file."""
    if instance.file:
        transaction.on_commit(partial(discard_file, str(instance.file.name)), using=using)


def discard_file(name: str) -> None:
    """Delete a file from the storage; where that fails, `manage.py check_artifacts` finds it later."""
    try:
        default_storage.delete(name)
    except Exception as exc:  # noqa: BLE001 - storages raise anything
        logger.error("The file %s could not be deleted: %s", name, type(exc).__name__)


post_delete.connect(_delete_file, sender=Artifact, dispatch_uid="automate_api.artifact")

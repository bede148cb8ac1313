"""What endpoints and LLM clients were at each of their versions: a run is pinned to one, and can be run again.

Rows are written whenever an endpoint or an LLM client is saved, whoever saves it.
"""

from typing import Any, ClassVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.signals import post_save
from django.utils.translation import gettext_lazy as _

from automate_api.models.endpoint import Endpoint
from automate_api.models.llm_client import LLMClient


class Version(models.Model):
    """Abstract: the columns of a row, as they were at one version. They never change."""

    columns: ClassVar[tuple[str, ...]] = ()

    version = models.PositiveIntegerField(_("version"))
    snapshot = models.JSONField(_("snapshot"), encoder=DjangoJSONEncoder)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        abstract = True

    @classmethod
    def values_of(cls, row: models.Model) -> dict[str, Any]:
        """What is kept of `row`."""
        return {name: getattr(row, name) for name in cls.columns}


class EndpointVersion(Version):
    """An endpoint at one version."""

    columns = ("slug", "task_types", "llm_client_id", "config", "input_schema", "default_params")

    endpoint = models.ForeignKey(Endpoint, models.CASCADE, verbose_name=_("endpoint"), related_name="versions")

    class Meta:
        verbose_name = _("endpoint version")
        verbose_name_plural = _("endpoint versions")
        ordering = ("-version",)
        constraints = (models.UniqueConstraint(fields=("endpoint", "version"), name="automate_endpointversion"),)

    def __str__(self) -> str:
        return f"{self.endpoint_id} v{self.version}"


class LLMClientVersion(Version):
    """An LLM client at one version."""

    columns = ("slug", "provider_id", "model", "system_prompt", "temperature", "max_tokens", "parameters", "tools")

    llm_client = models.ForeignKey(LLMClient, models.CASCADE, verbose_name=_("LLM client"), related_name="versions")

    class Meta:
        verbose_name = _("LLM client version")
        verbose_name_plural = _("LLM client versions")
        ordering = ("-version",)
        constraints = (models.UniqueConstraint(fields=("llm_client", "version"), name="automate_llmclientversion"),)

    def __str__(self) -> str:
        return f"{self.llm_client_id} v{self.version}"


def keep_endpoint(sender: Any, instance: Endpoint, raw: bool = False, **kwargs: Any) -> None:
    """Receiver of `post_save`: keep the endpoint's version."""
    if not raw:
        kept = {"snapshot": EndpointVersion.values_of(instance)}
        EndpointVersion.objects.update_or_create(kept, endpoint=instance, version=_version_of(instance))


def keep_llm_client(sender: Any, instance: LLMClient, raw: bool = False, **kwargs: Any) -> None:
    """Receiver of `post_save`: keep the LLM client's version."""
    if not raw:
        kept = {"snapshot": LLMClientVersion.values_of(instance)}
        LLMClientVersion.objects.update_or_create(kept, llm_client=instance, version=_version_of(instance))


def _version_of(instance: Any) -> int:
    """The version as it is stored: whoever counts it up does so in the database."""
    if isinstance(instance.version, int):
        return instance.version
    version: int = type(instance).objects.values_list("version", flat=True).get(pk=instance.pk)
    return version


post_save.connect(keep_endpoint, sender=Endpoint, dispatch_uid="automate_api.keep_endpoint")
post_save.connect(keep_llm_client, sender=LLMClient, dispatch_uid="automate_api.keep_llm_client")

"""Prompt logs: what was said to a model, and what it said."""

from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import connections, models
from django.utils.translation import gettext_lazy as _

from automate_api.ids import uuid7
from automate_api.models.execution import Execution
from automate_api.models.tenant import OwnedQuerySet, TenantModel


class PromptLogQuerySet(OwnedQuerySet):
    """Prompt logs, which are found by the beginnings of their keys too."""

    def with_prefix(self, prefix: str) -> Self:
        """Those whose key begins with `prefix`, letter by letter: a range of the index of keys."""
        if connections[self.db].vendor != "sqlite":
            return self.filter(log_key__startswith=prefix)
        # LIKE takes `a` for `A` there and reads every row. Its index is in the order of code points.
        rows, end = self.filter(log_key__gte=prefix), _after(prefix)
        return rows if end is None else rows.filter(log_key__lt=end)


def _after(prefix: str) -> str | None:
    """The least text, in the order of code points, that is above all that begin with `prefix`; None: there is none."""
    head = prefix.rstrip("\U0010ffff")
    if not head:
        return None
    following = ord(head[-1]) + 1
    # Surrogates are no characters.
    return head[:-1] + chr(0xE000 if following == 0xD800 else following)


class PromptLog(TenantModel):
    """The conversation of one execution, redacted before it was stored."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, verbose_name=_("user"), null=True, related_name="+"
    )
    execution = models.OneToOneField(Execution, models.CASCADE, verbose_name=_("execution"), related_name="prompt_log")
    log_key = models.CharField(_("log key"), max_length=128)
    system = models.TextField(_("system prompt"), blank=True)
    history = models.JSONField(_("history"), default=list)
    response = models.TextField(_("response"), blank=True)
    model = models.CharField(_("model"), max_length=200, blank=True)
    provider = models.CharField(_("provider"), max_length=64, blank=True)
    usage = models.JSONField(_("usage"), null=True)

    objects: ClassVar[Any] = PromptLogQuerySet.as_manager()

    class Meta:
        verbose_name = _("prompt log")
        verbose_name_plural = _("prompt logs")
        ordering = ("-created_at", "-pk")
        constraints = (
            models.UniqueConstraint(
                fields=("tenant_id", "log_key"),
                name="automate_promptlog_key",
                # PostgreSQL orders by its language otherwise, and finds no prefix by that.
                opclasses=("varchar_ops", "varchar_pattern_ops"),
            ),
        )
        indexes = (
            models.Index(fields=("tenant_id", "-created_at", "-id"), name="automate_promptlog_list"),
            models.Index(fields=("created_at",), name="automate_promptlog_age"),
        )

    def __str__(self) -> str:
        return self.log_key

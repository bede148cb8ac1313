"""Maintenance mode: on while there is a row, for every process that reads this table."""

from django.db import models
from django.utils.translation import gettext_lazy as _

#: The id of the one row there may be.
ONLY = 1


class Maintenance(models.Model):
    """That maintenance goes on. It is the whole installation's, and of no tenant."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY, editable=False)
    retry_after = models.PositiveIntegerField(
        _("retry after"), help_text=_("Seconds after which callers are told to come back.")
    )
    since = models.DateTimeField(_("since"), auto_now_add=True)

    class Meta:
        verbose_name = _("maintenance")
        verbose_name_plural = _("maintenance")
        constraints = (models.CheckConstraint(condition=models.Q(id=ONLY), name="automate_maintenance_one"),)

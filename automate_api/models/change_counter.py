"""How often something has changed, for processes without a cache that they share."""

from collections.abc import Sequence

from django.db import connections, models, router, transaction
from django.utils.translation import gettext_lazy as _


class ChangeCounter(models.Model):
    """How often what lies under one scope has changed; nothing under a scope without a row has."""

    scope = models.CharField(_("scope"), max_length=200, primary_key=True)
    version = models.PositiveBigIntegerField(_("version"), default=0)

    class Meta:
        verbose_name = _("change counter")
        verbose_name_plural = _("change counters")

    @classmethod
    def count_up(cls, scopes: Sequence[str], *, using: str | None = None) -> None:
        """Count each scope up, in one statement that holds their rows until the transaction ends.

        They are taken in one order, whatever order `scopes` has, so that two who name the same ones wait for each
        other and not in a circle.
        """
        connection = connections[using or router.db_for_write(cls)]
        quote, rows = connection.ops.quote_name, sorted(set(scopes))
        table, scope, version = (quote(name) for name in (cls._meta.db_table, "scope", "version"))
        # Names of our own, quoted. The ORM's upsert cannot say "one more than what is there".
        text = (
            f"INSERT INTO {table} ({scope}, {version}) VALUES {', '.join(['(%s, 1)'] * len(rows))} "  # noqa: S608
            f"ON CONFLICT ({scope}) DO UPDATE SET {version} = {table}.{version} + 1"
        )
        with transaction.mark_for_rollback_on_error(using=connection.alias), connection.cursor() as cursor:
            cursor.execute(text, rows)

"""`manage.py rotate_secrets`: put every stored secret under the first of `AUTOMATE_API_ENCRYPTION_KEYS`."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext_lazy as _

from automate_api.management.progress import progress
from automate_api.services.secrets import count_secrets, rotate_secrets, secret_columns


class Command(BaseCommand):
    """Add the new key in front, run this, then remove the old key."""

    help = str(
        _("Encrypt every stored secret under the first of AUTOMATE_API_ENCRYPTION_KEYS. Interrupted, start it again.")
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate column by column, and say for each how many secrets changed."""
        for model, field in secret_columns():
            label = f"{model._meta.label}.{field.name}"  # noqa: SLF001 - Django's public _meta
            total = count_secrets(model, field)
            try:
                changed = sum(progress(rotate_secrets(model, field), total=total, label=label, stream=self.stderr))
            except ImproperlyConfigured as exc:
                raise CommandError(f"{label}: {exc}") from exc
            self.stdout.write(f"{label}: {changed} of {total} put under the first key")

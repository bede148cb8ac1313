"""Maintenance mode: begin it, end it, and refuse what is asked for meanwhile.

It is on where `AUTOMATE_API_MAINTENANCE` says so, and from `begin_maintenance` to `end_maintenance` in every process
that shares the database.
"""

from django.db import router

from automate_api.conf import settings
from automate_api.exceptions import UnderMaintenance
from automate_api.models import Maintenance
from automate_api.models.maintenance import ONLY
from automate_api.models.prepared import PreparedSelect

_rows = PreparedSelect(Maintenance, by=("id",))


def begin_maintenance(*, retry_after: int | None = None) -> None:
    """Switch it on, or change what callers are told; at once, for every process. One statement.

    Args:
        retry_after: seconds after which callers are told to come back; None: those of the setting.
    """
    seconds = settings.maintenance_retry_after if retry_after is None else retry_after
    Maintenance.objects.bulk_create(
        [Maintenance(retry_after=seconds)],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["retry_after"],
    )


def end_maintenance() -> None:
    """Switch off what `begin_maintenance` switched on. The setting stays as it is."""
    Maintenance.objects.filter(pk=ONLY).delete()


def seconds_to_wait() -> int | None:
    """After how many seconds callers are told to come back; None while there is no maintenance. At most one query."""
    if settings.maintenance:
        return settings.maintenance_retry_after
    # Not of a replica, which may not know yet.
    row = _rows.get(ONLY, using=router.db_for_write(Maintenance))
    return None if row is None else row.retry_after


def require_no_maintenance() -> None:
    """Pass while there is no maintenance.

    Raises:
        UnderMaintenance: there is.
    """
    seconds = seconds_to_wait()
    if seconds is not None:
        raise UnderMaintenance(retry_after=seconds)

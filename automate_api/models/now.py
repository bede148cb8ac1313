"""The database's time."""

from typing import Any

from django.conf import settings
from django.db.models import functions


class Now(functions.Now):
    """The database's time as its columns hold times, also on SQLite where `USE_TZ` is off.

    Django's own is UTC there, while what Python stores is in the zone of `TIME_ZONE`.
    """

    def as_sqlite(self, compiler: Any, connection: Any, **extra_context: Any) -> Any:
        """SQLite's time, in the zone that Django gave the process where it stores times without one."""
        if settings.USE_TZ:
            return super().as_sqlite(compiler, connection, **extra_context)
        template = "STRFTIME('%%%%Y-%%%%m-%%%%d %%%%H:%%%%M:%%%%f', 'NOW', 'localtime')"
        return self.as_sql(compiler, connection, template=template, **extra_context)

"""What there is, before and after: every row of our tables, and every call to the model server."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.db import connection

from tests.walk.operations import PACKAGES

_BESIDE = {"auth.user", "auth.group", "auth.user_groups", "sessions.session"}
_READING = ("SELECT", "EXPLAIN", "SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "SET", "PRAGMA")


def tables() -> list[Any]:
    """The models of the packages, and those of Django that a request of ours could change."""
    models = apps.get_models(include_auto_created=True)
    packages = {config.label for config in apps.get_app_configs() if config.name.split(".")[0] in PACKAGES}
    return [model for model in models if model._meta.app_label in packages or model._meta.label_lower in _BESIDE]


def snapshot() -> dict[str, list[dict[str, Any]]]:
    """Every row of every one of these tables, column by column."""
    return {model._meta.label: list(model._base_manager.order_by("pk").values()) for model in tables()}


class Watch:
    """Tells cheaply whether anything changed: it reads the tables again only after a statement that may write."""

    def __init__(self) -> None:
        self._known = snapshot()
        self._written = False

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look at the statements of this connection."""
        with connection.execute_wrapper(self._look):
            yield

    def is_unchanged(self) -> bool:
        """Whether all rows are as they were when last looked at; from here on as they are now."""
        if not self._written:
            return True
        self._written, before = False, self._known
        self._known = snapshot()
        return before == self._known

    def _look(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not sql.lstrip("( ").upper().startswith(_READING):
            self._written = True
        return execute(sql, params, many, context)

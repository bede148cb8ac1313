"""Prompt logs as a zip file, written while it is sent."""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from django.db import Error
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from automate_api.exceptions import ErrorCode, FieldError, NotFound, Unprocessable
from automate_api.models import PromptLog
from automate_api.services.entry_names import EntryNames
from automate_api.services.prompt_text import history_text

logger = logging.getLogger(__name__)

#: How many logs an archive may have, and how old they may be.
MAX_LOGS, MAX_AGE = 1000, timedelta(days=30)

#: About how many bytes are written before they are sent.
PAGE_BYTES = 128 * 1024

# What stands in the entry of a log that is not there: it is the same in every language.
_REFUSED = f"{ErrorCode.PERMISSION_DENIED}: You may not read this log."
_UNREADABLE = f"{ErrorCode.INTERNAL_ERROR}: This log could not be read."

# A zip file knows no others.
_FIRST_YEAR, _LAST_YEAR = 1980, 2107
_UNIX, _PRIVATE_FILE = 3, 0o100600 << 16


def open_prompt_archive(logs: Any, *, prefix: str, may_read: Callable[[PromptLog], bool]) -> Iterator[bytes]:
    """A zip file of those of `logs` whose key begins with `prefix`, made in the last 30 days, in order of their keys.

    Which those are is found out at once; what they say is read while the file is read, log by log. Nothing is held
    between two pages: neither a cursor nor a transaction. The same logs give the same bytes.

    Each log has two entries, `{key}-system` and `{key}-history` (see `history_text`), or, if the reader may not read it
    or it alone cannot be read, one, `{key}-error`. `EntryNames` makes names of the keys.

    Args:
        logs: a queryset of `PromptLog`: those that the caller may know of.
        prefix: compared letter by letter; nothing in it stands for anything else.
        may_read: asked of every log; what it raises makes an `-error` entry.

    Raises:
        Unprocessable: there is no prefix, or more than 1000 logs have it.
        NotFound: no log has it.

    Reading on raises what the database does, and then the file is not complete, nor a valid one.
    """
    return _pages(logs, _choose(logs, prefix), may_read)


@dataclass(frozen=True, slots=True)
class _Chosen:
    id: UUID
    key: str
    created_at: datetime


def _choose(logs: Any, prefix: str) -> list[_Chosen]:
    if not prefix:
        raise _unprocessable("required", _("Say how the keys of the logs begin."))
    recent = logs.with_prefix(prefix).filter(created_at__gte=timezone.now() - MAX_AGE)
    # In no order: one that the database were to make would take it through all of them.
    found = recent.order_by().values_list("pk", "log_key", "created_at")[: MAX_LOGS + 1]
    chosen = sorted((_Chosen(*row) for row in found), key=lambda row: (row.key, row.id))
    if not chosen:
        raise NotFound
    if len(chosen) > MAX_LOGS:
        raise _unprocessable("too_many", _("More than 1000 logs have a key that begins so. Make the prefix longer."))
    return chosen


def _unprocessable(code: str, detail: Any) -> Unprocessable:
    return Unprocessable([FieldError("prefix", code, str(detail))], detail)


def _pages(logs: Any, chosen: list[_Chosen], may_read: Callable[[PromptLog], bool]) -> Iterator[bytes]:
    sink, names = _Sink(), EntryNames()
    # Not in a `with`, which would complete the file after a failure too.
    archive = ZipFile(sink, "w", ZIP_DEFLATED)  # type: ignore[call-overload]  # it needs no more of a file than this
    for number, row in enumerate(chosen):
        name = names.name(row.key)
        for kind, text in _entries(logs, row, may_read).items():
            archive.writestr(_entry(f"{name}-{kind}", row.created_at), text.encode("utf-8", "replace"))
        # The first is sent at once, so that a reader sees that it begins.
        if sink.size >= PAGE_BYTES or not number:
            yield sink.take()
    archive.close()
    yield sink.take()


def _entries(logs: Any, row: _Chosen, may_read: Callable[[PromptLog], bool]) -> Mapping[str, str]:
    try:
        log = logs.get(pk=row.id)
        if not may_read(log):
            return {"error": _REFUSED}
        return {"system": log.system, "history": history_text(log.history)}
    except (Error, MemoryError):
        # It is not this log that fails.
        raise
    except Exception as exc:  # noqa: BLE001 - a host's permission raises anything, and stored JSON may be none
        logger.error("A prompt log could not be put into an archive: %s", type(exc).__name__)
        return {"error": _UNREADABLE}


def _entry(name: str, created_at: datetime) -> ZipInfo:
    moment = created_at.astimezone(UTC) if timezone.is_aware(created_at) else created_at
    year = min(max(moment.year, _FIRST_YEAR), _LAST_YEAR)
    entry = ZipInfo(name, (year, *moment.timetuple()[1:6]))
    entry.compress_type, entry.create_system, entry.external_attr = ZIP_DEFLATED, _UNIX, _PRIVATE_FILE
    return entry


class _Sink:
    """Where a zip file is written that cannot be sought in: what was taken is gone."""

    def __init__(self) -> None:
        self._written: list[bytes] = []
        self.size = 0

    def write(self, data: bytes) -> int:
        self._written.append(data)
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        """There is nowhere to."""

    def take(self) -> bytes:
        """What has been written since."""
        data = b"".join(self._written)
        self._written.clear()
        self.size = 0
        return data

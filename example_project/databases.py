"""A database of Django's settings from one URL."""

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

SQLITE_OPTIONS = {
    # Readers beside one writer, and a writer that takes its lock at the start of its transaction and so waits for its
    # turn instead of failing halfway.
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    "timeout": 20,
    "transaction_mode": "IMMEDIATE",
}


def sqlite(path: Path | str) -> dict[str, Any]:
    """SQLite in the file `path`, or `":memory:"`."""
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(path), "OPTIONS": dict(SQLITE_OPTIONS)}


def database(url: str) -> dict[str, Any]:
    """The database at `sqlite:///relative`, `sqlite:////absolute` or `postgres://user:password@host:port/name`.

    Raises ValueError for another scheme.
    """
    parts = urlsplit(url)
    name = unquote(parts.path.removeprefix("/"))
    if parts.scheme == "sqlite":
        return sqlite(name or ":memory:")
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ValueError(f"Unknown database scheme {parts.scheme!r}: use sqlite:// or postgres://")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
    }

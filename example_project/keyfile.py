"""The example host's secrets: from the environment, else made once and kept in a file only its owner reads."""

import json
import os
import secrets
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from cryptography.fernet import Fernet

_MAKERS: Mapping[str, Callable[[], str]] = {
    "secret_key": lambda: secrets.token_urlsafe(48),
    "encryption_key": lambda: Fernet.generate_key().decode(),
    "signing_key": lambda: secrets.token_urlsafe(48),
}


def load_or_make(path: Path, *names: str) -> dict[str, str]:
    """The secrets in `path`, those of these names. Made at first, by whichever process comes first."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        made = {name: _MAKERS[name]() for name in names}
        descriptor, draft = tempfile.mkstemp(dir=path.parent)  # readable by this user alone
        with os.fdopen(descriptor, "w") as file:
            json.dump(made, file)
        try:
            os.link(draft, path)  # unlike a rename, this fails where another process was quicker
        except FileExistsError:
            pass
        finally:
            Path(draft).unlink()
    loaded: dict[str, str] = json.loads(path.read_text())
    return loaded

"""The example host's secrets: from the environment, else made once and kept in a file only its owner reads."""

import json
import os
import secrets
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet


def load_or_make(path: Path) -> dict[str, str]:
    """The secrets in `path`: `secret_key` and `encryption_key`. Made at first, by whichever process comes first."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        made = {"secret_key": secrets.token_urlsafe(48), "encryption_key": Fernet.generate_key().decode()}
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

"""A storage that can be held up between a file and its row."""

import os
import time
from pathlib import Path
from typing import Any

from django.core.files.storage import FileSystemStorage


class HeldUpStorage(FileSystemStorage):
    """Stores as ever, and then waits for as long as there is a file named by `SERVED_HOLD_UP`."""

    def _save(self, name: str, content: Any) -> str:
        stored: str = super()._save(name, content)
        while Path(os.environ["SERVED_HOLD_UP"]).exists():
            time.sleep(0.02)
        return stored

"""What the benchmarks need beside the package."""

import sys
from importlib.util import find_spec

_MODULES = ("httptools", "httpx", "psutil", "psycopg_pool", "uvloop", "gunicorn", "uvicorn", "granian")


def require() -> None:
    """Exit with the remedy where something is missing."""
    missing = [name for name in _MODULES if find_spec(name) is None]
    if missing:
        print(f"Missing: {', '.join(missing)}.\nInstall the benchmarks' extra: .venv/bin/pip install -e '.[bench]'")
        sys.exit(2)

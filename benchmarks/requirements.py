"""What the benchmarks need beside the package."""

import sys
from importlib.util import find_spec


def require(*modules: str) -> None:
    """Exit with the remedy where one of `modules` is missing."""
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        print(f"Missing: {', '.join(missing)}.\nInstall the benchmarks' extra: .venv/bin/pip install -e '.[bench]'")
        sys.exit(2)

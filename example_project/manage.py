#!/usr/bin/env python
"""Django's command line for the example host; runs from any folder."""

import os
import sys
from pathlib import Path

from django.core.management import execute_from_command_line


def main() -> None:
    """Run the command in `sys.argv`."""
    folder = Path(__file__).resolve().parent
    # Python puts this file's own folder first; the packages are found from the one above it.
    sys.path[:] = [str(folder.parent), *(entry for entry in sys.path if entry != str(folder))]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_project.settings")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()

"""`python -m tests.hosts` under a host's `DJANGO_SETTINGS_MODULE`: the story there, as JSON."""

import json
import sys

import django

if __name__ == "__main__":
    django.setup()
    from tests.hosts.story import tell

    json.dump(tell(), sys.stdout)

"""`python scripts/check_schema.py SETTINGS`: the OpenAPI schema of one host, in both versions, without a warning.

By the package's generator, and also by drf-spectacular's own where the host's views are described by drf-spectacular.
"""

import os
import sys
from pathlib import Path

import django
from django.core.management import call_command

OURS = "automate_api.v1.schema.SchemaGenerator"


def main(settings_module: str) -> None:
    """Exit with an error where a schema is invalid or has a warning."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    os.environ["DJANGO_SETTINGS_MODULE"] = settings_module
    django.setup()
    # These read the settings.
    from drf_spectacular.openapi import AutoSchema  # noqa: PLC0415
    from drf_spectacular.settings import patched_settings  # noqa: PLC0415
    from rest_framework.settings import api_settings  # noqa: PLC0415

    describes = issubclass(api_settings.DEFAULT_SCHEMA_CLASS, AutoSchema)
    for version in ("3.0.3", "3.1.1"):
        for generator in [OURS, *([None] if describes else [])]:
            print(f"==> OpenAPI {version} of {settings_module}, {generator or 'the usual generator'}", flush=True)
            with patched_settings({"OAS_VERSION": version}):
                call_command(
                    "spectacular", validate=True, fail_on_warn=True, file=os.devnull, generator_class=generator
                )


if __name__ == "__main__":
    main(sys.argv[1])

"""`python -m tests.hosts.served.seed`: migrate, make two tenants' users with keys, print them as JSON."""

import json
import os

import django
from django.core.management import call_command


def seed() -> dict[str, str]:
    """`{"<tenant>-<role>": key}` for the tenants acme and globex and the roles staff and member."""
    # Models can be imported only after django.setup().
    from django.contrib.auth import get_user_model  # noqa: PLC0415

    from automate_api.services.api_keys import issue_key  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    keys = {}
    for tenant in ("acme", "globex"):
        for role in ("staff", "member"):
            name = f"{tenant}-{role}"
            user = get_user_model().objects.create_user(name, password=name, is_staff=role == "staff")
            keys[name] = issue_key(tenant_id=tenant, user=user, name=name, scopes=["*"])[1]
    get_user_model().objects.create_superuser("root", password="root")
    return keys


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.hosts.served.settings"
    django.setup()
    print(json.dumps(seed()))

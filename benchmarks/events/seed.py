"""`python -m benchmarks.events.seed`: make the tables and a user; print its token and its API key as JSON."""

import json

import django
from django.core.management import call_command

TENANT = "bench"


def seed() -> dict[str, str]:
    """An empty database with one user, whose key may write events and nothing else."""
    from django.contrib.auth.models import User  # noqa: PLC0415 - models load after django.setup()
    from rest_framework.authtoken.models import Token  # noqa: PLC0415

    from automate_api.services.api_keys import issue_key  # noqa: PLC0415
    from benchmarks.events.models import require_equal_tables  # noqa: PLC0415

    require_equal_tables()
    # The others' tables refer to the users', which migrations make.
    call_command("migrate", verbosity=0)
    call_command("migrate", run_syncdb=True, verbosity=0)
    user = User.objects.create_user("bench", last_name=TENANT)
    key = issue_key(tenant_id=TENANT, user=user, name="bench", scopes=["events:write"])[1]
    return {"token": Token.objects.create(user=user).key, "key": key}


if __name__ == "__main__":
    django.setup()
    print(json.dumps(seed()))

"""`python -m benchmarks.events.stored`: print how many rows the tables hold, as JSON."""

import json

import django


def stored() -> dict[str, int]:
    """Events by contender, and the jobs that handlers wait for."""
    from automate_api.models import Event, Job  # noqa: PLC0415 - models load after django.setup()
    from benchmarks.events.models import NinjaEvent, PlainEvent  # noqa: PLC0415

    tables = {"automate": Event, "plain": PlainEvent, "ninja": NinjaEvent, "jobs": Job}
    return {name: model.objects.count() for name, model in tables.items()}


if __name__ == "__main__":
    django.setup()
    print(json.dumps(stored()))

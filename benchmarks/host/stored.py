"""`python -m benchmarks.host.stored`: print how many runs the database holds, as JSON."""

import json

import django


def stored() -> dict[str, int]:
    """`executions`, those of them that `succeeded`, `unfinished` ones, and `prompt_logs`."""
    from automate_api.models import Execution, PromptLog  # noqa: PLC0415 - models load after django.setup()

    rows = Execution.objects
    return {
        "executions": rows.count(),
        "succeeded": rows.filter(status=Execution.Status.SUCCEEDED).count(),
        "unfinished": rows.filter(status__in=Execution.UNFINISHED).count(),
        "prompt_logs": PromptLog.objects.count(),
    }


if __name__ == "__main__":
    django.setup()
    print(json.dumps(stored()))

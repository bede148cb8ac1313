"""What the OpenAPI description says of workflows besides what serializers say: tags and examples."""

from django.utils.translation import gettext_lazy as _

from automate_api.v1.schema.examples import EXAMPLES
from automate_api.v1.schema.generator import TAGS

TAGS |= {
    "workflows": _("What happens by itself: a condition and a graph of steps."),
    "workflow-runs": _("What has happened by itself, step by step, and what waits for somebody."),
    "triggers": _("What starts workflows: events, hooks, schedules, and changes of models."),
    "hooks": _("Where others call to start workflows."),
    "rules": _("Expressions that decide, and why they decide so."),
}

_CREATED, _UPDATED = "2026-01-31T12:00:00.000000Z", "2026-01-31T12:05:00.000000Z"
_STARTED, _FINISHED = "2026-01-31T12:10:00.120000Z", "2026-01-31T12:10:02.480000Z"
_RUN, _EVENT = "01a0b1c2-d600-7a3d-8e4f-5a6b7c8d9e0f", "01a0b1c2-d3e6-7b21-8d4e-7c8e9fa0b1c2"
_EXECUTION = "01a0b1c2-d3e4-7f56-8a9b-0c1d2e3f4a5b"

_DEFINITION = {
    "condition": "event.payload.total > 100.0",
    "steps": [
        {
            "name": "ask",
            "type": "endpoint",
            "with": {"endpoint": "triage", "input": {"cel": "event.payload.text"}},
            "next": ["decide"],
        },
        {
            "name": "decide",
            "type": "branch",
            "with": {"cases": [{"when": "steps.ask.output.text == 'refund'", "next": "approve"}]},
        },
        {"name": "approve", "type": "approval", "with": {"message": "Refund it?"}},
    ],
    "output": {"cel": "steps.ask.output.text"},
}
_WORKFLOW = {
    "id": 4,
    "name": "Large orders",
    "slug": "large-orders",
    "description": "Looks at large orders before they are sent.",
    "enabled": True,
    "definition": _DEFINITION,
    "secrets": {"shop": "Bearer of-the-shop"},
    "secret_names": ["shop"],
    "owner": 5,
    "version": 2,
    "created_at": _CREATED,
    "updated_at": _UPDATED,
}
_STEP = {
    "path": "ask",
    "name": "ask",
    "type": "endpoint",
    "status": "succeeded",
    "input": {"input": "My order is broken."},
    "output": {"text": "refund"},
    "error": None,
    "taken": ["decide"],
    "tries": 1,
    "execution": _EXECUTION,
    "wakes_at": None,
    "waits_for": "",
    "user": None,
    "created_at": _STARTED,
    "finished_at": _FINISHED,
}
_RUN_SHOWN = {
    "id": _RUN,
    "workflow": 4,
    "version": 2,
    "trigger": 6,
    "event": _EVENT,
    "execution": None,
    "status": "waiting",
    "context": {
        "id": _EVENT,
        "type": "order.paid",
        "source": "shop",
        "payload": {"order": 4711, "total": 159.9, "text": "My order is broken."},
        "occurred_at": "2026-01-31T11:59:58+00:00",
        "correlation_id": "order-4711",
    },
    "output": None,
    "error": None,
    "depth": 1,
    "replay_of": None,
    "user": 7,
    "correlation_id": "order-4711",
    "created_at": _STARTED,
    "finished_at": None,
}
_HOOK = {
    "id": 6,
    "workflow": 4,
    "name": "From the shop",
    "kind": "hook",
    "enabled": True,
    "pattern": "",
    "schedule": "",
    "time_zone": "UTC",
    "catch_up": "all",
    "next_due": None,
    "signature": "standard-webhooks",
    "has_signing_secret": True,
    "last_fired_at": _STARTED,
    "last_error": "",
    "created_at": _CREATED,
    "updated_at": _UPDATED,
}

EXAMPLES |= {
    "AutomateWorkflow": _WORKFLOW,
    "AutomatePatchedWorkflow": {"enabled": False},
    "AutomateWorkflowVersion": {"version": 2, "definition": _DEFINITION, "user": 5, "created_at": _UPDATED},
    "AutomateWorkflowInput": {"input": {"order": 4711, "total": 159.9, "text": "My order is broken."}},
    "AutomateValidationRequest": {"definition": _DEFINITION},
    "AutomateStoredValidationRequest": {"definition": _DEFINITION},
    "AutomateValidation": {
        "valid": False,
        "errors": [
            {
                "field": "definition.steps.ask.with.endpoint",
                "code": "does_not_exist",
                "detail": "There is no such object.",
            }
        ],
    },
    "AutomateWorkflowDocument": {
        "format": "automate.workflow/1",
        "name": "Large orders",
        "slug": "large-orders",
        "description": "Looks at large orders before they are sent.",
        "definition": _DEFINITION,
        "triggers": [{"name": "Paid", "kind": "event", "enabled": True, "pattern": "order.paid"}],
    },
    "AutomateTriggerDocument": {"name": "Paid", "kind": "event", "enabled": True, "pattern": "order.paid"},
    "AutomateWorkflowRun": _RUN_SHOWN,
    "AutomateWorkflowRunDetail": {**_RUN_SHOWN, "steps": [_STEP], "steps_count": 1},
    "AutomateStepRun": _STEP,
    "AutomateWorkflowReplay": {"from_step": "decide"},
    "AutomateDecision": {"comment": "They are right."},
    "AutomateTrigger": {**_HOOK, "signing_secret": "whsec_the-secret-stands-here"},
    "AutomateIssuedTrigger": {
        **_HOOK,
        "token": "the-token-stands-here-once-and-never-again",
        "signing_secret": "whsec_the-secret-stands-here-once-and-never-again",
    },
    "AutomatePatchedTrigger": {"enabled": False},
    "AutomateRule": {"rule": "event.payload.total > 100.0", "context": {"event": {"payload": {"total": 159.9}}}},
    "AutomateExplanation": {
        "value": True,
        "reason": "event.payload.total > 100.0 is true, since event.payload.total is 159.9.",
        "tree": {
            "text": "event.payload.total > 100.0",
            "start": 0,
            "end": 27,
            "value": True,
            "evaluated": True,
            "children": [],
        },
    },
}

"""A workflow: an event starts it, it asks the model, and the answer decides which way it goes."""

import secrets
import time
from typing import Any

from example_project.demo.client import Client
from example_project.demo.console import detail, heading, styled
from example_project.demo.story import check, put

TICKET = "Our shop is down and nobody can pay. Please help at once!"
# Seconds after which the demo has waited for long enough.
_PATIENCE = 300

RULE = "steps.ask.output.json.urgent || event.payload.text.contains('stolen')"
DEFINITION = {
    "condition": "event.payload.text != ''",
    "steps": [
        {
            "name": "ask",
            "type": "endpoint",
            "with": {"endpoint": "triage", "input": {"text": {"path": "$.event.payload.text"}}},
            "next": ["decide"],
        },
        {"name": "decide", "type": "branch", "with": {"cases": [{"when": RULE, "next": "alert"}], "otherwise": "rest"}},
        {
            "name": "alert",
            "type": "emit",
            "with": {"event": "ticket.urgent", "payload": {"text": {"path": "$.event.payload.text"}}},
            "next": ["note"],
        },
        {"name": "rest", "type": "wait", "with": {"seconds": 1}, "next": ["note"]},
        {"name": "note", "type": "set", "with": {"values": {"urgent": {"cel": RULE}}}},
    ],
    "output": {"path": "$.steps.note.output"},
}


def triage(client: Client, llm_client: int) -> None:
    """The whole of it; needs a worker."""
    create_endpoint(client, llm_client)
    create_workflow(client)
    run = follow(client, report(client))
    show(client, run)
    explain(client, run)


def create_endpoint(client: Client, llm_client: int) -> None:
    """An endpoint whose answer is JSON of one shape."""
    heading("Create an endpoint whose answers are true or false")
    answer = {
        "type": "object",
        "properties": {"urgent": {"type": "boolean"}},
        "required": ["urgent"],
        "additionalProperties": False,
    }
    body = {
        "name": "Triage",
        "slug": "triage",
        "task_types": ["llm.chat"],
        "llm_client": llm_client,
        "config": {"input_field": "text", "response_schema": answer},
    }
    put(client, "/api/v1/endpoints/", body)


def create_workflow(client: Client) -> None:
    """A workflow, and the trigger that starts it."""
    heading("Create a workflow that asks it and branches on the answer, and what starts it")
    workflow = put(client, "/api/v1/workflows/", {"name": "Triage", "slug": "triage", "definition": DEFINITION})
    body = {"workflow": workflow["id"], "name": "A ticket", "kind": "event", "pattern": "ticket.created"}
    if client.call("GET", f"/api/v1/triggers/?workflow={workflow['id']}")["results"]:
        detail("An earlier run made the trigger.")
    else:
        client.call("POST", "/api/v1/triggers/", body, expect=201)
    detail(f"Workflow {workflow['id']}, version {workflow['version']}")


def report(client: Client) -> str:
    """An event comes in; its id."""
    heading("Report an event: it starts the workflow")
    event = {"type": "ticket.created", "source": "demo", "payload": {"text": TICKET}}
    answer = client.call("POST", "/api/v1/events/", {**event, "idempotency_key": secrets.token_hex(8)}, expect=201)
    check(answer["status"] == "accepted", "an event accepted", answer)
    return str(answer["id"])


def follow(client: Client, event: str) -> dict[str, Any]:
    """The run that the event has started, when it has ended."""
    deadline, shown = time.monotonic() + _PATIENCE, True
    while True:
        runs = client.call("GET", f"/api/v1/workflow-runs/?event={event}", is_shown=shown)["results"]
        if runs and runs[0]["finished_at"]:
            break
        check(time.monotonic() < deadline, "a run that ends", runs)
        shown = False
        time.sleep(0.2)
    check(len(runs) == 1 and runs[0]["status"] == "succeeded", "one run, succeeded", runs)
    run: dict[str, Any] = client.call("GET", f"/api/v1/workflow-runs/{runs[0]['id']}/")
    return run


def show(client: Client, run: dict[str, Any]) -> None:
    """What each step was, and where it led."""
    steps = {step["name"]: step for step in run["steps"]}
    for step in run["steps"]:
        leads = f"  → {', '.join(step['taken'])}" if step["taken"] else ""
        detail(f"{step['name']:<7} {step['type']:<9} {step['status']:<9}{leads}")
    way, other = ("alert", "rest") if run["output"]["urgent"] else ("rest", "alert")
    ways = (steps["decide"]["taken"], steps[way]["status"], steps[other]["status"])
    check(ways == ([way], "succeeded", "skipped"), f"the way to {way}", run["steps"])
    detail(f"Run {run['id']} of version {run['version']}: {styled(str(run['output']), '32')}")


def explain(client: Client, run: dict[str, Any]) -> None:
    """Why the branch went where it went."""
    heading("Ask why the workflow went that way")
    answer = next(step["output"]["json"] for step in run["steps"] if step["name"] == "ask")
    seen = {"event": {"payload": run["context"]["payload"]}, "steps": {"ask": {"output": {"json": answer}}}}
    explained = client.call("POST", "/api/v1/rules/explain/", {"rule": RULE, "context": seen})
    check(explained["value"] == run["output"]["urgent"], "the value that decided", explained)
    detail(explained["reason"])

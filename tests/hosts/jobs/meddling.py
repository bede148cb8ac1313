"""`python -m tests.hosts.jobs.meddling SEED`: decides and cancels runs at random moments, and tells those that wait.

What it has done stands in its output, a line each: what was decided, and of which run.
"""

import os
import random
import sys
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.hosts.jobs.settings")
django.setup()

from automate.models import StepRun, Workflow, WorkflowRun  # noqa: E402 - after Django is set up
from automate.services.runs import cancel_run  # noqa: E402
from automate.services.waits import decide_step  # noqa: E402
from automate_api.exceptions import Conflict, NotFound  # noqa: E402
from automate_api.models import Actor  # noqa: E402
from tests.hosts.jobs.flows import TENANT, tell  # noqa: E402


def meddle(chance: random.Random) -> str:
    """Do one thing to one run, whatever it is at; what has come of that."""
    run = chance.choice(list(WorkflowRun.objects.filter(status__in=WorkflowRun.UNFINISHED)) or [None])
    if run is None:
        return ""
    what = chance.choices(["approved", "rejected", "cancelled", "told"], [8, 4, 0.2, 4])[0]
    actor = Actor(user=Workflow.objects.earliest("pk").owner, tenant_id=TENANT)
    if what == "told":
        tell([{"type": "flow.news", "source": "test", "payload": {"n": run.context["payload"]["n"]}}])
    elif what == "cancelled":
        cancel_run(run)
    elif StepRun.objects.filter(run=run, name="ask").exists():
        decide_step(run, "ask", actor=actor, approved=what == "approved")
    else:
        return ""
    return f"{what} {run.pk}"


if __name__ == "__main__":
    chance = random.Random(sys.argv[1])
    print("Meddling", flush=True)
    while True:
        try:
            done = meddle(chance)
        except (Conflict, NotFound):
            # Somebody was faster.
            continue
        if done:
            print(done, flush=True)
        time.sleep(chance.uniform(0, 0.05))

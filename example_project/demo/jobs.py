"""A job that outlives its worker: the demo kills one in the middle, and another finishes what it began."""

import subprocess
from collections.abc import Callable, Iterator
from typing import Any

from example_project.demo.client import Client, Event
from example_project.demo.console import detail, heading, styled
from example_project.demo.story import check, shown

QUESTION = "Tell a long story about a lighthouse and the people who keep its light."
# Tokens: enough that there is a middle to be killed in.
_LENGTH = 200

Start = Callable[[], "subprocess.Popen[str]"]


def outlive_a_worker(client: Client, endpoint: int, start: Start) -> None:
    """Run the endpoint as a job, and `kill -9` the worker in the middle; `start` starts one."""
    heading("Run it as a job, and kill its worker in the middle")
    job = make_job(client, endpoint)
    worker = start()
    detail(f"A worker has been started: process {worker.pid}")
    events = follow(client, job, worker, start)
    attempts = [event.data["attempt"] for event in events if event.name == "started"]
    check(attempts == [1, 2], "two attempts", attempts)
    check(any(event.data.get("code") == "worker_lost" for event in events), "a dead worker in the log", events)
    check(events[-1].name == "final", "a job that ends in `final`", events[-1])
    show_job(client, job, events)


def make_job(client: Client, endpoint: int) -> str:
    """A job that waits for its worker."""
    body = {"input": {"question": QUESTION}, "params": {"max_tokens": _LENGTH}}
    made = client.call("POST", f"/api/v1/modal/endpoints/{endpoint}/job/", body, expect=202)
    check(made["status"] == "queued", "a job that waits", made)
    return str(made["job_id"])


def follow(client: Client, job: str, worker: "subprocess.Popen[str]", start: Start) -> list[Event]:
    """What the job says to its end; on the way the worker is killed and another started."""
    return list(shown(with_a_death(client.stream(f"/api/v1/jobs/{job}/events/"), worker, start)))


def with_a_death(events: Iterator[Event], worker: "subprocess.Popen[str]", start: Start) -> Iterator[Event]:
    """The events on their way through. After the first piece of text the worker dies."""
    for event in events:
        yield event
        if event.name == "token" and worker.poll() is None:
            worker.kill()
            worker.wait()
            print(flush=True)
            detail(styled(f"kill -9 {worker.pid}", "31") + ", and another worker is started: " + str(start().pid))
        elif event.name == "retry":
            detail(f"The lease has run out: attempt {event.data['attempt']}, since {event.data['code']}")


def show_job(client: Client, job: str, events: list[Event]) -> None:
    """What is kept of a job."""
    status: dict[str, Any] = client.call("GET", f"/api/v1/modal/jobs/{job}/status/")
    check(status["status"] == "succeeded" and status["attempts"] == 2, "a job that its second attempt ended", status)
    check(status["result"] == events[-1].data["output"], "the result that was streamed", status)
    detail(f"{len(events)} events of {status['attempts']} attempts, {client.url('/api/v1/jobs/')}{job}/")

"""The third way to carry a run: to a sink in the caller's thread, in batches, while somebody may want it stopped."""

import time
from collections.abc import Callable
from concurrent.futures import wait

from automate_api.engine.driver import Run
from automate_api.engine.events import EventType, RunEvent
from automate_api.engine.mailbox import ThreadMailbox
from automate_api.engine.portal import portal
from automate_api.engine.transports import end_of
from automate_api.exceptions import RunTimeout

#: Takes what was said since it was last called, perhaps nothing; False stops the run.
Sink = Callable[[list[RunEvent]], bool]

#: Seconds that a capability has to stop when it is told to; then it is left to itself.
GRACE = 5.0


def relay(run: Run, sink: Sink, *, every: float) -> RunEvent:
    """Run to the end, for callers without an event loop; the terminal event, which the sink does not get.

    Args:
        run: the run. Neither begun nor finished here: storing is the caller's.
        sink: called in this thread about every `every` seconds, which coalesces the tokens in between.
        every: seconds.
    """
    mailbox = ThreadMailbox()
    driving = portal.submit(_drive(run, mailbox))
    # The driver has a deadline of its own, which a capability may pass over.
    last, is_wanted = time.monotonic() + run.timeout + GRACE, True
    try:
        while True:
            began = time.monotonic()
            batch = mailbox.take(every)
            end = next((place for place, event in enumerate(batch) if event.is_terminal), None)
            if end is not None:
                sink(coalesced(batch[:end]))
                return batch[end]
            if began > last:
                return _left(run, is_wanted=is_wanted)
            goes_on = sink(coalesced(batch))
            if is_wanted and not goes_on:
                is_wanted, last = False, time.monotonic() + GRACE
                driving.cancel()
            elif is_wanted and batch:
                # Whatever comes meanwhile is handed over together; the end comes at once.
                wait((driving,), max(0.0, every - (time.monotonic() - began)))
    finally:
        driving.cancel()


def coalesced(events: list[RunEvent]) -> list[RunEvent]:
    """`events` with neighbouring tokens as one."""
    merged: list[RunEvent] = []
    for event in events:
        if merged and event.type is merged[-1].type is EventType.TOKEN:
            merged[-1] = RunEvent(EventType.TOKEN, {"text": merged[-1].data["text"] + event.data["text"]})
        else:
            merged.append(event)
    return merged


async def _drive(run: Run, mailbox: ThreadMailbox) -> None:
    try:
        await run.drive(mailbox.put)
    except BaseException:
        # It was stopped and could not say so itself.
        mailbox.put_now(end_of(run))
        raise


def _left(run: Run, *, is_wanted: bool) -> RunEvent:
    """How a run ended that goes on all the same."""
    partial = "".join(run.text)
    run.end = RunEvent(EventType.CANCELLED, {"partial": partial})
    if is_wanted:
        run.error = RunTimeout()
        run.end = RunEvent(EventType.ERROR, {"code": run.error.code, "detail": run.error.detail, "partial": partial})
    return run.end

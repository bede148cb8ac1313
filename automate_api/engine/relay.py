"""The third way to carry a run: to a sink in the caller's thread, in batches, while somebody may want it stopped."""

import time
from collections.abc import Callable
from functools import partial

from automate_api.engine.driver import Run
from automate_api.engine.events import EventType, RunEvent
from automate_api.engine.mailbox import ThreadMailbox
from automate_api.engine.portal import portal
from automate_api.engine.transports import Driving, end_of

#: Takes what was said since it was last called, perhaps nothing; False stops the run.
Sink = Callable[[list[RunEvent]], bool]


def relay(run: Run, sink: Sink, *, every: float) -> RunEvent:
    """Run to the end, for callers without an event loop; the terminal event, which the sink does not get.

    Args:
        run: the run. Neither begun nor finished here: storing is the caller's.
        sink: called in this thread about every `every` seconds, which coalesces the tokens in between.
        every: seconds.
    """
    mailbox = ThreadMailbox()
    driving = portal.submit(run.drive(mailbox.put))
    driving.add_done_callback(partial(_tell_end, run, mailbox))
    try:
        while True:
            began = time.monotonic()
            batch = mailbox.take(every)
            if batch and batch[-1].is_terminal:
                sink(coalesced(batch[:-1]))
                return batch[-1]
            if not sink(coalesced(batch)):
                driving.cancel()
            elif batch:
                # Whatever comes meanwhile is handed over together.
                time.sleep(max(0.0, every - (time.monotonic() - began)))
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


def _tell_end(run: Run, mailbox: ThreadMailbox, driving: Driving) -> None:
    # Where a run that was stopped could not: somebody waits for it.
    if driving.cancelled() or driving.exception() is not None:
        mailbox.put_now(end_of(run))

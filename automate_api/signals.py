"""Signals a host may receive.

`job_ended` is sent when a job has ended, after that was committed, by the process that ended it: a worker, a reaper, or
the server that cancelled a waiting job. Receivers get `job`, a `Job` with its `execution`. It is sent once, but not at
all where that process dies between the commit and the sending: what must not be missed is found by its `finished_at`.
"""

from django.dispatch import Signal

job_ended = Signal()

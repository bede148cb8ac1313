"""How often and when `kill -9` falls.

`AUTOMATE_TEST_KILLS` is the number of kills in a test (5), `AUTOMATE_TEST_SEED` repeats their moments.
"""

import os
import random
import time

from tests.jobs.workers import Hall, Process

KILLS = int(os.environ.get("AUTOMATE_TEST_KILLS") or 5)
SEED = int(os.environ.get("AUTOMATE_TEST_SEED") or random.SystemRandom().getrandbits(32))


def killed(host: Hall, worker: Process, chance: random.Random) -> tuple[Process, float]:
    """Kill the worker at any moment; the next one, and the moment."""
    if chance.random() < 0.1:
        # Before it is ready, too.
        assert worker.lives(chance.uniform(0, 1))
    else:
        assert host.is_ready(worker)
        assert worker.lives(chance.uniform(0, 1.5))
        if host.queue == "celery" and chance.random() < 0.2 and worker.kill_a_child():
            return worker, time.time()
    worker.kill()
    return host.start_worker(), time.time()

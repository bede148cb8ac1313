"""Many prompt logs at once."""

import random
from typing import Any

from automate_api.models import Execution, PromptLog

_RUN = {"tenant_id": "default", "task_type": "llm.chat", "input": "x", "status": "succeeded", "correlation_id": "c"}


def make_prompt_logs(count: int, *, size: int, tenant_id: str = "default", user: Any = None) -> None:
    """So many logs `log-00000`, `log-00001` and on, each of `size` bytes that can be made half as long at best."""
    chance = random.Random(0)
    runs = [Execution(**{**_RUN, "tenant_id": tenant_id}, user=user) for _ in range(count)]
    Execution.objects.bulk_create(runs)
    logs = []
    for number, run in enumerate(runs):
        text = chance.randbytes(size // 2).hex()
        history = [{"role": "user", "content": text[size // 6 :]}]
        logs.append(
            PromptLog(
                tenant_id=tenant_id, user=user, execution=run, log_key=f"log-{number:05d}", system=text[: size // 6],
                history=history,
            )
        )  # fmt: skip
        if len(logs) == 100:
            PromptLog.objects.bulk_create(logs)
            logs.clear()
    PromptLog.objects.bulk_create(logs)

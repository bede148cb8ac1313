"""`python -m benchmarks.prompt_logs.measure seed|download|memory [KEY]`: on the database of the settings, as JSON.

`download` and `memory` print milliseconds to the first byte, those of them that the processor took, milliseconds to the
last byte, the highest resident memory above that before (MiB), and the bytes that came.
"""

import json
import os
import random
import sys
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from pathlib import Path

import django

LOGS, SYSTEM, HISTORY = 1000, 4096, 20_480


def seed() -> str:
    """Migrate, and store 1,000 logs of words; the API key of who reads them."""
    from django.contrib.auth.models import User  # noqa: PLC0415 - models load after django.setup()
    from django.core.management import call_command  # noqa: PLC0415

    from automate_api.models import Execution, PromptLog  # noqa: PLC0415
    from automate_api.services.api_keys import issue_key  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    user = User.objects.create_user("staff", is_staff=True)
    chance = random.Random(0)
    words = [f"{chance.getrandbits(40):x}" for _ in range(3000)]
    text = " ".join(chance.choices(words, k=200_000))
    run = {"tenant_id": "default", "task_type": "llm.chat", "input": "", "status": "succeeded", "correlation_id": "c"}
    for number in range(LOGS):
        begin = chance.randrange(len(text) - SYSTEM - HISTORY)
        said = text[begin : begin + SYSTEM + HISTORY]
        history = [{"role": "user", "content": said[at : at + 1024]} for at in range(SYSTEM, len(said), 1024)]
        execution = Execution.objects.create(**run)
        PromptLog.objects.create(
            tenant_id="default", execution=execution, log_key=f"log-{number:05d}", system=said[:SYSTEM], history=history
        )
    return issue_key(tenant_id="default", user=user, name="bench", scopes=["*"])[1]


def measure(pages: Callable[[str], Iterable[bytes]]) -> tuple[float, float, float, float, int]:
    """Ask for a hundred logs first, so that what a process loads once, SQLite's cache of 2 MB too, does not count."""
    for _page in pages("log-000"):
        pass
    # Linux: the highest resident memory is counted anew.
    Path("/proc/self/clear_refs").write_text("5")
    before, size, first, busy = _memory("VmRSS"), 0, 0.0, 0.0
    begin, begin_busy = time.perf_counter(), time.process_time()
    for page in pages("log-"):
        if not size:
            first, busy = time.perf_counter() - begin, time.process_time() - begin_busy
        size += len(page)
    whole = time.perf_counter() - begin
    return first * 1e3, busy * 1e3, whole * 1e3, (_memory("VmHWM") - before) / 1024, size


def _memory(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


def download(key: str) -> Callable[[str], Iterator[bytes]]:
    """What a WSGI server would send."""
    from django.core.handlers.wsgi import WSGIHandler  # noqa: PLC0415 - settings load before

    app = WSGIHandler()

    def pages(prefix: str) -> Iterator[bytes]:
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": "/api/v1/prompt-logs/download/",
            "QUERY_STRING": f"prefix={prefix}",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "HTTP_AUTHORIZATION": f"Bearer {key}",
            "wsgi.input": BytesIO(),
            "wsgi.url_scheme": "http",
        }
        response = app(environ, lambda status, headers: None)
        if response.status_code != 200:
            sys.exit(f"answered {response.status_code}")
        yield from response
        response.close()

    return pages


def memory(key: str) -> Callable[[str], Iterator[bytes]]:
    """What one would write first: all rows, one buffer, no guard."""
    from automate_api.models import PromptLog  # noqa: PLC0415 - models load after django.setup()
    from automate_api.services.prompt_text import history_text  # noqa: PLC0415

    def pages(prefix: str) -> Iterator[bytes]:
        buffer = BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for log in PromptLog.objects.filter(log_key__startswith=prefix).order_by("log_key"):
                archive.writestr(f"{log.log_key}-system", log.system)
                archive.writestr(f"{log.log_key}-history", history_text(log.history))
        yield buffer.getvalue()

    return pages


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.host.settings"
    os.environ.setdefault("BENCH_UPSTREAM", "127.0.0.1:9")
    django.setup()
    name, *arguments = sys.argv[1:]
    contenders = {"download": download, "memory": memory}
    print(json.dumps(seed() if name == "seed" else measure(contenders[name](*arguments))))

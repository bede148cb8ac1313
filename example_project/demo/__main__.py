"""`make demo`: a real small model, a server, workers, and a client that talks to it over HTTP.

`PORT` is the server's (8000). `ONCE=1` ends after the last step; else the server goes on until Ctrl-C. The exit code is
0 when every step went as expected, and 1 otherwise.
"""

import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

from example_project.demo.client import Client
from example_project.demo.console import DemoError, detail, heading, progress, say
from example_project.demo.files import count_words
from example_project.demo.jobs import outlive_a_worker
from example_project.demo.processes import free_to_bind, manage, running, tail, wait_for_port
from example_project.demo.programs import serve_programs
from example_project.demo.story import tell
from example_project.demo.workflows import triage
from example_project.tenants.passwords import ADMIN, demo_password

DATA_DIR = Path(os.environ.get("DATA_DIR") or Path(__file__).resolve().parent.parent.parent / ".data")


def chosen_port() -> int:
    """`PORT`, when it is one that can be served on."""
    text = os.environ.get("PORT") or "8000"
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise DemoError(f"PORT={text} is not a port: a number from 1 to 65535")
    free_to_bind(int(text))
    return int(text)


@contextmanager
def model_server(api_key: str) -> Iterator[str]:
    """The address of a small language model that answers on this machine."""
    if find_spec("xllamacpp") is None:
        raise DemoError(
            "The package xllamacpp, which runs the model, is not installed: run `make demo`. "
            "It has wheels for Linux and macOS on x86-64 and arm64; elsewhere this demo cannot run."
        )
    log = DATA_DIR / "model.log"
    heading("Start a small language model: SmolLM2-135M-Instruct on this machine's CPU")
    with running("example_project.demo.model", log=log, env={"MODEL_API_KEY": api_key}, read=True) as process:
        with progress("Loading 93 MB of weights"):
            address = process.stdout.readline().strip() if process.stdout else ""
        if not address:
            raise DemoError(f"The model did not start; {log} says:\n{tail(log)}")
        detail(f"It speaks the OpenAI protocol at {address}/v1")
        yield address


def prepare(env: dict[str, str]) -> dict[str, Any]:
    """Migrate and seed; what `seed_demo --json` prints."""
    heading("Prepare the database")
    with progress("Migrating " + ("DATABASE_URL" if os.environ.get("DATABASE_URL") else str(DATA_DIR / "db.sqlite3"))):
        manage("migrate", "--verbosity", "0", env=env)
    with progress("Making the tenants acme and globex, their users and new API keys"):
        seeded: dict[str, Any] = json.loads(manage("seed_demo", "--json", env=env))
    return seeded


@contextmanager
def web_server(port: int, env: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """The example host on 127.0.0.1:`port`."""
    log = DATA_DIR / "server.log"
    heading(f"Start the server: uvicorn on http://127.0.0.1:{port}")
    with running("example_project.demo.server", str(port), log=log, env=env) as process:
        with progress("Waiting for it"):
            wait_for_port(process, port, log)
        detail(f"Its log: {log}")
        yield process


def worker(env: dict[str, str]) -> AbstractContextManager[subprocess.Popen[str]]:
    """A process that works on jobs."""
    return running("example_project.demo.worker", log=DATA_DIR / "worker.log", env=env)


def staff_of(seeded: dict[str, Any], tenant: str) -> dict[str, Any]:
    """The staff member of a seeded tenant."""
    users = next(item["users"] for item in seeded["tenants"] if item["id"] == tenant)
    found: dict[str, Any] = next(user for user in users if user["is_staff"])
    return found


def show_addresses(client: Client, staff: dict[str, Any]) -> None:
    """Where to look around, and as whom."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_project.settings")
    heading("Look around")
    detail(f"Schema browser   {client.url('/api/v1/docs/')}   or   {client.url('/api/v1/redoc/')}")
    detail(f"Django admin     {client.url('/admin/')}   {ADMIN} / {demo_password(ADMIN)}")
    detail(f"API              {client.url('/api/v1/')}   once signed in at the admin as somebody of acme:")
    detail(f"                 {staff['username']} / {staff['password']}")
    detail(f"API key of {staff['username']}: {staff['api_key']}")


def serve_on(server: subprocess.Popen[str]) -> None:
    """Until Ctrl-C; DemoError when the server ends before."""
    say()
    say("Serving until Ctrl-C.")
    code = server.wait()
    raise DemoError(f"The server ended with code {code}; see {DATA_DIR / 'server.log'}")


def demo() -> None:
    """The demo from its first step to its last."""
    port = chosen_port()
    DATA_DIR.mkdir(parents=True, exist_ok=True)
    model_key = secrets.token_urlsafe(24)
    with model_server(model_key) as model:
        # A short lease: the demo's audience waits for it.
        env = {"PRIVATE_HOSTS": model.removeprefix("http://"), "DATA_DIR": str(DATA_DIR), "LEASE": "3"}
        seeded = prepare(env)
        with web_server(port, env) as server, ExitStack() as workers:
            staff = staff_of(seeded, "acme")
            client = Client(port, staff["api_key"])
            llm_client, endpoint = tell(client, f"{model}/v1", model_key)
            outlive_a_worker(client, endpoint, lambda: workers.enter_context(worker(env)))
            count_words(client)
            triage(client, llm_client)
            serve_programs(client, staff)
            show_addresses(client, staff)
            if os.environ.get("ONCE") != "1":
                serve_on(server)


def stop(signum: int, frame: object) -> NoReturn:
    """End in order on SIGTERM and SIGHUP, as on Ctrl-C."""
    raise KeyboardInterrupt


def main() -> int:
    """Run the demo; its exit code."""
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGHUP, stop)
    try:
        demo()
    except DemoError as error:
        print(f"\nerror: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("\nStopped.")
        return 0 if os.environ.get("ONCE") != "1" else 1
    say("\nThe demo went as expected.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The README's code, run as written in a host made of nothing else."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"```(\w+)\n# ([\w. ]+)\n(.*?)```", re.DOTALL)

# What `django-admin startproject` would have written, as far as it matters here.
SETTINGS = """
import os
SECRET_KEY = "only for tests"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "urls"
USE_TZ = True
STATIC_URL = "/static/"
DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}}}
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
AUTOMATE_API_PRIVATE_HOSTS = [{private!r}]
{readme}
"""
URLS = "from django.urls import include, path\nurlpatterns = []\n{readme}"
ASGI = "from django.core.asgi import get_asgi_application\napplication = get_asgi_application()\n"


def blocks() -> dict[str, str]:
    """The README's code by the comment in its first line."""
    return {name: code for _, name, code in BLOCK.findall((ROOT / "README.md").read_text())}


class Host:
    """A project in a folder of its own."""

    def __init__(self, folder: Path, private: str) -> None:
        self.folder = folder
        readme = blocks()
        (folder / "settings.py").write_text(SETTINGS.format(private=private, readme=readme["settings.py"]))
        (folder / "urls.py").write_text(URLS.format(readme=readme["urls.py"]))
        (folder / "asgi.py").write_text(ASGI)
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "settings",
            "ENCRYPTION_KEYS": "b25seSBmb3IgdGVzdHMsIG5ldmVyIGZvciBhIGhvc3Q=",
            "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]),
        }

    def django(self, *args: str) -> str:
        """What a management command prints."""
        return self.run(sys.executable, "-m", "django", *args)

    def run(self, *args: str, **environment: str) -> str:
        """What a command prints; the test fails with its errors when it does."""
        ran = subprocess.run(
            args, cwd=self.folder, env={**self.environment, **environment}, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout


@pytest.fixture
def host(tmp_path, upstream):
    """The README's host, migrated, with a user ann of the staff."""
    made = Host(tmp_path, upstream.host)
    made.django("migrate", "--verbosity", "0")
    made.django("shell", "--verbosity", "0", "-c", "User.objects.create_user('ann', is_staff=True)")
    return made


@pytest.fixture
def address(host):
    """Where the host is served by uvicorn."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "--fd", str(listener.fileno()), "--lifespan", "off", "asgi:application"],
            cwd=host.folder,
            env=host.environment,
            pass_fds=[listener.fileno()],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.terminate()
            server.wait(30)


def test_the_settings_and_routes_make_a_host_without_warnings_whose_schema_is_valid(host):
    host.django("check", "--fail-level", "WARNING")
    schema = host.django("spectacular", "--validate", "--fail-on-warn")
    assert re.search(r"^  /api/v1/modal/endpoints/\{\w+\}/stream/:$", schema, re.MULTILINE)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_first_call_answers_and_streams(host, address, upstream):
    secret = host.django("shell", "--verbosity", "0", "-c", blocks()["shell"]).strip()
    model = {"MODEL_URL": upstream.url, "MODEL_KEY": "sk-1", "MODEL": "chat"}
    printed = host.run("bash", "-euc", blocks()["first call"], HOST=address, KEY=secret, **model)
    bodies, _, stream = printed.partition("id: ")
    execution = json.loads(bodies[bodies.rindex('{"id"') :])
    assert execution["status"] == "succeeded"
    assert [line for line in stream.splitlines() if line.startswith("event:")][-1] == "event: final"
    asked = [request.json for request in upstream.requests if request.path.endswith("/chat/completions")]
    assert [request["messages"][-1]["content"] for request in asked] == ["What is a fjord?"] * 2


def test_the_files_it_points_to_are_here():
    targets = re.findall(r"\]\(([^)#]+)\)", (ROOT / "README.md").read_text())
    assert [target for target in targets if not (ROOT / target).exists()] == []
    named = re.findall(r"`((?:example_project|docs|tests|scripts)/[\w./]+)`", (ROOT / "README.md").read_text())
    assert [name for name in named if not (ROOT / name).exists()] == []

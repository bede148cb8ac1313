"""`manage.py check --deploy`, as whoever deploys runs it: a process of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]

CARELESS = {
    *("E001", "E002", "E003", "E004", "W005", "W006", "E007", "E008", "W009", "W011"),
    *("E013", "E014", "E015", "E017", "E018", "E019", "W020", "W021", "W022", "W023", "W024"),
    *("E025", "E028", "W030", "W031", "E033", "E034"),
}


def said(*arguments: str, settings: str, **environment: str) -> tuple[int, str]:
    """The exit status of `check`, and what it says."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AUTOMATE_", "DATABASE_"))}
    done = subprocess.run(
        [sys.executable, "-m", "django", "check", *arguments, "--settings", settings],
        cwd=ROOT,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def ours(text: str) -> set[str]:
    return set(re.findall(r"\(automate_api\.([EW]\d{3})\)", text))


def test_deploying_a_careless_host_finds_every_mistake() -> None:
    status, text = said("--deploy", settings="tests.hosts.careless.settings")
    assert ours(text) == CARELESS
    assert status == 1


def test_deploying_the_example_finds_none(tmp_path: Path) -> None:
    status, text = said(
        "--deploy",
        settings="example_project.settings",
        DATA_DIR=str(tmp_path),
        DATABASE_URL="postgres://postgres@127.0.0.1:5432/postgres",
        CONN_MAX_AGE="60",
        REDIS_URL="redis://127.0.0.1:6379/15",
        SECRET_KEY="0123456789" * 5,
        ENCRYPTION_KEYS=Fernet.generate_key().decode(),
        ALLOWED_HOSTS="api.example.com",
    )
    assert ours(text) == set()
    assert status == 0


def test_running_the_example_as_it_is_says_nothing(tmp_path: Path) -> None:
    for debug in ("0", "1"):
        status, text = said(settings="example_project.settings", DATA_DIR=str(tmp_path), DEBUG=debug)
        assert "no issues" in text
        assert status == 0


def test_deploying_a_host_of_one_tenant_on_one_process_says_just_that() -> None:
    _status, text = said("--deploy", settings="tests.settings")
    assert ours(text) == {"W009", "W011", "W026"}

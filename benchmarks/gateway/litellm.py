"""LiteLLM's proxy, in a virtual environment of its own: it pins versions that nothing else here should have."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.processes import ROOT

HOME = ROOT / "benchmarks" / ".venv-litellm"
REQUIREMENT = "litellm[proxy]"
KEY = "sk-bench"

#: It would fetch its price table from the network, and report its use.
ENVIRONMENT = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False", "LITELLM_LOG": "ERROR"}


class NotInstalled(Exception):
    """It could not be installed; the message says why."""


def install() -> Path:
    """The path of its program, installed when it is missing.

    Raises:
        NotInstalled: it is missing and cannot be installed.
    """
    program = HOME / "bin" / "litellm"
    if not program.exists():
        print(f"Installing {REQUIREMENT} into {HOME.relative_to(ROOT)} (once; about a minute)", flush=True)
        shutil.rmtree(HOME, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(HOME)])
        _run([str(HOME / "bin" / "python"), "-m", "pip", "install", "--quiet", REQUIREMENT])
    return program


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        shutil.rmtree(HOME, ignore_errors=True)
        raise NotInstalled((done.stderr.strip() or done.stdout.strip())[-300:])


def write_config(path: Path, upstream: str) -> None:
    """A configuration, as JSON, which is YAML too: every `fake-*` model at `upstream`, no retries, no database."""
    to_upstream = {"model": "openai/fake-*", "api_base": f"http://{upstream}/v1", "api_key": "sk-fake"}
    config = {
        "model_list": [{"model_name": "fake-*", "litellm_params": to_upstream}],
        "litellm_settings": {"telemetry": False, "num_retries": 0, "request_timeout": 60},
        "general_settings": {"master_key": KEY},
    }
    path.write_text(json.dumps(config))


def command(program: Path, config: Path, port: int) -> list[str]:
    """Its command line: one worker, as every server here."""
    return [str(program), "--config", str(config), "--host", "127.0.0.1", "--port", str(port), "--num_workers", "1"]

"""`python -m benchmarks.prompt_logs`: an archive of 1,000 prompt logs, of 24 KB each, as its view answers it.

Each contender is measured in processes of its own, without a socket: what a WSGI server would send is thrown away.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.processes import ROOT

GOAL_MS, GOAL_MIB = 20.0, 4.0
CONTENDERS = {"download": "download/, as it is sent", "memory": "zipfile in memory (BytesIO)"}


def main() -> None:
    """Measure, print, and exit with 1 where a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.prompt_logs", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (5)")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="automate-bench-") as folder:
        url = os.environ.get("DATABASE_URL", "")
        # models load in the measured processes alone
        from benchmarks.gateway.databases import database  # noqa: PLC0415 - psycopg only where it is asked for

        with database(url, Path(folder)) as address:
            env = os.environ | {"BENCH_DATABASE": address, "PYTHONPATH": str(ROOT)}
            key = str(_run(env, "seed"))
            found = {name: [_run(env, name, key) for _ in range(rounds)] for name in CONTENDERS}
    print(f"load {os.getloadavg()[0]:.1f}; medians of {rounds}\n")
    print(f"{'':32}{'first byte, ms':>16}{'of processor':>14}{'whole, ms':>12}{'peak, +MiB':>12}{'MB':>8}")
    for name, label in CONTENDERS.items():
        first, busy, whole, peak, size = (statistics.median(one[part] for one in found[name]) for part in range(5))
        print(f"{label:32}{first:16.1f}{busy:14.1f}{whole:12.0f}{peak:12.1f}{size / 1e6:8.1f}")
    first, peak = (statistics.median(one[part] for one in found["download"]) for part in (0, 3))
    print(f"\nfirst byte <= {GOAL_MS:g} ms: {'met' if first <= GOAL_MS else 'MISSED'}")
    print(f"peak <= +{GOAL_MIB:g} MiB: {'met' if peak <= GOAL_MIB else 'MISSED'}")
    sys.exit(first > GOAL_MS or peak > GOAL_MIB)


def _run(env: dict[str, str], *arguments: str):  # type: ignore[no-untyped-def]  # JSON
    command = [sys.executable, "-m", "benchmarks.prompt_logs.measure", *arguments]
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout)


if __name__ == "__main__":
    main()

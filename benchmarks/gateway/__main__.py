"""`python -m benchmarks.gateway`."""

from benchmarks.requirements import require

require("httptools", "httpx", "psutil", "psycopg_pool", "uvloop", "gunicorn", "uvicorn", "granian")

from benchmarks.gateway.command import main  # noqa: E402 - it imports what may be missing

main()

"""`python -m benchmarks.routes`."""

from benchmarks.requirements import require

require("ninja", "psutil", "psycopg", "redis")

from benchmarks.routes.command import main  # noqa: E402 - it imports what may be missing

main()

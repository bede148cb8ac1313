"""`python -m benchmarks.pages`."""

from benchmarks.requirements import require

require("psutil", "psycopg", "redis")

from benchmarks.pages.command import main  # noqa: E402 - it imports what may be missing

main()

"""`python -m benchmarks.events`."""

from benchmarks.requirements import require

require("django_tasks_db", "gunicorn", "ninja", "psutil", "psycopg", "redis", "uvloop")

from benchmarks.events.command import main  # noqa: E402 - it imports what may be missing

main()

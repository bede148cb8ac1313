"""`python -m benchmarks.workflows`."""

from benchmarks.requirements import require

require("celery", "celpy", "django_tasks_db", "psutil", "psycopg", "redis")

from benchmarks.workflows.command import main  # noqa: E402 - it imports what may be missing

main()

"""`python -m benchmarks.jobs`."""

from benchmarks.requirements import require

require("celery", "django_tasks_db", "psutil", "psycopg", "redis", "uvicorn")

from benchmarks.jobs.command import main  # noqa: E402 - it imports what may be missing

main()

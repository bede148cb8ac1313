#!/bin/sh
# Run the tests on SQLite, then those that need PostgreSQL on PostgreSQL, if it answers. Arguments go to pytest.
# AUTOMATE_TEST_REQUIRE_SERVICES=1: PostgreSQL or Redis not answering is a failure.
# worksteal: neighbours stay together, who share servers and other fixtures of their module, and nobody idles at the end.
set -eu
cd "$(dirname "$0")/.."

postgres="${AUTOMATE_TEST_POSTGRES_URL:-postgres://postgres@127.0.0.1:5432/postgres}"

echo "==> Tests on SQLite"
AUTOMATE_TEST_DATABASE_URL= .venv/bin/python -m pytest --numprocesses auto --dist worksteal "$@"

if .venv/bin/python -m tests.services postgres; then
    echo "==> Tests that need PostgreSQL"
    code=0
    AUTOMATE_TEST_DATABASE_URL="$postgres" .venv/bin/python -m pytest --numprocesses auto --dist worksteal -m postgres "$@" || code=$?
    # pytest's 5 is "no test chosen": fine, they were chosen by name.
    [ "$code" -eq 0 ] || [ "$code" -eq 5 ] || exit "$code"
elif [ "${AUTOMATE_TEST_REQUIRE_SERVICES:-}" = 1 ]; then
    echo "error: PostgreSQL is required and does not answer (AUTOMATE_TEST_POSTGRES_URL)" >&2
    exit 1
else
    echo "==> PostgreSQL does not answer: the tests that need it are left out"
fi

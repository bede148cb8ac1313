#!/bin/sh
# Check the OpenAPI schema of hosts, as 3.0 and 3.1. Warnings fail. Settings modules may be given: else all hosts' are.
set -eu
cd "$(dirname "$0")/.."

export DATA_DIR=.test-data # where the example host keeps its keys

[ "$#" -gt 0 ] || set -- \
    tests.settings \
    tests.hosts.bare.settings \
    example_project.settings

for host in "$@"; do
    .venv/bin/python -W error scripts/check_schema.py "$host"
done

#!/bin/sh
# Check the OpenAPI schema of hosts, as 3.0 and 3.1. Warnings fail. Settings modules may be given: else all hosts' are.
set -eu
cd "$(dirname "$0")/.."

export DATA_DIR=.test-data # where the example host keeps its keys

[ "$#" -gt 0 ] || set -- \
    tests.settings \
    tests.hosts.bare.settings \
    tests.hosts.single.settings \
    tests.hosts.by_organization.settings \
    tests.hosts.uuid_user.settings \
    tests.hosts.with_corsheaders.settings \
    tests.hosts.atomic.settings \
    tests.hosts.hostile.settings \
    tests.hosts.words.settings \
    example_project.settings

for host in "$@"; do
    .venv/bin/python -W error scripts/check_schema.py "$host"
done

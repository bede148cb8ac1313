#!/bin/sh
# Check the test host's OpenAPI schema in both versions of the standard. The warnings fail.
set -eu
cd "$(dirname "$0")/.."

for version in 3.0.3 3.1.1; do
    echo "==> OpenAPI $version"
    AUTOMATE_TEST_OAS_VERSION=$version .venv/bin/python -m django spectacular \
        --settings tests.settings --validate --fail-on-warn --file /dev/null
done

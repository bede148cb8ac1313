"""Which services of the machine answer: `python -m tests.services postgres` exits 0 where PostgreSQL does."""

import functools
import os
import socket
import sys
from urllib.parse import urlsplit

POSTGRES_URL = os.environ.get("AUTOMATE_TEST_POSTGRES_URL") or "postgres://postgres@127.0.0.1:5432/postgres"
REDIS_URL = os.environ.get("AUTOMATE_TEST_REDIS_URL") or "redis://127.0.0.1:6379/15"
PORTS = {"postgres": 5432, "postgresql": 5432, "redis": 6379, "rediss": 6379}


def address(url: str) -> tuple[str, int]:
    """Host and port of a service's URL, its scheme's usual port by default."""
    parts = urlsplit(url)
    return parts.hostname or "127.0.0.1", parts.port or PORTS[parts.scheme]


@functools.cache
def answers(url: str) -> bool:
    """Whether something accepts connections where `url` points."""
    try:
        socket.create_connection(address(url), timeout=2).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(not answers({"postgres": POSTGRES_URL, "redis": REDIS_URL}[sys.argv[1]]))

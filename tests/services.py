"""Which services of the machine answer: `python -m tests.services postgres` exits 0 where PostgreSQL does."""

import functools
import os
import sys
from urllib.parse import urlsplit

import psycopg
import redis

POSTGRES_URL = os.environ.get("AUTOMATE_TEST_POSTGRES_URL") or "postgres://postgres@127.0.0.1:5432/postgres"
REDIS_URL = os.environ.get("AUTOMATE_TEST_REDIS_URL") or "redis://127.0.0.1:6379/15"


@functools.cache
def obstacle(url: str) -> str | None:
    """Why the service at `url` cannot be used, or None: it answers."""
    parts = urlsplit(url)
    try:
        if parts.scheme.startswith("redis"):
            with redis.Redis.from_url(url, socket_connect_timeout=10) as client:
                client.ping()
        else:
            with psycopg.connect(url, connect_timeout=10) as connection:
                role = connection.execute("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user")
                if role.fetchone() != (True,):
                    return f"the user of {parts.hostname}:{parts.port} may not create databases"
    except (psycopg.Error, redis.RedisError) as error:
        return f"{parts.hostname}:{parts.port} says: {str(error).splitlines()[0]}"
    return None


if __name__ == "__main__":
    if reason := obstacle({"postgres": POSTGRES_URL, "redis": REDIS_URL}[sys.argv[1]]):
        sys.exit(f"{sys.argv[1]}: {reason}")
